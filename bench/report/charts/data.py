"""The charts of a run: the rows of each, panel by panel, the table of the same numbers, and a sentence."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby
from typing import TYPE_CHECKING

from bench.analysis.history import CellHistory, Point
from bench.analysis.rows import AnswerRow, CurvesRow, RunDocument, TimingRow
from bench.records.schema import PhaseResult
from bench.report.charts import curves, dots, forest, intervals, lines, sentences, step, theme, verdicts
from bench.report.charts.theme import Frame
from bench.report.tables import words
from bench.report.tables.answers import VIEWS
from bench.report.tables.machines import favoured
from bench.report.tables.speed import step_parts
from models.recipes import RECIPES

if TYPE_CHECKING:
    import altair as alt

    from bench.report.charts.theme import Row

Draw = Callable[[list["Row"], str, Frame], "alt.LayerChart"]


@dataclass(frozen=True)
class Chart:
    """One chart: ``rows`` of all its panels, each with its recipe and the panel's title.

    sentence  what it shows, for those who do not see it
    table     the key of the table of the same numbers
    axis      the title of the axis that all panels share, where their rows decide it
    """

    key: str
    title: str
    sentence: str
    table: str
    rows: tuple[Row, ...]
    axis: str = ""

    @property
    def panels(self) -> list[tuple[str, list[Row]]]:
        """The rows of each panel, by its title."""
        return [(title, list(rows)) for title, rows in groupby(self.rows, key=lambda row: str(row["panel"]))]

    @property
    def frame(self) -> Frame:
        """What all panels share, so that they compare."""
        return theme.frame(self.rows, SHARED.get(self.key, ()), self.axis)

    def draw(self, rows: list[Row], title: str) -> alt.LayerChart:
        """Return the chart of one panel."""
        return DRAW[self.key](rows, title, self.frame)


# Every chart's way to draw one panel, by key.
DRAW: dict[str, Draw] = {
    "answers": forest.one,
    "gate_cells": verdicts.one,
    "throughput": dots.throughput,
    "step": step.one,
    "latency": dots.latency,
    "time_to_accuracy": lines.time_to_accuracy,
    "curves": curves.one,
    "history": lines.history,
}

UNDECIDED = "not told apart"

# Charts with a line for each value of a field, and the pixels of a line: their height is that of their rows.
LINES = {
    "answers": ("line", forest.STEP),
    "gate_cells": ("cell", verdicts.STEP),
    "throughput": ("path", dots.STEP),
    "latency": ("path", dots.STEP),
    "step": ("target", step.STEP),
}

# The fields that share one scale over all panels of a chart; the panels of other charts do not compare.
ENDS = ("value", "low", "high")
SHARED = {
    "answers": ("equal", "ratio", "low", "high"),
    "gate_cells": ("margin_from", "margin_to", "ratio", "low", "high"),
    "throughput": ENDS,
    "latency": ENDS,
}


def every(document: RunDocument, histories: Sequence[CellHistory]) -> list[Chart]:
    """Return the charts that have rows, in the order in which a reader wants them."""
    parts, mine = step_parts(document), _of_machine(document, histories)
    runs = _in_panels([row for one in mine for row in _history(one)])
    steps = [{**part.model_dump(), "panel": part.recipe} for part in parts]
    found = [
        _answers(document),
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
        _chart("history", "History", sentences.history(mine), "history", runs),
    ]
    return [chart for chart in found if chart.rows]


def _chart(key: str, title: str, sentence: str, table: str, rows: Sequence[Row], axis: str = "") -> Chart:
    note = f" {intervals.NOTE}" if any(map(intervals.cut, rows)) else ""
    return Chart(key, title, f"{sentence}{note}", table, tuple(rows), axis)


def _answers(document: RunDocument) -> Chart:
    """Return the forest plot: a panel for each view, and for each pair of targets where a run has several."""
    pairs = list(dict.fromkeys((row.target, row.rival) for row in document.answers))
    found: list[Row] = []
    for pair in pairs:
        first, second = (words.name(document, name) for name in pair)
        about = f": {first} ÷ {second}" if len(pairs) > 1 else ""
        rows = [row for row in document.answers if (row.target, row.rival) == pair]
        for view, title in VIEWS.items():
            found += _view(document, title[:1].upper() + title[1:] + about, [row for row in rows if row.view == view])
    first, second = (words.name(document, name) for name in pairs[0]) if len(pairs) == 1 else ("first", "second")
    axis = f"speed of {first} ÷ {second}{theme.LINE_BREAK}← {second} faster · {first} faster →"
    return _chart("answers", "Which backend is faster?", sentences.answers(document), "answers", found, axis)


def _view(document: RunDocument, title: str, rows: Sequence[AnswerRow]) -> list[Row]:
    """Return the lines of one view: a head above each kind of work, and a line for each recipe."""
    works = dict.fromkeys(words.work(document, row.phase, row.batch_size) for row in rows)
    found: list[Row] = []
    for work in works:
        lines = [
            _answer(document, row, work) for row in rows if words.work(document, row.phase, row.batch_size) == work
        ]
        head = {**lines[0], "line": f"{work}|{work.upper()}", "recipe": "", "ratio": 1.0, "head": True}
        found += [{**head, "low": 1.0, "high": 1.0, "cut_low": False, "cut_high": False}, *lines]
    return [{**row, "panel": title, "view": rows[0].view, "equal": 1.0} for row in found]


def _answer(document: RunDocument, row: AnswerRow, work: str) -> Row:
    faster = favoured(row)
    return {
        "recipe": row.recipe,
        "work": work,
        "line": f"{work}|{row.recipe}",
        "target": UNDECIDED if faster is None else words.label(document, faster),
        "path": row.path,
        "rival_path": row.rival_path,
        "ratio": row.ratio,
        **intervals.ends(row.ratio, row.ratio_low, row.ratio_high),
        "head": False,
    }


def _train(document: RunDocument) -> list[Row]:
    return [
        {"recipe": row.recipe, "panel": row.recipe, "path": row.path, "target": words.label(document, row.target)}
        | _value(row.reviews_per_s, *_inverse(row))
        for row in document.timed("train")
        if row.reviews_per_s and row.seconds
    ]


def _inverse(row: TimingRow) -> tuple[float | None, float | None]:
    """Return the bounds of the reviews a second: the more seconds, the fewer."""
    reviews = (row.reviews_per_s or 0.0) * (row.seconds or 0.0)
    low, high = (None if not bound else reviews / bound for bound in (row.seconds_high, row.seconds_low))
    return low, high


def _predict(document: RunDocument) -> list[Row]:
    """Return the median call, as the table has it; its interval is that of the processes, as a share of the median."""
    return [
        {
            "recipe": row.recipe,
            "panel": f"{row.recipe}, {words.work(document, row.phase, row.batch_size).removeprefix('predict ')}",
            "path": row.path,
            "target": words.label(document, row.target),
        }
        | _value(
            1e3 * row.p50_s, *(_around(1e3 * row.p50_s, row, bound) for bound in (row.seconds_low, row.seconds_high))
        )
        for row in document.timed("predict")
        if row.p50_s
    ]


def _around(value: float, row: TimingRow, bound: float | None) -> float | None:
    """Return the end of ``value`` that lies as far from it as ``bound`` does from the seconds of ``row``."""
    return None if bound is None or not row.seconds else value * bound / row.seconds


def _value(value: float, low: float | None, high: float | None) -> Row:
    return {"value": value, **intervals.ends(value, low, high)}


def _time_to_accuracy(document: RunDocument) -> list[Row]:
    """Return every curve over its seconds, with the goal: a panel for each recipe, every backend and path in it."""
    goals = {(row.recipe, row.target, row.path): row for row in document.time_to_accuracy}
    found: list[Row] = []
    for one in document.curves:
        goal = goals.get((one.recipe, one.target, one.path))
        if goal is None:
            continue
        metric = goal.metric if goal.metric.startswith("val_") else f"training_{goal.metric}"
        about = {"recipe": one.recipe, "panel": one.recipe, "metric": words.curve(metric), "path": one.path}
        points = zip(accumulate(one.epoch_s), one.curves.get(goal.metric, []), strict=False)
        found += [
            {**about, "target": words.label(document, one.target), "epoch": epoch, "seconds": seconds}
            | {"value": value, "goal": goal.accuracy}
            for epoch, (seconds, value) in enumerate(points, start=1)
        ]
    return _in_panels(found)


def _curves(document: RunDocument) -> list[Row]:
    """Return the curves of the run: a panel for each recipe, phase, path and metric, every backend in it."""
    groups: dict[tuple[str, str, str], dict[str, PhaseResult]] = {}
    for one in document.curves:
        key = (one.recipe, one.path, one.phase)
        groups.setdefault(key, {})[words.label(document, one.target)] = _phase(one)
    return [row for key, phases in groups.items() for row in _panels(*key, phases)]


def _phase(one: CurvesRow) -> PhaseResult:
    numbers = {name: [math.nan if v is None else v for v in values] for name, values in one.curves.items()}
    return PhaseResult(curves=numbers, epoch_s=one.epoch_s)


def _panels(recipe: str, path: str, phase: str, phases: dict[str, PhaseResult]) -> list[Row]:
    return [
        {"recipe": recipe, "panel": f"{recipe} by {path}: {phase} phase, {metric}", **row}
        for metric in curves.METRICS
        for row in curves.panel(RECIPES.get(recipe), phase, phases, metric)
        if not math.isnan(row["value"])
    ]


def _gate(document: RunDocument) -> list[Row]:
    found: list[Row] = [
        {
            "recipe": row.recipe,
            "panel": f"{row.recipe}, {row.cell.operation}",
            "cell": words.label(document, row.target),
            "ratio": row.ratio,
            **intervals.ends(row.ratio, row.ratio_low, row.ratio_high),
            "answer": row.answer,
            "margin_from": 1 / (1 + (row.margin or document.margin or 0.0)),
            "margin_to": 1 + (row.margin or document.margin or 0.0),
        }
        for row in document.comparisons
        if row.ratio is not None
    ]
    return _in_panels(found)


def _of_machine(document: RunDocument, histories: Sequence[CellHistory]) -> list[CellHistory]:
    """Return the histories of the document's machine and corpus; a comparison has none."""
    here = (words.machine(document), f"{document.corpus} {document.corpus_digest[:12]}")
    return [one for one in histories if (one.machine, one.corpus) == here and not document.is_comparison]


def _history(one: CellHistory) -> list[Row]:
    about = {
        "recipe": one.of.recipe,
        "panel": f"{one.of.recipe}, {one.of.operation}",
        "target": one.of.target.removesuffix("-cpu"),
        "operation": one.of.operation,
    }
    return [{**about, **_point(point), "changed": index in one.changes} for index, point in enumerate(one.points)]


def _point(point: Point) -> Row:
    return {
        "run": point.started_at[:16].replace("T", " "),
        "commit": point.commit[:10],
        "share": point.floor_share,
        **intervals.ends(point.floor_share, point.low, point.high, widest=2.0),
    }


def _in_panels(rows: Sequence[Row]) -> list[Row]:
    """Return ``rows`` panel by panel, in the order in which panels begin."""
    order = {panel: index for index, panel in enumerate(dict.fromkeys(row["panel"] for row in rows))}
    return sorted(rows, key=lambda row: order[row["panel"]])
