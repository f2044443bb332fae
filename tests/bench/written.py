"""A made run written to disk, with a row of every table; nothing here is a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from bench.plan import steps
from bench.plan.targets import Target
from bench.records.schema import Cell, PhaseResult, Record, Sample
from bench.records.store import RunWriter
from models.recipes import RECIPES
from tests.bench import made

REPLICATES = 3
# By path, how many times as long as the floor it takes; TensorFlow's all take 1.25 times as long.
TRAIN = {"fit": 2.0, "compiled loop": 1.1, "floor": 1.0}
PREDICT = {"predict_on_batch": 4.0, "compiled": 1.25, "floor": 1.0}
VECTORIZE = {"TextVectorization in tf.data": 2.5, "encoder": 1.6, "floor from text": 0.004}
STARTUP = {"import": 4.0, "build": 0.2, "first step": 1.5, "first prediction": 0.4, "load": 0.1}
# What a process is faster or slower than another by, and a turn than another.
PROCESSES, TURNS = (1.0, 1.02, 0.99), (1.0, 1.01, 0.995, 1.02, 1.0)


def records() -> list[Record]:
    """Return a small run of both targets: it trained, agreed, was timed three times, and lost one cell."""
    targets = {"jax-cpu": 1.0, "tensorflow-cpu": 1.25}
    found: list[Record] = [made.header(), *map(made.target, targets), *map(made.peaks, targets)]
    found += [made.training("dense", name, path="compiled loop", final=_trained(p)) for name, p in targets.items()]
    found.append(made.parity())
    for replicate in range(REPLICATES):
        for name, pace in targets.items():
            found += _timed(name, replicate, pace * PROCESSES[replicate])
    found += [_counted(name) for name in targets]
    return [*found, made.failure("train train_on_batch 512")]


def full_records() -> list[Record]:
    """Return every cell of the full profile, none steady, after trainings that failed."""
    recipes, targets = list(RECIPES.values()), [Target("jax"), Target("tensorflow")]
    found: list[Record] = [made.header(profile="full")]
    found += [record for target in targets for record in (made.target(target.name), made.peaks(target.name))]
    bad = made.result({"accuracy": [0.5] * 4, "val_accuracy": [0.5] * 4}, epoch_s=[1.0] * 4, accuracy=0.5)
    found += [made.training(recipe.name, target.name, final=bad) for recipe in recipes for target in targets]
    for step in steps.passes(recipes, targets, steps.PROFILES["full"], seeds=1)[0]:
        found += [_shortly(cell) for cell in steps.step_cells(step)]
        if isinstance(step, steps.Counting):
            found += [
                made.counters(cell, graph_operations=1234.0, program_flops=1.5e9, program_bytes=1e9)
                for cell in step.cells
            ]
    return found


def _shortly(cell: Cell) -> Record:
    """Time ``cell`` in two turns whose numbers are as wide as they come."""
    samples = made.calls([0.12345] * 331, [0.12345] * 331) if cell.phase == "predict" else made.blocks(0.00123, 0.00123)
    work = {"reviews": float(cell.batch_size), "megabytes": 1.3}
    return made.timing(cell, samples, steady=False, work=work, first_call_s=123.4)


def write_run(folder: Path) -> None:
    """Write the run into ``folder``."""
    writer = RunWriter(folder)
    for record in records():
        writer.append(record)
    writer.close()


def _trained(pace: float) -> PhaseResult:
    """Return the four epochs of dense's final phase."""
    return made.result({"accuracy": [0.8, 0.9, 0.92, 0.94]}, epoch_s=[pace] * 4)


def _timed(target: str, replicate: int, pace: float) -> Iterator[Record]:
    """Every path of every phase: a step of 10 ms by hand, a prediction of 1 ms, a vectorization of 100 ms."""

    def cells(
        phase: str, size: int, costs: dict[str, float], samples: Callable[[str, float], list[Sample]]
    ) -> Iterator[Record]:
        for path, times in costs.items():
            cell = made.cell(phase, path, target=target, batch_size=size)
            steady = path != "TextVectorization in tf.data"
            work = {"reviews": float(size), "megabytes": size * 1.3e-3}
            yield made.timing(cell, samples(path, times * pace), replicate=replicate, steady=steady, work=work)

    yield from cells("startup", 512, STARTUP, lambda _, seconds: made.blocks(seconds)[1:])
    yield from cells("train", 512, TRAIN, _steps)
    yield from cells("predict", 1, PREDICT, _calls)
    yield from cells("predict", 512, PREDICT, lambda path, times: _calls(path, 5 * times))
    yield from cells("vectorize", 1_000, VECTORIZE, lambda _, times: made.blocks(*[0.1 * times * t for t in TURNS]))


def _steps(path: str, times: float) -> list[Sample]:
    """Return turns of steps of 10 ms times ``times``; a `fit` costs 50 ms beside its steps."""
    if path == "fit":
        return made.fits(*[0.01 * times * turn for turn in TURNS], fixed_s=0.05, lengths=(1, 11))
    return made.blocks(*[0.05 * times * turn for turn in TURNS], repeats=5)


def _calls(_: str, times: float) -> list[Sample]:
    """Return turns of 50 calls each, of 1 ms times ``times`` and up to twice as long."""
    return made.calls(*[[0.001 * times * turn * (1 + call / 50) for call in range(50)] for turn in TURNS])


def _counted(target: str) -> Record:
    """Return what was counted for training by `fit`."""
    compiled = {"compilations": 3.0, "recompilations": 0.0} if target == "jax-cpu" else {"traces": 2.0, "retraces": 0.0}
    cell = made.cell(target=target)
    return made.counters(cell, **compiled, program_flops=4.9e8, program_bytes=2.1e7, peak_resident_bytes=2.5e9)
