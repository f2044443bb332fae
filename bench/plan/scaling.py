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


def targets(backend: Target, counts: Sequence[int]) -> tuple[Target, ...]:
    """Return a target for each number of devices."""
    return tuple(replace(backend, devices=count, label=label(count)) for count in counts)


def label(devices: int) -> str:
    return f"{devices} device{'s' * (devices > 1)}"


def devices(name: str) -> int:
    """Return the number of devices of the label ``name``."""
    return int(name.split()[0])


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
