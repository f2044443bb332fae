"""Dots with intervals by path and target on a logarithmic scale, the floors as dashed lines."""

from __future__ import annotations

import altair as alt

from bench.plan.paths import FLOOR
from bench.report.charts import intervals, theme
from bench.report.charts.theme import Frame, Row

STEP = 34  # pixels of a path: two backends and air


def throughput(rows: list[Row], title: str, frame: Frame) -> alt.LayerChart:
    """Return the chart of one recipe's training by path and backend."""
    return _dots(rows, title, frame, axis="reviews a second; dashed: the floor", numbers="~s")


def latency(rows: list[Row], title: str, frame: Frame) -> alt.LayerChart:
    """Return the chart of one recipe's prediction at one batch size, by path and backend."""
    return _dots(rows, title, frame, axis="ms a call, the median; dashed: the floor", numbers="~g")


def _dots(rows: list[Row], title: str, frame: Frame, *, axis: str, numbers: str) -> alt.LayerChart:
    """Return the chart of ``rows``: path, target, value and the ends of its interval.

    ``axis`` says what they are, with the unit; ``numbers`` is the axis's format.
    """
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        color=theme.by_target(rows),
        tooltip=[
            "target:N",
            "path:N",
            *[alt.Tooltip(f"{end}:Q", format=f".3{numbers}") for end in ("value", "low", "high")],
        ],
    )
    scale = alt.Scale(type="log", domain=frame.domain, nice=False, padding=12)
    driven = base.transform_filter(f"datum.path != '{FLOOR}'").encode(
        y=alt.Y("path:N", sort=None, title=None, axis=alt.Axis(labelLimit=160, grid=False)),
        yOffset=alt.YOffset("target:N", scale=alt.Scale(paddingInner=0.4)),
    )
    floors = base.transform_filter(alt.datum.path == FLOOR).mark_rule(strokeDash=[4, 3], strokeWidth=1.5)
    ends = intervals.layers(driven, opacity=0.55, scale=scale)
    dots = driven.mark_point(filled=True, size=70, opacity=1)
    x = alt.X("value:Q", title=axis, scale=scale, axis=theme.ratios(format=numbers))
    return alt.LayerChart(layer=[floors.encode(x=x), *ends, dots.encode(x=x)]).properties(
        title=theme.titled(title),
        width=theme.WIDTH,
        height=theme.height([row for row in rows if row["path"] != FLOOR], "path", STEP),
    )
