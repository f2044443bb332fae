"""The verdicts of a comparison: each cell's ratio to its base with its interval, and the margin."""

from __future__ import annotations

from typing import Any

import altair as alt

from bench.report.charts import intervals, theme
from bench.report.charts.theme import Frame, Row

# No backend has these colours, and each verdict has a shape of its own.
COLOURS = {"slower": theme.PURPLE, "faster": theme.GREEN, "same": theme.BLACK, "unresolved": theme.GREY}
SHAPES = ["square", "diamond", "circle", "cross"]
ANSWER: dict[str, Any] = {"shorthand": "answer:N", "title": None, "legend": alt.Legend(columns=2)}
STEP = 24


def one(rows: list[Row], title: str, frame: Frame) -> alt.LayerChart:
    """Return the chart of one operation; rows: cell, ratio, its interval, answer, from and to of the margin."""
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        color=alt.Color(scale=alt.Scale(domain=list(COLOURS), range=list(COLOURS.values())), **ANSWER),
        y=alt.Y("cell:N", sort=None, title=None, axis=alt.Axis(labelLimit=170, grid=False)),
        tooltip=["cell:N", "answer:N", *[alt.Tooltip(f"{end}:Q", format=".3f") for end in ("ratio", "low", "high")]],
    )
    scale = alt.Scale(type="log", domain=frame.domain, nice=False, padding=12)
    margin = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_rect(color=theme.GREY, opacity=0.18)
        .encode(x=alt.X("min(margin_from):Q", scale=scale), x2="max(margin_to):Q")
    )
    x = alt.X(
        "ratio:Q",
        title="seconds ÷ the base's; shaded: same",
        scale=scale,
        axis=alt.Axis(format=".2f", titleAnchor="end"),
    )
    shape = alt.Shape(scale=alt.Scale(domain=list(COLOURS), range=SHAPES), **ANSWER)
    dots = base.mark_point(filled=True, size=70, opacity=1).encode(x=x, shape=shape)
    return alt.LayerChart(layer=[margin, *intervals.layers(base, scale=scale), dots]).properties(
        title=theme.titled(title), width=theme.WIDTH, height=theme.height(rows, "cell", STEP)
    )
