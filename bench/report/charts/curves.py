"""The curves of a training by epoch: training as dots, validation as a line, the published figures behind them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import altair as alt

from bench.records.schema import PhaseResult, TrainedModelRecord
from bench.report.charts import picture, theme
from bench.report.charts.theme import TEMPLATE, Frame, Row
from models.recipes import Recipe

METRICS = ("loss", "accuracy")
PUBLISHED = "published"

WIDTH, HEIGHT = 300, 220


def chart(
    recipe: Recipe, phases: Mapping[str, PhaseResult], *, target: str, title: str, subtitle: str = ""
) -> alt.VConcatChart:
    """Return the chart of one target: a row for each phase, its loss beside its accuracy."""
    rows = [
        alt.hconcat(*(_of_phase(recipe, name, {target: phase}, metric) for metric in METRICS))
        for name, phase in phases.items()
    ]
    text = alt.TitleParams(title, subtitle=subtitle or alt.Undefined, offset=12)
    whole: alt.VConcatChart = alt.vconcat(*rows, title=text).configure(**theme.CONFIG)
    return whole


def write(recipe: Recipe, record: TrainedModelRecord, folder: Path) -> list[Path]:
    """Draw the curves of one training as ``folder``/curves.svg and curves.png, and return the files."""
    subtitle = f"{record.corpus} reviews, seed {record.seed}, {record.measured_at[:10]}"
    title = f"{record.recipe} on {record.backend}"
    drawn = chart(recipe, record.phases, target=record.backend, title=title, subtitle=subtitle)
    return picture.write(drawn, folder / "curves")


def panel(recipe: Recipe | None, phase_name: str, phases: Mapping[str, PhaseResult], metric: str) -> list[Row]:
    """Return the points of one panel, of each target's phase: target, series, of which split, epoch, value.

    ``joined`` says whether a point is a curve's or a single figure. Nothing published is beside a recipe that this
    version does not know.
    """
    curves = (("training", metric), ("validation", f"val_{metric}"))
    measured = [
        _row(target, split, split, epoch, value, joined=True)
        for target, phase in phases.items()
        for split, name in curves
        for epoch, value in enumerate(phase.curves.get(name, []), start=1)
    ]
    published = [
        _row(PUBLISHED, PUBLISHED, split, figure.epoch or epoch, value, joined=len(figure.values) > 1)
        for split, name in curves
        for figure in (recipe.published if recipe else ())
        if (figure.phase, figure.metric) == (phase_name, name)
        for epoch, value in enumerate(figure.values, start=1)
    ]
    return [{"metric": metric, **row} for row in measured + published]


def one(rows: list[Row], title: str, frame: Frame = TEMPLATE) -> alt.LayerChart:
    """Return one panel's chart; two losses have scales of their own."""
    named = f"{rows[0]['metric'] if rows else frame.axis}; line: validation"
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=alt.X("epoch:Q", axis=alt.Axis(tickMinStep=1, format="d"), scale=alt.Scale(nice=False, padding=8)),
        y=alt.Y("value:Q", title=named, scale=alt.Scale(zero=False)),
        color=theme.by_target(rows),
        tooltip=["target:N", "series:N", "split:N", "epoch:Q", alt.Tooltip("value:Q", format=".4f")],
    )
    behind = alt.datum.series == PUBLISHED
    lines = base.transform_filter(behind & alt.datum.joined).mark_line(strokeDash=[4, 3])
    single = base.transform_filter(behind).mark_point(shape="diamond", size=35)
    validation = base.transform_filter(alt.datum.series == "validation").mark_line(strokeWidth=2)
    training = base.transform_filter(alt.datum.series == "training").mark_point(filled=True, size=30, opacity=0.8)
    return alt.LayerChart(layer=[lines, single, validation, training]).properties(
        title=theme.titled(title), width=WIDTH, height=HEIGHT
    )


def _of_phase(recipe: Recipe, name: str, phases: Mapping[str, PhaseResult], metric: str) -> alt.LayerChart:
    return one(panel(recipe, name, phases, metric), f"{name} phase: {metric}")


def _row(target: str, series: str, split: str, epoch: int, value: float, *, joined: bool) -> Row:
    return {"target": target, "series": series, "split": split, "epoch": epoch, "value": value, "joined": joined}
