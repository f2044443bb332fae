"""Under a time budget, choose which cells a further replicate times."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bench.analysis import paired_ratio
from bench.plan import steps
from bench.plan.steps import Step
from bench.records.schema import Cell, TimingRecord

# Seconds of a pass besides its cells: starting the workers and encoding the reviews.
PASS_S = 15.0
# Preparing an operation and exchanging messages, as a share of its timed seconds.
OVERHEAD = 0.3
# An interval as narrow as this needs no more time.
NARROW = 0.01


def choose(steps: Sequence[Step], records: Sequence[TimingRecord], *, left_s: float) -> list[Step]:
    """Return the steps with the widest intervals, as many as fit in ``left_s``, in their given order.

    A cell with one replicate has no interval over processes and counts as widest.
    """
    by_cell = paired_ratio.timings(records)
    known = [(step, _width(step, by_cell), _cost_s(step, by_cell)) for step in steps]
    chosen, spent_s = set(), PASS_S
    for index in sorted(range(len(known)), key=lambda i: (-known[i][1], known[i][2])):
        _, width, cost_s = known[index]
        if width > NARROW and cost_s and spent_s + cost_s <= left_s:
            chosen.add(index)
            spent_s += cost_s
    return [step for index, step in enumerate(steps) if index in chosen]


def _width(step: Step, by_cell: dict[Cell, list[TimingRecord]]) -> float:
    """Return the widest interval among the step's cells, as a share of its value."""
    measured = [by_cell[cell] for cell in steps.step_cells(step) if cell in by_cell]
    widths = [math.inf if len(found) < 2 else paired_ratio.seconds(found).spread for found in measured]
    return max(widths, default=0.0)


def _cost_s(step: Step, by_cell: dict[Cell, list[TimingRecord]]) -> float:
    """Return the seconds that the step took in its last replicate; 0 if none of it was measured."""
    last = [by_cell[cell][-1] for cell in steps.step_cells(step) if cell in by_cell]
    return (1 + OVERHEAD) * sum(r.first_call_s + sum(s.duration_s for s in r.samples) for r in last)
