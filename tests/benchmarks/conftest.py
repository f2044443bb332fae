"""Live workers for the suite's own speed claims."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.backends import BACKENDS
from bench.plan.targets import Target
from bench.protocol import Release
from bench.records.schema import Cell, TimingRecord
from bench.runner import interleave
from bench.runner.interleave import CellRunner, StepCells
from bench.runner.process import WorkerProcess, WorkFailed
from datasets.locate import open_corpus

Twins = dict[tuple[str, int], WorkerProcess]
Measure = Callable[..., list[TimingRecord]]


@pytest.fixture(scope="session")
def corpus_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The parsed corpus: the real reviews where KERASMARK_DATA names them, else the synthetic ones."""
    data = os.environ.get("KERASMARK_DATA") or "synthetic"
    return open_corpus(data, environ=os.environ, cache_root=tmp_path_factory.mktemp("cache")).folder


@pytest.fixture(scope="session")
def twins(corpus_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twins]:
    """Two live workers of each backend, alike in everything."""
    logs = tmp_path_factory.mktemp("logs")
    alive = {
        (backend, twin): WorkerProcess(Target(backend), corpus=corpus_folder, log=logs / f"{backend}-{twin}.log")
        for backend in BACKENDS
        for twin in (0, 1)
    }
    yield alive
    for worker in alive.values():
        worker.close()


@pytest.fixture
def measure() -> Iterator[Measure]:
    """Let runners take turns and return their records in the order given; their workers forget them afterwards."""
    workers: list[interleave.Worker] = []

    def drop(runner: CellRunner, error: WorkFailed) -> None:
        raise AssertionError(f"{runner.cell.name}: {error}")

    def run(runners: list[CellRunner], *, rounds: int, calls: int | None = None) -> list[TimingRecord]:
        workers.extend(runner.worker for runner in runners)
        interleave.take_turns([StepCells(list(runners), rounds, calls)], order=random.Random(0), drop=drop)
        return [runner.record(0) for runner in runners]

    yield run
    for worker in workers:
        worker.ask(Release())


def ready(wanted: Cell, worker: WorkerProcess) -> CellRunner:
    """Return a runner that is prepared and warm."""
    runner = interleave.prepare(wanted, worker)
    interleave.warm_up(runner)
    return runner


def cell(backend: str, phase: str, path: str, batch_size: int, recipe: str = "lstm") -> Cell:
    """Return a cell whose target is named like its backend."""
    return Cell(recipe=recipe, phase=phase, path=path, batch_size=batch_size, target=backend)  # type: ignore[arg-type]
