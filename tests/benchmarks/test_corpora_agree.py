"""The synthetic reviews stand in for the real ones: in turns on one machine, a cell takes as long on both."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.analysis import paired_ratio
from bench.backends import BACKENDS
from bench.plan import steps
from bench.plan.targets import Target
from bench.protocol import Release
from bench.records.schema import Cell
from bench.runner import interleave
from bench.runner.process import WorkerProcess
from datasets.locate import open_corpus
from models.recipes import RECIPES
from tests.benchmarks.conftest import ready

pytestmark = pytest.mark.framework

TURNS = 16
# The claim is 10 %; a shared machine adds the interval of the ratio itself.
TOLERANCE = 0.10

Workers = dict[tuple[str, str], WorkerProcess]


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workers]:
    """A live worker for each backend and corpus."""
    data = os.environ.get("KERASMARK_DATA", "synthetic")
    if data == "synthetic":
        pytest.skip("needs the real IMDB reviews: set KERASMARK_DATA to their archive or folder")
    cache, logs = tmp_path_factory.mktemp("cache"), tmp_path_factory.mktemp("logs")
    folders: dict[str, Path] = {
        name: open_corpus(given, environ={}, cache_root=cache).folder
        for name, given in (("imdb", data), ("synthetic", "synthetic"))
    }
    alive = {
        (backend, name): WorkerProcess(Target(backend), corpus=folder, log=logs / f"{backend}-{name}.log")
        for backend in BACKENDS
        for name, folder in folders.items()
    }
    yield alive
    for worker in alive.values():
        worker.close()


def cells() -> list[Cell]:
    """Return every timed cell of the default profile."""
    targets = [Target(backend) for backend in BACKENDS]
    timed = steps.timings(list(RECIPES.values()), targets, steps.PROFILES["default"], 0)
    return [cell for step in timed for cell in steps.step_cells(step)]


@pytest.mark.parametrize("cell", cells(), ids=lambda cell: cell.name)
def test_a_cell_takes_as_long_on_synthetic_reviews(
    workers: Workers, cell: Cell, record_property: pytest.RecordProperty
) -> None:
    """The median ratio of neighbouring blocks lies within 10 % of one, or its interval reaches there."""
    backend = cell.target.partition("-")[0]
    both = [workers[backend, corpus] for corpus in ("imdb", "synthetic")]
    runners = [ready(cell, worker) for worker in both]
    # The same lengths on both sides, so that a block's fixed cost weighs the same.
    runners[1].lengths = runners[0].lengths
    failures: list[str] = []
    interleave.take_turns(
        [interleave.StepCells(list(runners), TURNS)],
        order=random.Random(0),
        drop=lambda runner, error: failures.append(str(error)),
    )
    assert not failures
    for worker in both:
        worker.ask(Release())
    real, synthetic = ([runner.record(0)] for runner in runners)
    ratio = paired_ratio.ratio(synthetic, real)
    assert ratio is not None
    record_property("ratio", f"{ratio.value:.3f} ({ratio.low:.3f} to {ratio.high:.3f})")
    print(f"{cell.name}: {ratio.value:.3f} ({ratio.low:.3f} to {ratio.high:.3f})")
    assert ratio.low <= 1 + TOLERANCE
    assert ratio.high >= 1 - TOLERANCE
