"""The advice that a run gives from its own ratios: which path, and how many times the usual one; it formats nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.analysis import paired_ratio
from bench.analysis.stats import Estimate
from bench.plan.paths import FLOOR
from bench.records.schema import Cell, TimingRecord

# What most users write: every other path is held against it.
USUAL = {"train": "fit", "predict": "predict_on_batch"}
# An advantage that is smaller is not worth a change of code.
WORTHWHILE = 1.05

Measured = tuple[Cell, Sequence[TimingRecord]]


@dataclass(frozen=True)
class Advice:
    """``cell`` does its work ``times`` as fast as the usual path does, on the same target in the same run."""

    cell: Cell
    usual: str
    times: Estimate


def find(measured: Sequence[Measured]) -> list[Advice]:
    """Return, for each usual cell, the path that beats it most, where its whole interval lies above `WORTHWHILE`."""
    found = [_best(cell, records, measured) for cell, records in measured if cell.path == USUAL[cell.phase]]
    return [one for one in found if one is not None]


def _best(usual: Cell, records: Sequence[TimingRecord], measured: Sequence[Measured]) -> Advice | None:
    rivals = [
        Advice(cell, usual.path, times)
        for cell, others in measured
        if _rival(usual, cell) and (times := paired_ratio.ratio(records, others)) is not None and times.low > WORTHWHILE
    ]
    return max(rivals, key=lambda rival: rival.times.value, default=None)


def _rival(usual: Cell, cell: Cell) -> bool:
    """Whether ``cell`` is another way to do what ``usual`` does; the floor is no way to drive Keras."""
    same = cell.model_copy(update={"path": usual.path}) == usual
    return same and cell.path not in (usual.path, FLOOR) and not cell.path.endswith("from text")
