"""A default run of one recipe as an honest machine would have measured it; made, and no test."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from bench.analysis.planning import resume
from bench.plan import steps
from bench.plan.steps import PROFILES, Startup, Step, Timing, Training
from bench.plan.targets import Target
from bench.records import machine, store
from bench.records.machine import Commit
from bench.records.schema import Cell, Record, RunOptions, Sample, TimingRecord
from bench.records.store import Run
from models.recipes import DENSE
from tests.bench import made

PROFILE = PROFILES["default"]
TARGETS = [Target("jax"), Target("tensorflow")]
VERSIONS = {f"{backend}-cpu": {"keras": "3.15.1", backend: "1.0"} for backend in ("jax", "tensorflow")}
OPTIONS = RunOptions(recipes=["dense"], backends=["jax", "tensorflow"], device="cpu", seeds=None, budget_s=None)


def write(folder: Path, seed: int = 0) -> Run:
    """Write the run into ``folder`` and read it again."""
    here = machine.commit()
    commit = Commit(revision=here.revision if here else "a" * 40, dirty=False)
    header = made.header(profile=PROFILE.name, options=OPTIONS, commit=commit)
    writer = store.RunWriter(folder)
    writer.append(header, *_records(random.Random(seed)), made.finished())
    writer.close()
    return store.read(folder)


def _records(draw: random.Random) -> Iterator[Record]:
    passes = steps.passes([DENSE], TARGETS, PROFILE, seeds=PROFILE.seeds)
    yield resume.plan(passes, TARGETS)
    for replicate, work in enumerate(passes):
        yield from (made.target(target.name, versions=VERSIONS[target.name]) for target in TARGETS)
        if not replicate:
            yield from map(made.peaks, VERSIONS)
        for step in work:
            yield from _measured(step, replicate, draw)


def _measured(step: Step, replicate: int, draw: random.Random) -> Iterator[Record]:
    match step:
        case Training():
            final = made.result(epoch_s=[draw.uniform(0.9, 1.1) for _ in range(4)])
            validation = made.result(epoch_s=[draw.uniform(0.9, 1.1) for _ in range(5)])
            yield made.training("dense", step.target.name, path=step.path, validation=validation, final=final)
        case Timing():
            yield from (_timing(cell, replicate, draw) for cell in step.cells)
        case Startup():
            raise AssertionError("a default run starts nothing for its own sake")
        case _:
            yield made.parity()


def _timing(cell: Cell, replicate: int, draw: random.Random) -> TimingRecord:
    """Return blocks that last as long as they did, on a little more than one of two processors."""

    def block(turn: int, *, warmup: bool = False) -> Sample:
        duration_s = draw.uniform(0.02, 0.03)
        calls = [duration_s / 4] * 4 if cell.phase == "predict" and not warmup else None
        spent_s = duration_s * draw.uniform(1.1, 1.2)
        seconds = sum(calls) if calls else duration_s
        return Sample(repeats=4, duration_s=seconds, calls_s=calls, warmup=warmup, turn=turn, processor_s=spent_s)

    samples = [block(0, warmup=True), *(block(turn) for turn in range(3))]
    return made.timing(cell, samples, replicate=replicate, resolved={"jit_compile": cell.where == "jax-cpu"})
