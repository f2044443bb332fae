"""Lines over time: accuracy over the seconds of a training, and a cell's share of its floor over published runs."""

from __future__ import annotations

import altair as alt

from bench.report.charts import intervals, theme
from bench.report.charts.theme import Frame, Row

ACCURACY_HEIGHT, HISTORY_HEIGHT = 200, 150


def time_to_accuracy(rows: list[Row], title: str, frame: Frame) -> alt.LayerChart:
    """Return one recipe's chart; rows: target, path, epoch, seconds since training began, value, goal."""
    named = rows[0]["metric"] if rows else frame.axis  # seconds of two recipes do not compare
    base = alt.Chart(alt.InlineData(values=rows))
    curve = base.encode(
        x=alt.X("seconds:Q", title="seconds of training", scale=alt.Scale(zero=True)),
        y=alt.Y("value:Q", title=named, scale=alt.Scale(zero=False)),
        color=theme.by_target(rows),
        tooltip=[
            "target:N",
            "path:N",
            "epoch:Q",
            alt.Tooltip("seconds:Q", format=".3~s"),
            alt.Tooltip("value:Q", format=".4f"),
        ],
    )
    goal = base.transform_aggregate(goal="max(goal)").mark_rule(strokeDash=[4, 3], color=theme.GREY)
    line = curve.mark_line(strokeWidth=1.5).encode(strokeDash=alt.StrokeDash("path:N", title=None, sort=None))
    points = curve.mark_point(filled=True, size=30)
    return _sized([goal.encode(y=alt.Y("goal:Q")), line, points], title, ACCURACY_HEIGHT)


def history(rows: list[Row], title: str, frame: Frame) -> alt.LayerChart:
    """Return one operation's chart over every target; rows: run, target, share, its interval, changed.

    Runs stand in the order of their moments, which is that of their names: each layer has its own rows, and the first
    one that lacks a run would else put it last.
    """
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=alt.X(
            "run:O",
            title="published run, by its day",
            sort="ascending",
            axis=alt.Axis(labelAngle=0, labelOverlap=True, labelExpr="slice(datum.label, 5, 10)"),
        ),
        color=theme.by_target(rows),
        tooltip=["run:O", "commit:N", "target:N", alt.Tooltip("share:Q", format=".0%")],
    )
    del frame  # each cell is compared with its own past
    scale = alt.Scale(zero=True)
    y = alt.Y("share:Q", title="share of the floor's speed", axis=alt.Axis(format="%", tickCount=4), scale=scale)
    changes = base.transform_filter("datum.changed").mark_rule(strokeDash=[2, 2], strokeWidth=2)
    line = base.mark_line(point=alt.OverlayMarkDef(size=45)).encode(y=y)
    return _sized([line, *intervals.vertical(base, opacity=0.4, scale=scale), changes], title, HISTORY_HEIGHT)


def _sized(layers: list[alt.Chart], title: str, height: int) -> alt.LayerChart:
    chart = alt.LayerChart(layer=layers)
    return chart.properties(title=theme.titled(title), width=theme.WIDTH, height=height)
