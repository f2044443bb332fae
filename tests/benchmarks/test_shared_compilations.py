"""Programs that JAX takes from another process of the run are as fast as those that it compiles, and sooner ready."""

from __future__ import annotations

import random
import statistics
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from bench.analysis import paired_ratio, stats
from bench.plan.targets import Target
from bench.protocol import Release
from bench.records.schema import Cell, TimingRecord
from bench.runner import interleave
from bench.runner.interleave import CellRunner, StepCells
from bench.runner.process import WorkerProcess, WorkFailed, running
from tests.benchmarks.conftest import cell, ready

pytestmark = pytest.mark.framework

REPLICATES, TURNS = 6, 30
# The interval over processes must reach into this.
TOLERANCE = 0.03
CELLS = [
    cell("jax", "train", "compiled loop", 512, "pooling-dropout"),
    cell("jax", "train", "floor", 32),
    cell("jax", "predict", "compiled", 32, "dense"),
    cell("jax", "predict", "compiled", 32),
]
SIDES = ("own", "own again", "shared", "shared again")


@contextmanager
def workers(corpus: Path, folder: Path, logs: Path, hash_seed: int) -> Iterator[dict[str, WorkerProcess]]:
    """Yield a live worker for each side; those called "shared" take their programs from ``folder``."""
    with ExitStack() as alive:
        yield {
            side: alive.enter_context(
                running(
                    WorkerProcess(
                        Target("jax"),
                        corpus=corpus,
                        log=logs / f"{side}.log",
                        hash_seed=hash_seed,
                        compilations=folder if side.startswith("shared") else None,
                    )
                )
            )
            for side in SIDES
        }


def timed(one: Cell, alive: dict[str, WorkerProcess], replicate: int) -> dict[str, TimingRecord]:
    """Return each side's record of ``one``, from blocks of the same length in turns."""
    runners = {side: ready(one, worker) for side, worker in alive.items()}
    for runner in runners.values():
        runner.lengths = runners["own"].lengths
    interleave.take_turns([StepCells([*runners.values()], TURNS)], order=random.Random(replicate), drop=refuse)
    for worker in alive.values():
        worker.ask(Release())
    return {side: runner.record(replicate) for side, runner in runners.items()}


def refuse(runner: CellRunner, error: WorkFailed) -> None:
    raise AssertionError(f"{runner.cell.name}: {error}")


def test_shared_programs_are_as_fast_as_own_ones(corpus_folder: Path, tmp_path: Path) -> None:
    """Over six processes of each side, the ratio's interval reaches into 3 % of one.

    The first call of a shared program, which compiles nothing, takes less than half of the other's. How much processes
    of each side differ is printed: six are too few to hold it.
    """
    found: dict[str, dict[Cell, list[TimingRecord]]] = {side: {one: [] for one in CELLS} for side in SIDES}
    for replicate in range(1 + REPLICATES):  # the first one fills the folder
        with workers(corpus_folder, tmp_path, tmp_path, replicate) as alive:
            for one in CELLS:
                for side, record in timed(one, alive, replicate).items():
                    found[side][one] += [record] * bool(replicate)
    for one in CELLS:
        own, shared = found["own"][one], found["shared"][one]
        ratio = stats.over_replicates(paired_ratio.log_ratios(shared, own))
        deviations = [
            statistics.stdev(paired_ratio.log_ratios(found[side][one], found[f"{side} again"][one]))
            for side in ("own", "shared")
        ]
        first = statistics.median(r.first_call_s for r in shared) / statistics.median(r.first_call_s for r in own)
        print(
            f"{one.name}: shared over own {ratio.value:.3f} ({ratio.low:.3f} to {ratio.high:.3f}); processes differ by "
            f"{deviations[0]:.2%} (own) and {deviations[1]:.2%} (shared); first call {first:.2f} of the other's"
        )
        assert ratio.low <= 1 + TOLERANCE
        assert ratio.high >= 1 - TOLERANCE
        assert first < 0.5
