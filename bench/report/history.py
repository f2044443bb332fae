"""The report of the published history: cells with their courses, and one cell's course as a table and a chart."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import plotext
from rich.console import Group, RenderableType
from rich.text import Text

from bench.analysis.history import Course
from bench.report.numbers import MISSING, share
from bench.report.table import Column, section

CHANGE = "◆"
CHART_ROWS = 12


def overview(courses: Sequence[Course]) -> RenderableType:
    """Return one row for each cell: how many runs, its share of the floor now, and when it last changed."""
    columns = [
        Column("cell", lambda course: course.cell),
        Column("machine", lambda course: course.machine, hoist=True),
        Column("corpus", lambda course: course.corpus, hoist=True),
        Column("runs", lambda course: str(len(course.shares)), number=True),
        Column("floor", lambda course: share(course.shares[-1]), number=True),
        Column("changed", lambda course: _last_change(course), number=True),
    ]
    notes = ["floor: share of the speed of the same work by hand, in the newest run; `--cell` shows a course"]
    return section("History", "published runs", columns, courses, notes, tight=True) or Text(
        "no published runs yet: `bench history --add RUN` publishes one"
    )


def course(found: Course, *, width: int, ascii_only: bool = False) -> RenderableType:
    """Return one cell's course: every run, and a chart with its changes marked."""
    columns = [
        Column("run", lambda index: found.lines[index].run_id),
        Column("commit", lambda index: found.lines[index].commit[:10]),
        Column("keras", lambda index: found.lines[index].versions.get("keras", MISSING)),
        Column("floor", lambda index: share(found.shares[index]), number=True),
        Column("", lambda index: _mark(found, index)),
    ]
    notes = [f"{CHANGE} a new level begins here (PELT on the logarithms of the shares)"] if found.changes else []
    rows = list(range(len(found.lines)))
    table = section(found.cell, f"{found.machine}, {found.corpus}", columns, rows, notes, tight=True)
    return Group(table or Text(""), Text(_chart(found, width=width, ascii_only=ascii_only)))


def _chart(found: Course, *, width: int, ascii_only: bool) -> str:
    plotext.clear_figure()
    plotext.theme("clear")
    plotext.plotsize(width, CHART_ROWS)
    marker = "o" if ascii_only else "dot"
    positions = list(range(1, len(found.shares) + 1))
    plotext.plot(positions, [100 * value for value in found.shares], marker=marker)
    for change in found.changes:
        plotext.vline(change + 1)
    plotext.title("share of the floor, %")
    plotext.xticks(positions, [line.started_at[5:10] for line in found.lines])
    return str(plotext.uncolorize(plotext.build()))


def _mark(found: Course, index: int) -> str:
    if index not in found.changes:
        return ""
    before = statistics.median(found.shares[_start(found, index) : index])
    return f"{CHANGE} from {share(before)}"


def _start(found: Course, index: int) -> int:
    """Return where the level before ``index`` began."""
    return max((change for change in found.changes if change < index), default=0)


def _last_change(found: Course) -> str:
    return found.lines[found.changes[-1]].started_at[:10] if found.changes else MISSING
