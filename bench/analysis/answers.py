"""Answers: how many times as fast one target is as another, as users call Keras and by the fastest path of each."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bench.analysis import best_path
from bench.analysis.best_path import Timings
from bench.analysis.rows import AnswerRow, BestPathRow, CellRow, RunDocument, TimingRow, View, once
from bench.records.schema import Cell

# The path of each phase that people call today; where a run did not time the first one, the next stands for it.
CALLED = {"train": ("fit",), "predict": ("predict", "predict_on_batch")}

Key = tuple[str, str, int, str]  # recipe, phase, batch size, target
Ends = tuple[Any, Any, Any]  # a value and the ends of its interval; None where one is not known


def find(rows: Sequence[TimingRow], best: Sequence[BestPathRow], timings: Timings) -> list[AnswerRow]:
    """Return both views of a run: ``best`` holds its fastest paths, ``rows`` and ``timings`` every cell."""
    order = once(row.target for row in rows)
    called = best_path.find(_called(rows), timings)
    return [*_rivals("as called", called, order), *_rivals("best", best, order)]


def of_document(document: RunDocument) -> list[AnswerRow]:
    """Return the answers of a document that was published without any.

    Its fastest paths hold one view. The other one follows from those and from shares of the floor. Each factor is
    paired; their intervals add up as if they were independent.
    """
    order = once(row.target for row in document.timings)
    best = _rivals("best", document.best_paths, order)
    called = {_key(row, row.target): row for row in _called(document.timings)}
    every = {row.cell: row for row in document.timings}
    chained = [_chained(row, called, every) for row in best]
    return [*(row for row in chained if row is not None), *best]


def faster(row: AnswerRow) -> AnswerRow:
    """Return ``row`` with the faster target first, so that its ratio is not below one."""
    return row if row.ratio >= 1 else _swapped(row)


def _called(rows: Sequence[TimingRow]) -> list[TimingRow]:
    """Return the rows of the path that people call, of each piece of work."""
    timed = {(row.recipe, row.phase, row.batch_size, row.path) for row in rows}

    def is_called(row: TimingRow) -> bool:
        names = CALLED.get(row.phase, ())
        known = [name for name in names if (row.recipe, row.phase, row.batch_size, name) in timed]
        return row.path in known[:1]

    return [row for row in rows if is_called(row)]


def _rivals(view: View, best: Iterable[BestPathRow], order: Sequence[str]) -> list[AnswerRow]:
    """Return one answer for each piece of work that has a rival, with the first of the two targets first."""
    found = [_answer(view, row) for row in best if row.rival is not None and row.advantage is not None]
    place = {target: index for index, target in enumerate(order)}
    return [_swapped(row) if place.get(row.rival, len(place)) < place.get(row.target, 0) else row for row in found]


def _answer(view: View, row: BestPathRow) -> AnswerRow:
    return AnswerRow(
        **row.cell.model_dump(),
        view=view,
        rival=row.rival or "",
        rival_path=row.rival_path or "",
        **_fields((row.advantage or 0.0, row.advantage_low, row.advantage_high)),
    )


def _swapped(row: AnswerRow) -> AnswerRow:
    targets = {"target": row.rival, "path": row.rival_path, "rival": row.target, "rival_path": row.path}
    ends = (row.ratio_high, row.ratio_low)
    low, high = (1 / end if end else None for end in ends)
    return row.model_copy(update=targets | _fields((1 / row.ratio, low, high)))


def _fields(ratio: Ends) -> dict[str, Any]:
    return dict(zip(("ratio", "ratio_low", "ratio_high"), ratio, strict=True))


def _chained(best: AnswerRow, called: Mapping[Key, TimingRow], every: Mapping[Cell, TimingRow]) -> AnswerRow | None:
    """Return the answer by the paths that people call, from the one by the fastest paths; None without one."""
    mine, rival = (called.get(_key(best, target)) for target in (best.target, best.rival))
    fastest = every.get(best.cell)
    rival_fastest = every.get(best.cell.model_copy(update={"target": best.rival, "path": best.rival_path}))
    if mine is None or rival is None or fastest is None or rival_fastest is None:
        return None
    factors = [(1, _ends(best, "ratio")), *_slower(rival, rival_fastest, 1), *_slower(mine, fastest, -1)]
    if any(not value for _, (value, _, _) in factors):
        return None
    paths = {"view": "as called", "path": mine.path, "rival_path": rival.path, "derived": True}
    return best.model_copy(update=paths | _fields(_product(factors)))


def _key(row: CellRow, target: str) -> Key:
    return row.recipe, row.phase, row.batch_size, target


def _slower(row: TimingRow, best: TimingRow, sign: int) -> list[tuple[int, Ends]]:
    """Return the factors of the seconds of ``row`` over those of ``best``: shares of the floor, with their powers."""
    return [] if row is best else [(sign, _ends(best, "floor_share")), (-sign, _ends(row, "floor_share"))]


def _ends(row: CellRow, name: str) -> Ends:
    value, low, high = (getattr(row, f"{name}{end}") for end in ("", "_low", "_high"))
    return value, low, high


def _product(factors: Sequence[tuple[int, Ends]]) -> Ends:
    """Return the product of independent factors to their powers, with its interval."""
    centre = math.fsum(power * math.log(value) for power, (value, _, _) in factors)
    if any(low is None or high is None for _, (_, low, high) in factors):
        return math.exp(centre), None, None
    half = math.hypot(*(math.log(high / low) / 2 for _, (_, low, high) in factors))
    return math.exp(centre), math.exp(centre - half), math.exp(centre + half)
