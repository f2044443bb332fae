"""The fastest path of each target for each piece of work, from the run's own ratios."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from bench.analysis import paired_ratio
from bench.analysis.rows import BestPathRow, TimingRow, bounded
from bench.analysis.stats import Estimate
from bench.records.schema import Cell, TimingRecord

# The path that most users take.
USUAL = {"train": "fit", "predict": "predict_on_batch"}
# A smaller advantage is not worth a change of code.
WORTHWHILE = 1.05

Timings = Mapping[Cell, Sequence[TimingRecord]]


def find(rows: Sequence[TimingRow], timings: Timings) -> list[BestPathRow]:
    """Return the fastest path of each target for each piece of work, the fastest target first.

    ``rows`` stand in the order of the tables. A path from raw text does more work than the others, the floor is no way
    to drive Keras, and a target whose accuracy failed does other work: none of these takes part.
    """
    candidates = [row for row in rows if row.phase in USUAL and _takes_part(row)]
    work = groupby(candidates, key=lambda row: (row.recipe, row.phase, row.batch_size))
    return [found for _, group in work for found in _ranked(list(group), timings)]


def worthwhile(row: BestPathRow) -> bool:
    """Whether the whole interval of the speedup lies above `WORTHWHILE`."""
    return (row.speedup_low or 0.0) > WORTHWHILE


def _takes_part(row: TimingRow) -> bool:
    other_work = row.is_floor or row.excluded or row.path.endswith("from text")
    return not other_work and _seconds(row) > 0


def _seconds(row: TimingRow) -> float:
    return row.seconds or 0.0


def _ranked(rows: Sequence[TimingRow], timings: Timings) -> list[BestPathRow]:
    """Return a row for each target of one piece of work; the first is compared with the next one."""
    slowest_first = sorted(rows, key=_seconds)[::-1]
    ranked = sorted({row.target: row for row in slowest_first}.values(), key=_seconds)
    rival = ranked[1] if len(ranked) > 1 else None
    return [_best(row, rows, timings, rival=rival if row is ranked[0] else None) for row in ranked]


def _best(row: TimingRow, rows: Sequence[TimingRow], timings: Timings, *, rival: TimingRow | None) -> BestPathRow:
    usual = [other for other in rows if (other.target, other.path) == (row.target, USUAL[row.phase])]
    return BestPathRow(
        **row.cell.model_dump(),
        reviews_per_s=row.reviews_per_s,
        usual=USUAL[row.phase],
        **bounded("speedup", _ratio(usual[0], row, timings) if usual and usual[0] is not row else None),
        fastest=_seconds(row) <= min(map(_seconds, rows)),
        rival=rival.target if rival else None,
        rival_path=rival.path if rival else None,
        **bounded("advantage", _ratio(rival, row, timings) if rival else None),
    )


def _ratio(slower: TimingRow, faster: TimingRow, timings: Timings) -> Estimate | None:
    return paired_ratio.ratio(timings[slower.cell], timings[faster.cell])
