"""Scaling over devices: the same training on one, two and more, by a fixed batch or a fixed share of it.

Strong scaling keeps the batch, so that each device has less; weak scaling keeps each device's share, so that the batch
grows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bench.plan.steps import ParityCheck, Step, Timing, Training
from bench.plan.targets import Target
from models.recipes import Recipe

PATH = "fit"


def targets(backend: Target, counts: Sequence[int], processes: Sequence[int] = (1,)) -> tuple[Target, ...]:
    """Return a target for each number of devices, in each number of processes that can have an equal part of them."""
    parted = [(count, parts) for count in counts for parts in processes if _parted(backend, count, parts)]
    pairs = dict.fromkeys([(1, 1), *parted])
    return tuple(replace(backend, devices=n, processes=parts, label=label(n, parts)) for n, parts in pairs)


def _parted(backend: Target, count: int, parts: int) -> bool:
    """Whether each process gets as many devices; several of TensorFlow's have a processor as one device each."""
    one_each = backend.backend == "tensorflow" and backend.device == "cpu" and parts > 1
    return count == parts if one_each else count % parts == 0


def label(devices: int, processes: int = 1) -> str:
    return f"{devices} device{'s' * (devices > 1)}" + (f" in {processes} processes" if processes > 1 else "")


def devices(name: str) -> int:
    """Return the number of devices of the label ``name``."""
    return int(name.split()[0])


def processes(name: str) -> int:
    """Return the number of processes of the label ``name``."""
    return int(name.split()[-2]) if name.endswith("processes") else 1


def passes(
    recipe: Recipe, sides: Sequence[Sequence[Target]], *, epochs: dict[str, int], replicates: int
) -> list[list[Step]]:
    """Return the passes: accuracy and equal work in the first, then processes of ``sides``, one backend at a time."""
    first: list[Step] = []
    for same in sides:
        first += [Training(recipe, target, 0, epochs, PATH) for target in same]
        first += [ParityCheck(recipe, (same[0], other)) for other in same[1:]]
    timed = [_timed(recipe, same, number) for number in range(replicates) for same in sides]
    return [first, *timed]


def _timed(recipe: Recipe, same: Sequence[Target], replicate: int) -> list[Step]:
    """Return strong scaling, every count in turns, and the larger batches of weak scaling."""
    sides = [(recipe.batch_size, tuple(same)), *((recipe.batch_size * one.devices, (one,)) for one in same[1:])]
    return [Timing(recipe, "train", (PATH,), size, some, replicate) for size, some in sides]
