"""A made run written to disk, with a row of every table; nothing here is a test."""

from __future__ import annotations

from pathlib import Path

from bench.record import Cell, Record, Sample
from bench.store import RunWriter
from tests.bench import made


def records() -> list[Record]:
    """Return a small run of both targets: it trained, agreed, was timed, and lost one cell."""
    found: list[Record] = [made.header(), made.target("jax-cpu"), made.target("tensorflow-cpu")]
    for name, pace in (("jax-cpu", 1.0), ("tensorflow-cpu", 1.25)):
        found.append(made.training("dense", name))
        found += [_fit(name, pace), _predict(name, pace), _vectorize(name, pace)]
    return [*found, made.parity(), made.failure("train train_on_batch 512")]


def write_run(folder: Path) -> None:
    """Write the run into ``folder``."""
    writer = RunWriter(folder)
    for record in records():
        writer.append(record)
    writer.close()


def _fit(target: str, pace: float) -> Record:
    """Ten turns of one and eleven steps of 10 ms each, after a fixed 50 ms."""
    blocks = [(turn, steps) for turn in range(10) for steps in (1, 11)]
    samples = [Sample(repeats=n, duration_s=0.05 + 0.01 * pace * n + 1e-5 * turn * n, turn=turn) for turn, n in blocks]
    return made.timing(made.cell(target=target), samples)


def _predict(target: str, pace: float) -> Record:
    calls = [pace * (0.001 + 0.0001 * call) for call in range(20)]
    samples = [Sample(repeats=20, duration_s=sum(calls), calls_s=calls, turn=turn) for turn in range(10)]
    return made.timing(made.cell("predict", "predict_on_batch", target=target), samples)


def _vectorize(target: str, pace: float) -> Record:
    cell = Cell(recipe="dense", phase="vectorize", path="encoder", batch_size=1000, target=target)
    samples = [Sample(repeats=1, duration_s=pace * (0.1 + 0.001 * turn), turn=turn) for turn in range(10)]
    return made.timing(cell, samples, steady=False, work={"reviews": 1000.0, "megabytes": 1.3})
