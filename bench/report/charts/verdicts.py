"""The verdicts of a comparison: each cell's ratio to its base with its interval, and the margin."""

from __future__ import annotations

import altair as alt

from bench.report.charts import theme
from bench.report.charts.theme import Row

COLOURS = {"slower": theme.VERMILION, "faster": theme.GREEN, "same": theme.BLUE, "unresolved": theme.GREY}
STEP = 24


def one(rows: list[Row], title: str) -> alt.LayerChart:
    """Return the chart of one operation; rows: cell, ratio, low, high, answer, from and to of the margin."""
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        color=alt.Color(
            "answer:N",
            title=None,
            legend=alt.Legend(columns=2),
            scale=alt.Scale(domain=list(COLOURS), range=list(COLOURS.values())),
        ),
        tooltip=["cell:N", "answer:N", *[alt.Tooltip(f"{end}:Q", format=".3f") for end in ("ratio", "low", "high")]],
    )
    scale = alt.Scale(type="log", nice=False, padding=12)
    y = alt.Y("cell:N", sort=None, title=None, axis=alt.Axis(labelLimit=170, grid=False))
    margin = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_rect(color=theme.GREY, opacity=0.18)
        .encode(x=alt.X("min(margin_from):Q", scale=scale), x2="max(margin_to):Q")
    )
    ends = base.mark_rule(strokeWidth=2.5).encode(x=alt.X("low:Q", scale=scale), x2="high:Q", y=y)
    x = alt.X("ratio:Q", title="× base; shaded: same", scale=scale, axis=alt.Axis(format=".2f"))
    dots = base.mark_point(filled=True, size=70, opacity=1).encode(x=x, y=y)
    return alt.LayerChart(layer=[margin, ends, dots]).properties(
        title=theme.titled(title), width=theme.WIDTH, height=theme.height(rows, "cell", STEP)
    )
