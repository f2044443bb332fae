"""The tables of a published run in the order in which a reader wants them; those of a comparison, and the history's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from bench.report.page import quality, speed
from bench.report.page.rows import Published
from bench.report.page.table import RECIPE, Column, Table, Value, field, interval, target_column


def every(published: Published) -> list[Table]:
    """Return the tables that have rows, in the order in which a reader wants them."""
    found = [make(published) for make in _ORDER]
    return [table for table in found if table.items]


def course(rows: Sequence[dict[str, Any]]) -> Table:
    """Return the table of the history's chart: every published run of every cell."""
    columns = (
        RECIPE,
        field("operation", "operation"),
        field("target", "backend"),
        field("run", "run"),
        field("commit", "commit"),
        field("share", "floor", "percent"),
        Column("change", "change", "text", lambda row: "a new level begins" if row["changed"] else None),
    )
    return Table("course", "History", "each cell's share of its floor, run by run", columns, tuple(rows))


def _verdicts(published: Published) -> Table:
    columns = (
        RECIPE,
        field("operation", "operation"),
        target_column(published, "target"),
        field("ratio", "seconds × base", "significant"),
        Column("interval", "95 % interval", "text", lambda row: interval(row.low, row.high)),
        field("smallest", "sees", "significant"),
        field("answer", "answer"),
        Column("standing", "standing", "text", _standing),
        field("reason", "reason"),
    )
    notes = ("sees: the smallest ratio that would have been called slower 9 times in 10",)
    caption = "seconds over those of the base, in turns; one answer for each cell"
    return Table("verdicts", "Verdicts", caption, columns, tuple(published.verdicts), notes)


def _standing(row: Any) -> Value:
    if row.control is not None:
        return f"control: {row.control}, {'held' if row.held else 'FAILED'}"
    return "decides" if row.decides else "beside"


def _counts(published: Published) -> Table:
    columns = (
        field("cell", "cell"),
        field("counter", "counter"),
        field("before", "base", "count"),
        field("after", "now", "count"),
    )
    return Table("counts", "Exact counters that differ", "", columns, tuple(published.counts))


def _failures(published: Published) -> Table:
    columns = (RECIPE, field("target", "target"), field("work", "work"), field("reason", "reason"))
    return Table("failures", "Not measured", "work that gave no answer", columns, tuple(published.failures))


_ORDER: Sequence[Callable[[Published], Table]] = (
    _failures,
    speed.best,
    _verdicts,
    _counts,
    quality.accuracy,
    quality.parity,
    quality.serving,
    quality.peers,
    speed.training,
    speed.step,
    quality.reached,
    speed.prediction,
    speed.vectorization,
    speed.startup,
    speed.hardware,
)
