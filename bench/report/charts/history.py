"""The course of a cell over published runs: its share of the floor, with the runs where a new level begins."""

from __future__ import annotations

import altair as alt

from bench.report.charts import theme
from bench.report.charts.theme import Row

HEIGHT = 150


def one(rows: list[Row], title: str) -> alt.LayerChart:
    """Return one cell's chart over every target; rows: run, target, share, low, high, changed."""
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=alt.X("run:O", title=None, sort=None, axis=alt.Axis(labelAngle=0, labelOverlap=True)),
        color=theme.by_target(rows),
        tooltip=["run:O", "commit:N", "target:N", alt.Tooltip("share:Q", format=".0%")],
    )
    y = alt.Y("share:Q", title="of the floor", axis=alt.Axis(format="%", tickCount=4), scale=alt.Scale(zero=True))
    changes = base.transform_filter("datum.changed").mark_rule(strokeDash=[2, 2], strokeWidth=2)
    ends = base.mark_rule(opacity=0.4, strokeWidth=2).encode(y=alt.Y("low:Q"), y2="high:Q")
    line = base.mark_line(point=alt.OverlayMarkDef(size=45), clip=True).encode(y=y)
    return alt.LayerChart(layer=[changes, ends, line]).properties(
        title=theme.titled(title), width=theme.WIDTH, height=HEIGHT
    )
