"""The fastest path of each target for each piece of work, from the run's own ratios."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cmp_to_key
from itertools import groupby
from typing import Any

from bench.analysis import paired_ratio
from bench.analysis.paired_ratio import Ratios
from bench.analysis.rows import BestPathRow, TimingRow, bounded, finite
from bench.plan import formats
from bench.records.schema import Cell, TimingRecord

# The path that most users take.
USUAL = {"train": "fit", "predict": "predict_on_batch"}
# A smaller advantage is not worth a change of code.
WORTHWHILE = 1.05

Timings = Mapping[Cell, Sequence[TimingRecord]]


@dataclass(frozen=True)
class Work:
    """One piece of work: the fastest path of each target, the fastest target first, and every path that takes part."""

    ranked: tuple[TimingRow, ...]
    rows: tuple[TimingRow, ...]

    @property
    def rivals(self) -> tuple[TimingRow, TimingRow] | None:
        """The second target and the first, unless there is one alone."""
        return (self.ranked[1], self.ranked[0]) if len(self.ranked) > 1 else None

    def usual(self, row: TimingRow) -> TimingRow | None:
        """Return the usual path on the target of ``row``; None if that is the fastest, or was not timed."""
        found = [other for other in self.rows if (other.target, other.path) == (row.target, USUAL[row.phase])]
        return found[0] if found and found[0] is not row else None


def find(rows: Sequence[TimingRow], timings: Timings) -> list[BestPathRow]:
    """Return the fastest path of each target for each piece of work, the fastest target first.

    ``rows`` stand in the order of the tables. A path from raw text does more work than the others, the floor is no way
    to drive Keras, weights in int8 give other scores, and a target whose accuracy failed does other work: none of these
    takes part. Who is faster, by how much and whether that is told apart all follow from ratios of neighbouring
    blocks.
    """
    candidates = [row for row in rows if row.phase in USUAL and _takes_part(row)]
    groups = groupby(candidates, key=lambda row: (row.recipe, row.phase, row.batch_size))
    work = [_ranked(list(group), timings) for _, group in groups]
    rivals = [one.rivals for one in work]
    advantages = _ratios([pair for pair in rivals if pair is not None], timings)
    usual = [(other, row) for one in work for row in one.ranked if (other := one.usual(row)) is not None]
    speedups = _ratios(usual, timings)
    return [_best(row, one, timings, advantages, speedups) for one in work for row in one.ranked]


def fastest(cells: Iterable[Cell], timings: Timings) -> Cell | None:
    """Return the fastest of ``cells``, which do the same work on one target; None where none has seconds above zero.

    A path from raw text does more work, and takes no part.
    """
    known = [cell for cell in cells if not _from_text(cell) and paired_ratio.seconds(timings[cell]).value > 0]
    return min(known, key=_by_speed(timings), default=None)


def worthwhile(row: BestPathRow) -> bool:
    """Whether the whole interval of the speedup lies above `WORTHWHILE`."""
    return (row.speedup_low or 0.0) > WORTHWHILE


def _takes_part(row: TimingRow) -> bool:
    other_work = row.is_floor or row.excluded or _from_text(row) or _rounded(row)
    return not other_work and _seconds(row) > 0


def _rounded(cell: Cell) -> bool:
    """Whether it predicts by weights of fewer bits: its figure may be another."""
    return cell.path in formats.EVERY_FORMAT and not formats.EVERY_FORMAT[cell.path].exact


def _from_text(cell: Cell) -> bool:
    return cell.path.endswith("from text")


def _seconds(row: TimingRow) -> float:
    return row.seconds or 0.0


def _ranked(rows: Sequence[TimingRow], timings: Timings) -> Work:
    """Return the fastest path of each target."""
    speed = _by_speed(timings)
    fastest_first = sorted(rows, key=lambda row: speed(row.cell))
    by_target = {row.target: row for row in reversed(fastest_first)}
    return Work(tuple(sorted(by_target.values(), key=lambda row: speed(row.cell))), tuple(rows))


def _by_speed(timings: Timings) -> Callable[[Cell], Any]:
    """Return the key by which cells are sorted, the fastest first; where two have no common block, seconds decide."""

    def order(first: Cell, second: Cell) -> int:
        found = paired_ratio.ratio(timings[first], timings[second])
        each = (paired_ratio.seconds(timings[cell]).value for cell in (first, second))
        times = next(each) / next(each) if found is None else found.value
        return (times > 1) - (times < 1)

    return cmp_to_key(order)


def _ratios(pairs: Sequence[tuple[TimingRow, TimingRow]], timings: Timings) -> Ratios:
    return Ratios([(slower.cell, faster.cell) for slower, faster in pairs], timings)


def _rate(row: TimingRow, first: TimingRow, timings: Timings) -> float | None:
    """Return the reviews a second of ``row``: the fastest one's, divided by how many times as fast that is."""
    times = None if row is first else paired_ratio.ratio(timings[row.cell], timings[first.cell])
    rate = row.reviews_per_s if times is None else first.reviews_per_s
    return rate if times is None or rate is None else finite(rate / times.value)


def _best(row: TimingRow, work: Work, timings: Timings, advantages: Ratios, speedups: Ratios) -> BestPathRow:
    first, rivals, usual = work.ranked[0], work.rivals, work.usual(row)
    rival = rivals[0] if rivals is not None and row is first else None
    return BestPathRow(
        **row.cell.model_dump(),
        reviews_per_s=_rate(row, first, timings),
        usual=USUAL[row.phase],
        **bounded("speedup", speedups.estimate((usual.cell, row.cell)) if usual else None),
        fastest=row is first,
        rival=rival.target if rival else None,
        rival_path=rival.path if rival else None,
        **bounded("advantage", advantages.estimate((rival.cell, row.cell)) if rival else None),
    )
