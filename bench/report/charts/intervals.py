"""Intervals in charts: a line from end to end, and an arrow where it goes on beyond what is drawn."""

from __future__ import annotations

from typing import Any

import altair as alt

from bench.report.charts.theme import Row

# A longer interval says nothing but that, and would press everything else together.
WIDEST = 10.0

NOTE = "An arrow at the end of a line: the interval goes on."


def ends(value: float, low: float | None, high: float | None, *, widest: float = WIDEST) -> Row:
    """Return the ends that are drawn, and which of them are cut.

    An end that is not known is one without limit where the other is known; without both there is no interval.
    """
    if low is None and high is None:
        return {"low": value, "high": value, "cut_low": False, "cut_high": False}
    bottom, top = value / widest, value * widest
    found = {"low": max(low or 0.0, bottom), "high": top if high is None else min(high, top)}
    return {**found, "cut_low": (low or 0.0) < bottom, "cut_high": high is None or high > top}


def cut(row: Row) -> bool:
    """Whether an end of a row's interval is drawn as an arrow."""
    return bool(row.get("cut_low") or row.get("cut_high"))


def layers(base: alt.Chart, *, width: float = 2.5, opacity: float = 1.0, **scale: Any) -> list[alt.Chart]:
    """Return the marks of horizontal intervals; ``base`` has the rows and their place from top to bottom."""
    line = base.mark_rule(strokeWidth=width, opacity=opacity).encode(x=alt.X("low:Q", **scale), x2="high:Q")
    return [line, *(_arrow(base, end, f"triangle-{side}", **scale) for end, side in SIDES.items())]


SIDES = {"low": "left", "high": "right"}


def vertical(base: alt.Chart, *, width: float = 2.0, opacity: float = 1.0, **scale: Any) -> list[alt.Chart]:
    """Return the marks of upright intervals; ``base`` has the rows and their place from left to right."""
    line = base.mark_rule(strokeWidth=width, opacity=opacity).encode(y=alt.Y("low:Q", **scale), y2="high:Q")
    arrow = base.transform_filter("datum.cut_high").mark_point(shape="triangle-up", filled=True, size=45, opacity=1)
    return [line, arrow.encode(y=alt.Y("high:Q", **scale))]


def _arrow(base: alt.Chart, end: str, shape: str, **scale: Any) -> alt.Chart:
    cut_here = base.transform_filter(f"datum.cut_{end}")
    marked: alt.Chart = cut_here.mark_point(shape=shape, filled=True, size=60, opacity=1)
    return marked.encode(x=alt.X(f"{end}:Q", **scale))
