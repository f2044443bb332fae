"""The accuracy over the seconds of training, with the accuracy that is to be reached; it measures nothing."""

from __future__ import annotations

import altair as alt

from bench.report.charts import theme
from bench.report.charts.theme import Row

HEIGHT = 200


def one(rows: list[Row], title: str) -> alt.LayerChart:
    """Return one recipe's chart; rows: target, epoch, seconds since training began, value, goal."""
    base = alt.Chart(alt.InlineData(values=rows))
    curve = base.encode(
        x=alt.X("seconds:Q", title="seconds of training", scale=alt.Scale(zero=True)),
        y=alt.Y("value:Q", title=None, scale=alt.Scale(zero=False)),
        color=theme.by_target(rows),
        tooltip=[
            "target:N",
            "epoch:Q",
            alt.Tooltip("seconds:Q", format=".3~s"),
            alt.Tooltip("value:Q", format=".4f"),
        ],
    )
    goal = base.mark_rule(strokeDash=[4, 3], color=theme.GREY).encode(y=alt.Y("goal:Q"))
    return alt.LayerChart(
        layer=[goal, curve.mark_line(strokeWidth=1.5), curve.mark_point(filled=True, size=30)]
    ).properties(title=theme.titled(title), width=theme.WIDTH, height=HEIGHT)
