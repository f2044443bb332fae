"""The charts of a run: the rows of each, panel by panel, the table of the same numbers, and a sentence."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby
from typing import TYPE_CHECKING

from bench.analysis.history import CellHistory, Point
from bench.analysis.rows import CurvesRow, RunDocument, TimingRow
from bench.records.schema import PhaseResult
from bench.report.charts import curves, dots, lines, sentences, step, verdicts
from bench.report.tables import words
from bench.report.tables.speed import step_parts
from models.recipes import RECIPES

if TYPE_CHECKING:
    import altair as alt

    from bench.report.charts.theme import Row

Draw = Callable[[list["Row"], str], "alt.LayerChart"]


@dataclass(frozen=True)
class Chart:
    """One chart: ``rows`` of all its panels, each with its recipe and the panel's title.

    sentence  what it shows, for those who do not see it
    table     the key of the table of the same numbers
    draw      makes one panel of its rows
    """

    key: str
    title: str
    sentence: str
    table: str
    rows: tuple[Row, ...]
    draw: Draw

    @property
    def panels(self) -> list[tuple[str, list[Row]]]:
        """The rows of each panel, by its title."""
        return [(title, list(rows)) for title, rows in groupby(self.rows, key=lambda row: str(row["panel"]))]


# Every chart's way to draw one panel, by key.
DRAW: dict[str, Draw] = {
    "gate_cells": verdicts.one,
    "throughput": dots.throughput,
    "step": step.one,
    "latency": dots.latency,
    "time_to_accuracy": lines.time_to_accuracy,
    "curves": curves.one,
    "history": lines.history,
}

# Charts with a line for each value of a field, and the pixels of a line: their height is that of their rows.
LINES = {
    "gate_cells": ("cell", verdicts.STEP),
    "throughput": ("path", dots.STEP),
    "latency": ("path", dots.STEP),
    "step": ("target", step.STEP),
}


def every(document: RunDocument, histories: Sequence[CellHistory]) -> list[Chart]:
    """Return the charts that have rows, in the order in which a reader wants them."""
    parts = step_parts(document)
    steps = [{**part.model_dump(), "panel": part.recipe} for part in parts]
    found = [
        _chart("gate_cells", "Verdicts", sentences.gate(document), "gate_cells", _gate(document)),
        _chart("throughput", "Training throughput", sentences.speed(document, "train"), "training", _train(document)),
        _chart("step", "Where a step's time goes", sentences.step(parts), "step", steps),
        _chart("latency", "Prediction latency", sentences.speed(document, "predict"), "prediction", _predict(document)),
        _chart(
            "time_to_accuracy",
            "Time to accuracy",
            sentences.time_to_accuracy(document),
            "time_to_accuracy",
            _time_to_accuracy(document),
        ),
        _chart("curves", "Training curves", sentences.curves(document), "accuracy", _curves(document)),
        _chart("history", "History", sentences.history(histories), "history", _histories(document, histories)),
    ]
    return [chart for chart in found if chart.rows]


def _chart(key: str, title: str, sentence: str, table: str, rows: Sequence[Row]) -> Chart:
    return Chart(key, title, sentence, table, tuple(rows), DRAW[key])


def _train(document: RunDocument) -> list[Row]:
    return [
        {"recipe": row.recipe, "panel": row.recipe, "path": row.path, "target": words.label(document, row.target)}
        | _ends(row.reviews_per_s, *_inverse(row))
        for row in document.timed("train")
        if row.reviews_per_s and row.seconds
    ]


def _inverse(row: TimingRow) -> tuple[float | None, float | None]:
    """Return the bounds of the reviews a second: the more seconds, the fewer."""
    reviews = (row.reviews_per_s or 0.0) * (row.seconds or 0.0)
    low, high = (None if not bound else reviews / bound for bound in (row.seconds_high, row.seconds_low))
    return low, high


def _predict(document: RunDocument) -> list[Row]:
    return [
        {
            "recipe": row.recipe,
            "panel": f"{row.recipe}, {words.work(row.phase, row.batch_size).removeprefix('predict ')}",
            "path": row.path,
            "target": words.label(document, row.target),
        }
        | _ends(1e3 * row.seconds, _ms(row.seconds_low), _ms(row.seconds_high))
        for row in document.timed("predict")
        if row.seconds
    ]


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else 1e3 * seconds


def _ends(value: float, low: float | None, high: float | None) -> Row:
    """Return a value with its interval, cut at a tenth and ten times: what is wider tells nothing but that."""
    return {"value": value, "low": max(low or value, value / 10), "high": min(high or value, value * 10)}


def _time_to_accuracy(document: RunDocument) -> list[Row]:
    goals = {(row.recipe, row.target, row.path): row for row in document.time_to_accuracy}
    several = len({row.path for row in document.time_to_accuracy}) > 1
    found: list[Row] = []
    for one in document.curves:
        goal = goals.get((one.recipe, one.target, one.path))
        if goal is None:
            continue
        panel = f"{one.recipe}, {goal.metric.replace('val_', 'validation ')}" + (f", {one.path}" if several else "")
        about = {"recipe": one.recipe, "panel": panel, "target": words.label(document, one.target)}
        points = zip(accumulate(one.epoch_s), one.curves.get(goal.metric, []), strict=False)
        found += [
            {**about, "epoch": epoch, "seconds": seconds, "value": value, "goal": goal.accuracy}
            for epoch, (seconds, value) in enumerate(points, start=1)
        ]
    return _in_panels(found)


def _curves(document: RunDocument) -> list[Row]:
    return [row for one in document.curves if one.recipe in RECIPES for row in _curve(document, one)]


def _curve(document: RunDocument, one: CurvesRow) -> list[Row]:
    phase = PhaseResult(
        curves={name: [math.nan if v is None else v for v in values] for name, values in one.curves.items()},
        epoch_s=one.epoch_s,
    )
    where = f"{one.recipe} on {words.label(document, one.target)}, {one.path}: {one.phase} phase"
    return [
        {"recipe": one.recipe, "panel": f"{where}, {metric}", **row}
        for metric in curves.METRICS
        for row in curves.panel(RECIPES[one.recipe], one.phase, phase, metric)
        if not math.isnan(row["value"])
    ]


def _gate(document: RunDocument) -> list[Row]:
    margin = document.margin or 0.0
    found: list[Row] = [
        {
            "recipe": row.recipe,
            "panel": f"{row.recipe}, {row.cell.operation}",
            "cell": words.label(document, row.target),
            "ratio": row.ratio,
            "low": row.ratio_low or row.ratio,
            "high": row.ratio_high or row.ratio,
            "answer": row.answer,
            "margin_from": 1 / (1 + margin),
            "margin_to": 1 + margin,
        }
        for row in document.comparisons
        if row.ratio is not None
    ]
    return _in_panels(found)


def _histories(document: RunDocument, histories: Sequence[CellHistory]) -> list[Row]:
    here = (words.machine(document), f"{document.corpus} {document.corpus_digest[:12]}")
    mine = [one for one in histories if (one.machine, one.corpus) == here and not document.is_comparison]
    return _in_panels([row for one in mine for row in _history(one)])


def _history(one: CellHistory) -> list[Row]:
    recipe, _, rest = one.cell.partition(" ")
    operation, _, target = rest.rpartition(" ")
    about = {
        "recipe": recipe,
        "panel": f"{recipe}, {operation}",
        "target": target.removesuffix("-cpu"),
        "operation": operation,
    }
    return [{**about, **_point(point), "changed": index in one.changes} for index, point in enumerate(one.points)]


def _point(point: Point) -> Row:
    return {
        "run": point.started_at[5:16].replace("T", " "),
        "commit": point.commit[:10],
        "share": point.floor_share,
        "low": point.low or point.floor_share,
        "high": min(point.high or point.floor_share, 2.0),
    }


def _in_panels(rows: Sequence[Row]) -> list[Row]:
    """Return ``rows`` panel by panel, in the order in which panels begin."""
    order = {panel: index for index, panel in enumerate(dict.fromkeys(row["panel"] for row in rows))}
    return sorted(rows, key=lambda row: order[row["panel"]])
