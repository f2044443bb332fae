"""Where a training step by `fit` goes: its parts as shares, for each backend."""

from __future__ import annotations

import altair as alt

from bench.report.charts import theme
from bench.report.charts.theme import Frame, Row
from bench.report.tables.speed import STEP_PARTS

# None of them is a colour of JAX or TensorFlow, in either theme.
COLOURS = dict(zip(STEP_PARTS, (theme.GREEN, theme.PURPLE, theme.GREY), strict=True))
STEP = 26


def one(rows: list[Row], title: str, frame: Frame) -> alt.LayerChart:
    """Return one recipe's chart; rows: target, part, its order, its share, milliseconds."""
    del frame  # a share has a scale by itself
    names, colours = list(COLOURS), list(COLOURS.values())
    bars = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_bar(stroke="white", strokeWidth=0.5)
        .encode(
            x=alt.X("share:Q", title="share of a step", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1])),
            y=alt.Y("target:N", title=None, sort=None),
            color=alt.Color(
                "part:N",
                title=None,
                sort=names,
                legend=alt.Legend(columns=1),
                scale=alt.Scale(domain=names, range=colours),
            ),
            order=alt.Order("order:Q"),
            tooltip=[
                "target:N",
                "part:N",
                alt.Tooltip("share:Q", format=".0%"),
                alt.Tooltip("milliseconds:Q", format=".3~s"),
            ],
        )
    )
    return alt.LayerChart(layer=[bars]).properties(
        title=theme.titled(title), width=theme.WIDTH, height=theme.height(rows, "target", STEP)
    )
