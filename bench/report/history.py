"""The published history in a terminal: every cell, or one cell run by run with a chart."""

from __future__ import annotations

from collections.abc import Sequence

import plotext
from rich.console import Group, RenderableType
from rich.text import Text

from bench.analysis.history import CellHistory
from bench.report import terminal
from bench.report.tables import lists

CHART_ROWS = 12


def overview(found: Sequence[CellHistory]) -> RenderableType:
    """Return one row for each cell."""
    empty = "no published runs yet: `bench publish RUN` publishes one"
    return terminal.section(lists.histories(found), empty=empty) or Text()


def one(found: CellHistory, *, width: int, ascii_only: bool = False) -> RenderableType:
    """Return every run of one cell, and a chart with its changes marked."""
    table = terminal.section(lists.history(found))
    return Group(table or Text(""), Text(_chart(found, width=width, ascii_only=ascii_only)))


def _chart(found: CellHistory, *, width: int, ascii_only: bool) -> str:
    plotext.clear_figure()
    plotext.theme("clear")
    plotext.plotsize(width, CHART_ROWS)
    positions = list(range(1, len(found.points) + 1))
    shares = [100 * point.floor_share for point in found.points]
    plotext.plot(positions, shares, marker="o" if ascii_only else "dot")
    for change in found.changes:
        plotext.vline(change + 1)
    plotext.title("share of the floor, %")
    plotext.xticks(positions, [point.started_at[5:10] for point in found.points])
    return str(plotext.uncolorize(plotext.build()))
