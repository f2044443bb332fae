"""The tables of scaling curves: each value, and how cost grows over all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.analysis.machine.curves import GAIN, Curve, CurvePoint
from bench.report.tables.columns import SPREAD, Column, Table, milliseconds, share, spread, table

EXPONENT = (
    "exponent: b of seconds = a × value^b over all values, 0 where cost does not grow and 1 where it grows in "
    "proportion; its interval is over processes"
)
GAINED = f"gained until: the smallest value within {share(GAIN)} of the most reviews a second"


@dataclass(frozen=True)
class _Row:
    curve: Curve
    point: CurvePoint


def exponents(found: Sequence[Curve]) -> Table:
    """Return a row for each curve."""
    columns = (
        Column("setting", "over", merge=True),
        Column("work", "work", value=lambda row: row.phase, merge=True),
        Column("path", "path", merge=True),
        Column("backend", "backend"),
        Column("exponent", "exponent", value=_exponent, note=EXPONENT),
        Column("gained_until", "gained until", "count", note=GAINED),
    )
    return table("exponents", "How cost grows", _caption(found), columns, _ordered(found))


def points(found: Sequence[Curve]) -> Table:
    """Return a row for each value of each curve."""
    columns = (
        Column("setting", "over", value=lambda row: row.curve.setting, merge=True),
        Column("work", "work", value=lambda row: row.curve.phase, merge=True),
        Column("path", "path", value=lambda row: row.curve.path, merge=True),
        Column("backend", "backend", value=lambda row: row.curve.backend, merge=True),
        Column("value", "value", "count", value=lambda row: row.point.value),
        Column("seconds", "ms", value=lambda row: milliseconds(row.point.seconds.value)),
        Column("spread", "±", value=_spread, note=SPREAD),
        Column("reviews_per_s", "reviews/s", "count", value=lambda row: row.point.reviews_per_s),
    )
    rows = [_Row(curve, point) for curve in _ordered(found) for point in curve.points]
    return table("curves", "Scaling curves", _caption(found), columns, rows)


def _ordered(found: Sequence[Curve]) -> list[Curve]:
    return sorted(found, key=lambda curve: (curve.setting, curve.phase != "train", curve.path, curve.backend))


def _caption(found: Sequence[Curve]) -> str:
    return f"{found[0].recipe}, seconds of a step or a call" if found else ""


def _exponent(curve: Curve) -> str | None:
    one = curve.exponent
    return None if one is None else f"{one.value:.2f} ({one.low:.2f} to {one.high:.2f})"


def _spread(row: _Row) -> str:
    seconds = row.point.seconds
    return spread(seconds.value, seconds.low, seconds.high)
