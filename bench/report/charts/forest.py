"""The forest plot: how many times as fast one backend is as the other, all work on one axis, with a rule at one."""

from __future__ import annotations

import altair as alt

from bench.report.charts import intervals, theme
from bench.report.charts.theme import Frame, Row

STEP = 20
# Pixels of the longest label: both views begin at the same place, one below the other.
EXTENT = 182

# The labels of the axis are what follows the bar: a recipe stands under each kind of work.
LABEL = "split(datum.label, '|')[1]"


def one(rows: list[Row], title: str, frame: Frame) -> alt.LayerChart:
    """Return the chart of one view; rows: line, head, target (the faster one), ratio and the ends of its interval."""
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        y=alt.Y("line:N", sort=None, title=None, axis=_labels()), color=theme.by_target(rows, title="faster:")
    )
    scale = alt.Scale(type="log", domain=frame.domain, nice=False, padding=14)
    # Above the lines, so that the first ones are read without scrolling down.
    axis = theme.ratios(orient="top", format="~g", titleAnchor="end", titleLineHeight=15)
    x = alt.X("ratio:Q", title=frame.axis, scale=scale, axis=axis)
    measured = base.transform_filter("!datum.head").encode(tooltip=_tooltip())
    dots = measured.mark_point(filled=True, size=70, opacity=1).encode(x=x)
    # All lines in their order, the heads among them: the first layer gives the axis its order.
    lines = base.mark_point(opacity=0).encode(x=x, tooltip=alt.value(None))
    return alt.LayerChart(
        layer=[lines, *_equal(rows, scale), *intervals.layers(measured, scale=scale), dots]
    ).properties(title=theme.titled(title), width=theme.WIDTH, height=theme.height(rows, "line", STEP))


def _equal(rows: list[Row], scale: alt.Scale) -> list[alt.Chart]:
    """Return the rule at one, with its name below it."""
    once = alt.Chart(alt.InlineData(values=rows)).transform_aggregate(equal="min(equal)")
    at_one = once.encode(x=alt.X("equal:Q", scale=scale))
    rule = at_one.mark_rule(strokeWidth=1.5, color=theme.BLACK)
    name = at_one.mark_text(text="equal", color=theme.BLACK, fontSize=11, baseline="top", dy=3)
    return [rule, name.encode(y=alt.value("height"))]


def _labels() -> alt.Axis:
    bold = alt.condition("split(datum.label, '|')[1] == upper(split(datum.label, '|')[1])", *WEIGHTS)
    return alt.Axis(
        labelLimit=EXTENT,
        minExtent=EXTENT,
        grid=False,
        ticks=False,
        domain=False,
        labelExpr=LABEL,
        labelFontWeight=bold,
    )


WEIGHTS = (alt.value("bold"), alt.value("normal"))


def _tooltip() -> list[alt.Tooltip]:
    named = [("recipe", "recipe"), ("work", "work"), ("path", "by"), ("rival_path", "against")]
    words = [alt.Tooltip(f"{field}:N", title=title) for field, title in named]
    return [*words, *[alt.Tooltip(f"{end}:Q", format=".3~g") for end in ("ratio", "low", "high")]]
