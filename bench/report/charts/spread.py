"""The spread of variations over seeds: a dot for each seed, a tick for their mean, the base as a line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from bench.report.charts import theme
from bench.runner.training.sweep import Row, label

WIDTH, ROW_HEIGHT = 420, 26
COLOURS = {
    "better": theme.GREEN,
    "worse": theme.PURPLE,
    "no difference seen": theme.GREY,
    "too few seeds": theme.GREY,
}


def chart(rows: Sequence[Row], *, title: str, subtitle: str = "") -> alt.LayerChart:
    """Return the chart of one backend's rows, the base first; test accuracy along the horizontal."""
    base = rows[0]
    points = [
        {"variation": label(row, base), "accuracy": value, "mean": row.mean, "difference": row.answer or "the base"}
        for row in rows
        for value in row.accuracies
    ]
    kinds = list(dict.fromkeys(row.answer or "the base" for row in rows))
    colour = alt.Color(
        "difference:N",
        title=None,
        scale=alt.Scale(domain=kinds, range=[COLOURS.get(kind, theme.BLUE) for kind in kinds]),
    )
    whole = alt.Chart(alt.InlineData(values=points)).encode(
        y=alt.Y("variation:N", title=None, sort=[label(row, base) for row in rows], axis=alt.Axis(labelLimit=320)),
        color=colour,
        tooltip=["variation:N", alt.Tooltip("accuracy:Q", format=".4f"), alt.Tooltip("mean:Q", format=".4f")],
    )
    along: dict[str, Any] = {"title": "test accuracy, a dot for each seed", "scale": alt.Scale(zero=False, padding=12)}
    dots = whole.mark_point(filled=True, size=45, opacity=0.75).encode(x=alt.X("accuracy:Q", **along))
    means = whole.mark_tick(thickness=3, size=18).encode(x="mean:Q")
    line = alt.Chart(alt.InlineData(values=[{"base": base.mean}])).mark_rule(strokeDash=[4, 3], color=theme.GREY)
    text = alt.TitleParams(title, subtitle=subtitle or alt.Undefined, offset=10)
    layers = alt.LayerChart(layer=[line.encode(x="base:Q"), dots, means], title=text)
    found: alt.LayerChart = layers.properties(width=WIDTH, height=ROW_HEIGHT * len(rows)).configure(**theme.CONFIG)
    return found
