"""Scaling curves as charts: the seconds of a review over the values of a setting, both on logarithmic scales."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt

from bench.analysis.machine.curves import Curve
from bench.analysis.rows import once
from bench.report.charts import intervals, theme
from bench.report.charts.theme import Row

HEIGHT = 200


def chart(found: Sequence[Curve], subtitle: str) -> alt.ConcatChart:
    """Return a panel for each setting and phase."""
    wanted = once((curve.setting, curve.phase) for curve in found)
    panels = [_panel([c for c in found if (c.setting, c.phase) == one], f"{one[1]} over {one[0]}") for one in wanted]
    return theme.sheet(panels, f"{found[0].recipe}: how the cost of a review grows", subtitle)


def _panel(found: Sequence[Curve], title: str) -> alt.LayerChart:
    rows = [row for curve in found for row in _rows(curve)]
    x, y = alt.Scale(type="log", nice=False, padding=8), alt.Scale(type="log", nice=False, padding=8)
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=alt.X("value:Q", title=found[0].setting, scale=x, axis=theme.ratios(format="~s")),
        color=theme.by_target(rows),
        tooltip=["target:N", "path:N", "value:Q", alt.Tooltip("microseconds:Q", format=".3~s")],
    )
    cost = alt.Y("microseconds:Q", title="µs a review", scale=y, axis=theme.ratios(format="~s"))
    line = base.mark_line(strokeWidth=1.5).encode(y=cost, strokeDash=alt.StrokeDash("path:N", title=None, sort=None))
    dots = base.mark_point(filled=True, size=30).encode(y=cost)
    layers = [line, dots, *intervals.vertical(base, opacity=0.4, scale=y)]
    return alt.LayerChart(layer=layers).properties(width=theme.WIDTH, height=HEIGHT, title=theme.titled(title))


def _rows(curve: Curve) -> list[Row]:
    found: list[Row] = []
    for point in curve.points:
        cost = point.seconds.scaled(1e6 / (point.reviews_per_s * point.seconds.value))
        ends = intervals.ends(cost.value, cost.low, cost.high)
        row = {"target": curve.backend, "path": curve.path, "value": point.value, "microseconds": cost.value}
        found.append({**row, **ends})
    return found
