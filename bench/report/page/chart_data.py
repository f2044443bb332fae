"""The charts of a published run: the rows of each, panel by panel, its table and a sentence; it draws nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby
from typing import TYPE_CHECKING

from bench.analysis.history import Course
from bench.records.schema import PhaseResult
from bench.report.charts import curves, dots, history, latency, step, throughput, time_to_accuracy, verdicts
from bench.report.page import overview, speed
from bench.report.page.rows import CurvesRow, Published, TimedRow
from bench.report.page.table import label, work
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
    "verdicts": verdicts.one,
    "throughput": throughput.one,
    "step": step.one,
    "latency": latency.one,
    "reaching": time_to_accuracy.one,
    "curves": curves.one,
    "course": history.one,
}


# Charts with a line for each value of a field, and the pixels of a line: their height is that of their rows.
LINES = {
    "verdicts": ("cell", verdicts.STEP),
    "throughput": ("path", dots.STEP),
    "latency": ("path", dots.STEP),
    "step": ("target", step.STEP),
}


def every(published: Published, courses: Sequence[Course]) -> list[Chart]:
    """Return the charts that have rows, in the order in which a reader wants them."""
    parts = speed.parts(published)
    found = [
        _drawn("verdicts", "Verdicts", _margin(published), "verdicts", _verdicts(published)),
        _drawn("throughput", "Training throughput", overview.speed(published, "train"), "training", _speed(published)),
        _drawn("step", "Where a step's time goes", overview.step(parts), "step", _parts(parts)),
        _drawn("latency", "Prediction latency", overview.speed(published, "predict"), "prediction", _calls(published)),
        _drawn("reaching", "Time to accuracy", overview.reached(published), "reached", _reaching(published)),
        _drawn("curves", "Training curves", overview.curves(published), "accuracy", _curves(published)),
        _drawn("course", "History", _changes(courses), "course", _courses(published, courses)),
    ]
    return [one for one in found if one.rows]


def _drawn(key: str, title: str, sentence: str, table: str, rows: Sequence[Row]) -> Chart:
    return Chart(key, title, sentence, table, tuple(rows), DRAW[key])


def _speed(published: Published) -> list[Row]:
    timed = [row for row in published.timed if row.phase == "train" and row.reviews_per_s and row.seconds]
    return [
        {"recipe": row.recipe, "panel": row.recipe, "path": row.path, "target": label(published, row.target)}
        | _ends(row.reviews_per_s or 0.0, *_inverse(row))
        for row in timed
    ]


def _inverse(row: TimedRow) -> tuple[float | None, float | None]:
    """Return the bounds of the reviews a second: the more seconds, the fewer."""
    reviews = (row.reviews_per_s or 0.0) * (row.seconds or 0.0)
    low, high = (None if not bound else reviews / bound for bound in (row.seconds_high, row.seconds_low))
    return low, high


def _calls(published: Published) -> list[Row]:
    timed = [row for row in published.timed if row.phase == "predict" and row.seconds]
    ms: Callable[[float | None], float | None] = lambda value: None if value is None else 1e3 * value  # noqa: E731
    return [
        {"recipe": row.recipe, "panel": f"{row.recipe}, {work(row.phase, row.batch_size).removeprefix('predict ')}"}
        | {"path": row.path, "target": label(published, row.target)}
        | _ends(1e3 * (row.seconds or 0.0), ms(row.seconds_low), ms(row.seconds_high))
        for row in timed
    ]


def _ends(value: float, low: float | None, high: float | None) -> Row:
    """Return a value with its interval, cut at a tenth and ten times: what is wider tells nothing but that."""
    return {"value": value, "low": max(low or value, value / 10), "high": min(high or value, value * 10)}


def _parts(parts: Sequence[Row]) -> list[Row]:
    return [{**row, "panel": row["recipe"]} for row in parts]


def _reaching(published: Published) -> list[Row]:
    goals = {(row.recipe, row.target, row.path): row for row in published.reached}
    several = len({row.path for row in published.reached}) > 1
    found: list[Row] = []
    for one in published.curves:
        goal = goals.get((one.recipe, one.target, one.path))
        values = one.curves.get(goal.metric, []) if goal else []
        if goal is None:
            continue
        panel = f"{one.recipe}, {goal.metric.replace('val_', 'validation ')}" + (f", {one.path}" if several else "")
        found += [
            {"recipe": one.recipe, "panel": panel, "target": label(published, one.target), "epoch": epoch}
            | {"seconds": seconds, "value": value, "goal": goal.accuracy}
            for epoch, (seconds, value) in enumerate(zip(accumulate(one.epoch_s), values, strict=False), start=1)
        ]
    return _in_panels(found)


def _curves(published: Published) -> list[Row]:
    return [row for one in published.curves if one.recipe in RECIPES for row in _one(published, one)]


def _one(published: Published, one: CurvesRow) -> list[Row]:
    phase = PhaseResult(
        curves={name: [math.nan if v is None else v for v in values] for name, values in one.curves.items()},
        epoch_s=one.epoch_s,
    )
    where = f"{one.recipe} on {label(published, one.target)}, {one.path}: {one.phase} phase"
    return [
        {"recipe": one.recipe, "panel": f"{where}, {metric}", **row}
        for metric in curves.METRICS
        for row in curves.panel(RECIPES[one.recipe], one.phase, phase, metric)
        if not math.isnan(row["value"])
    ]


def _verdicts(published: Published) -> list[Row]:
    margin = published.margin or 0.0
    found: list[Row] = [
        {"recipe": row.recipe, "panel": f"{row.recipe}, {row.operation}", "cell": label(published, row.target)}
        | {"ratio": row.ratio, "low": row.low or row.ratio, "high": row.high or row.ratio, "answer": row.answer}
        | {"margin_from": 1 / (1 + margin), "margin_to": 1 + margin}
        for row in published.verdicts
        if row.ratio is not None
    ]
    return _in_panels(found)


def _margin(published: Published) -> str:
    decided = [row for row in published.verdicts if row.decides]
    slower = sum(row.answer == "slower" for row in decided)
    return (
        f"{slower} of {len(decided)} cells that decide are slower than the base; shaded is the margin that is the same."
    )


def _courses(published: Published, courses: Sequence[Course]) -> list[Row]:
    machine = f"{published.machine.cpu}, {published.machine.processors} processors"
    corpus = f"{published.corpus} {published.corpus_digest[:12]}"
    mine = [one for one in courses if (one.machine, one.corpus) == (machine, corpus)]
    found = [row for one in mine for row in _course(one)] if not published.is_comparison else []
    return _in_panels(found)


def _course(one: Course) -> list[Row]:
    recipe, _, rest = one.cell.partition(" ")
    operation, _, target = rest.rpartition(" ")
    found: list[Row] = []
    for index, line in enumerate(one.lines):
        point = line.cells[one.cell]
        found.append(
            {"recipe": recipe, "panel": f"{recipe}, {operation}", "target": target.removesuffix("-cpu")}
            | {"operation": operation}
            | {"run": line.started_at[5:16].replace("T", " "), "commit": line.commit[:10], "share": one.shares[index]}
            | {"low": point.share_low or one.shares[index], "high": min(point.share_high or one.shares[index], 2.0)}
            | {"changed": index in one.changes}
        )
    return found


def _changes(courses: Sequence[Course]) -> str:
    changed = sum(bool(one.changes) for one in courses)
    runs = max((len(one.shares) for one in courses), default=0)
    few = " A change is looked for from four runs on." if runs < 4 else ""
    return (
        f"Each cell's share of its floor over {runs} published runs of this machine; {changed} of {len(courses)} "
        f"changed their level.{few}"
    )


def _in_panels(rows: Sequence[Row]) -> list[Row]:
    """Return ``rows`` panel by panel, in the order in which panels begin."""
    order = {panel: index for index, panel in enumerate(dict.fromkeys(row["panel"] for row in rows))}
    return sorted(rows, key=lambda row: order[row["panel"]])
