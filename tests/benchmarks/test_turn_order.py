"""What a block costs that follows one of another process, and whether work before its clock takes that away."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import pytest

from bench.backends import BACKENDS
from bench.plan.targets import Target
from bench.protocol import Block
from bench.records.schema import Cell
from bench.runner import affinity, interleave
from bench.runner.process import WorkerProcess

TURNS = 48


@dataclass
class Twin:
    """A worker, with the seconds of its blocks by what came before: its own process or the other."""

    worker: WorkerProcess
    runner: interleave.CellRunner

    def block_s(self, lead_s: float) -> float:
        """Return the seconds of a block that begins with ``lead_s`` of its work before its clock."""
        cell, repeats = self.runner.cell, self.runner.lengths[0]
        lead = ceil(repeats * lead_s / interleave.BLOCK_S)
        block = Block(cell.phase, cell.path, cell.batch_size, repeats, each=False, lead=lead)
        return float(self.worker.ask(block)["duration_s"])


def twin(worker: WorkerProcess, cell: Cell) -> Twin:
    """Return a twin that has warmed up."""
    runner = interleave.prepare(cell, worker)
    interleave.warm_up(runner)
    return Twin(worker, runner)


def cost_of_the_other(twins: tuple[Twin, Twin], lead_s: float) -> float:
    """Return the seconds of a block after one of the other process over those after one of its own: A B, B A, ..."""
    found: dict[bool, list[float]] = {True: [], False: []}
    last = None
    for turn in range(TURNS):
        for one in twins if turn % 2 == 0 else twins[::-1]:
            found[one is last].append(one.block_s(lead_s))
            last = one
    return statistics.median(found[False]) / statistics.median(found[True])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("phase", "path", "rows"), [("train", "train_on_batch", 8), ("vectorize", "TextVectorization", 100)]
)
def test_a_block_after_another_process_takes_another_time(
    backend: str, phase: str, path: str, rows: int, corpus_folder: Path, tmp_path: Path
) -> None:
    """So turns keep one order, and blocks begin before their clock: two targets on one core, as a gate has them."""
    cell = Cell(recipe="pooling-logits", phase=phase, path=path, batch_size=rows, target=f"{backend}-cpu")
    with affinity.separated(quiet=True) as cores:
        target = Target(backend, quiet=True)
        workers = [WorkerProcess(target, corpus=corpus_folder, log=tmp_path / f"{n}.log") for n in (0, 1)]
        try:
            first, second = (twin(worker, cell) for worker in workers)
            for worker in workers:
                if cores is not None:
                    worker.confine(cores.timed)
            cost = {lead_s: cost_of_the_other((first, second), lead_s) for lead_s in (0.0, interleave.LEAD_S)}
        finally:
            for worker in workers:
                worker.close()
    plain, led = cost.values()
    print(f"{backend} {path}: after the other process {plain:.2f} times as slow, {led:.2f} with a lead")
    assert abs(plain - 1) > 0.02
