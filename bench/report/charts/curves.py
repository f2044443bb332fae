"""The curves of a training by epoch: training as dots, validation as a line, the published figures behind them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import altair as alt

from bench.records.schema import PhaseResult, TrainedModelRecord
from bench.report.charts import picture, theme
from models.recipes import Recipe

METRICS = ("loss", "accuracy")
SERIES = {"training": theme.BLUE, "validation": theme.VERMILION, "published": theme.GREY}

WIDTH, HEIGHT = 300, 220

Row = dict[str, Any]


def chart(recipe: Recipe, phases: Mapping[str, PhaseResult], *, title: str, subtitle: str = "") -> alt.VConcatChart:
    """Return the chart: a row for each phase, its loss beside its accuracy."""
    rows = [
        alt.hconcat(*(one(panel(recipe, name, phase, metric), f"{name} phase: {metric}") for metric in METRICS))
        for name, phase in phases.items()
    ]
    text = alt.TitleParams(title, subtitle=subtitle or alt.Undefined, offset=12)
    whole: alt.VConcatChart = alt.vconcat(*rows, title=text).configure(**theme.CONFIG)
    return whole


def write(recipe: Recipe, record: TrainedModelRecord, folder: Path) -> list[Path]:
    """Draw the curves of one training as ``folder``/curves.svg and curves.png, and return the files."""
    subtitle = f"{record.corpus} reviews, seed {record.seed}, {record.measured_at[:10]}"
    drawn = chart(recipe, record.phases, title=f"{record.recipe} on {record.backend}", subtitle=subtitle)
    return picture.write(drawn, folder / "curves")


def panel(recipe: Recipe, phase_name: str, phase: PhaseResult, metric: str) -> list[Row]:
    """Return the points of one panel: series, of which split, epoch, value; and whether it is a curve's or single."""
    curves = (("training", metric), ("validation", f"val_{metric}"))
    measured = [
        _row(split, split, epoch, value, joined=True)
        for split, name in curves
        for epoch, value in enumerate(phase.curves.get(name, []), start=1)
    ]
    published = [
        _row("published", split, figure.epoch or epoch, value, joined=len(figure.values) > 1)
        for split, name in curves
        for figure in recipe.published
        if (figure.phase, figure.metric) == (phase_name, name)
        for epoch, value in enumerate(figure.values, start=1)
    ]
    return measured + published


def one(rows: list[Row], title: str) -> alt.LayerChart:
    """Return one panel's chart."""
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=alt.X("epoch:Q", axis=alt.Axis(tickMinStep=1, format="d"), scale=alt.Scale(nice=False, padding=8)),
        y=alt.Y("value:Q", title=None, scale=alt.Scale(zero=False)),
        color=alt.Color("series:N", title=None, scale=alt.Scale(domain=list(SERIES), range=list(SERIES.values()))),
        tooltip=["series:N", "split:N", "epoch:Q", alt.Tooltip("value:Q", format=".4f")],
    )
    behind = alt.datum.series == "published"
    lines = base.transform_filter(behind & alt.datum.joined).mark_line(strokeDash=[4, 3])
    single = base.transform_filter(behind).mark_point(shape="diamond", size=35)
    validation = base.transform_filter(alt.datum.series == "validation").mark_line(strokeWidth=2)
    training = base.transform_filter(alt.datum.series == "training").mark_point(filled=True, size=35, opacity=1)
    return alt.LayerChart(layer=[lines, single, validation, training]).properties(
        title=alt.TitleParams(title, fontSize=12, fontWeight="normal"), width=WIDTH, height=HEIGHT
    )


def _row(series: str, split: str, epoch: int, value: float, *, joined: bool) -> Row:
    return {"series": series, "split": split, "epoch": epoch, "value": value, "joined": joined}
