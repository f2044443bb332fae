"""What a block costs that follows one of another process, and whether work before its clock takes that away."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from contextlib import ExitStack
from math import ceil
from pathlib import Path

import pytest

from bench.backends import BACKENDS
from bench.plan.targets import Target
from bench.protocol import Block
from bench.records.schema import Cell
from bench.runner import affinity, interleave
from bench.runner.interleave import CellRunner
from bench.runner.process import WorkerProcess, WorkFailed, running

TURNS = 48


def block_s(runner: CellRunner, lead_s: float) -> float:
    """Return the seconds of a block that begins with ``lead_s`` of its work before its clock."""
    cell, repeats = runner.cell, runner.lengths[0]
    lead = ceil(repeats * lead_s / interleave.BLOCK_S)
    block = Block(cell.phase, cell.path, cell.batch_size, repeats, each=False, lead=lead)
    return float(runner.worker.ask(block)["duration_s"])


def cost_of_the_other(twins: Sequence[CellRunner], lead_s: float) -> float:
    """Return the seconds of a block after one of the other process over those after one of its own: A B, B A, ..."""
    found: dict[bool, list[float]] = {True: [], False: []}
    last = None
    for turn in range(TURNS):
        for one in twins if turn % 2 == 0 else twins[::-1]:
            found[one is last].append(block_s(one, lead_s))
            last = one
    return statistics.median(found[False]) / statistics.median(found[True])


def fail(runner: CellRunner, error: WorkFailed) -> None:
    raise AssertionError(f"{runner.cell.name}: {error}")


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("phase", "path", "rows"), [("train", "train_on_batch", 8), ("vectorize", "TextVectorization", 100)]
)
def test_a_block_after_another_process_takes_longer(
    backend: str, phase: str, path: str, rows: int, corpus_folder: Path, tmp_path: Path
) -> None:
    """So turns keep one order, and blocks begin before their clock: two targets on one core, as a gate has them."""
    cell = Cell(recipe="pooling-logits", phase=phase, path=path, batch_size=rows, target=f"{backend}-cpu")
    target = Target(backend, quiet=True)
    with affinity.separated(quiet=True) as cores, ExitStack() as stack:
        workers = [
            stack.enter_context(running(WorkerProcess(target, corpus=corpus_folder, log=tmp_path / f"{name}.log")))
            for name in "ab"
        ]
        twins = interleave.warmed_up([interleave.prepare(cell, worker) for worker in workers], drop=fail)
        for worker in workers:
            if cores is not None:
                worker.confine(cores.timed)
        plain, led = (cost_of_the_other(twins, lead_s) for lead_s in (0.0, interleave.LEAD_S))
    print(f"{backend} {path}: after the other process {plain:.2f} times as slow, {led:.2f} with a lead")
    assert plain > 1.02
