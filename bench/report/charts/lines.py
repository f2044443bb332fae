"""Lines over time: accuracy over the seconds of a training, and a cell's share of its floor over published runs."""

from __future__ import annotations

import altair as alt

from bench.report.charts import theme
from bench.report.charts.theme import Row

ACCURACY_HEIGHT, HISTORY_HEIGHT = 200, 150


def time_to_accuracy(rows: list[Row], title: str) -> alt.LayerChart:
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
    layers = [goal, curve.mark_line(strokeWidth=1.5), curve.mark_point(filled=True, size=30)]
    return _sized(layers, title, ACCURACY_HEIGHT)


def history(rows: list[Row], title: str) -> alt.LayerChart:
    """Return one operation's chart over every target; rows: run, target, share, low, high, changed."""
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=alt.X("run:O", title=None, sort=None, axis=alt.Axis(labelAngle=0, labelOverlap=True)),
        color=theme.by_target(rows),
        tooltip=["run:O", "commit:N", "target:N", alt.Tooltip("share:Q", format=".0%")],
    )
    y = alt.Y("share:Q", title="of the floor", axis=alt.Axis(format="%", tickCount=4), scale=alt.Scale(zero=True))
    changes = base.transform_filter("datum.changed").mark_rule(strokeDash=[2, 2], strokeWidth=2)
    ends = base.mark_rule(opacity=0.4, strokeWidth=2).encode(y=alt.Y("low:Q"), y2="high:Q")
    line = base.mark_line(point=alt.OverlayMarkDef(size=45), clip=True).encode(y=y)
    return _sized([changes, ends, line], title, HISTORY_HEIGHT)


def _sized(layers: list[alt.Chart], title: str, height: int) -> alt.LayerChart:
    chart = alt.LayerChart(layer=layers)
    return chart.properties(title=theme.titled(title), width=theme.WIDTH, height=height)
