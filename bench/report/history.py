"""The published history in a terminal: every cell, or one cell run by run with a chart."""

from __future__ import annotations

from collections.abc import Sequence

import plotext
from rich.console import Group, RenderableType
from rich.text import Text

from bench import PROGRAM
from bench.analysis.history import FEWEST_RUNS, CellHistory, LeftOut
from bench.analysis.rows import once
from bench.report import terminal
from bench.report.tables import lists

CHART_ROWS = 12
NEXT = terminal.spaced(Text(f"One cell run by run: {PROGRAM} history --cell NAME", style="dim"))


def overview(found: Sequence[CellHistory], left_out: Sequence[LeftOut] = ()) -> RenderableType:
    """Return one row for each cell, machine by machine, those that changed first; then what is in no history."""
    if not found:
        return Group(Text(f"no published runs yet: `{PROGRAM} publish RUN` publishes one"), *_left_out(left_out))
    places = dict.fromkeys((one.machine, one.corpus) for one in found)
    machines = [[one for one in found if (one.machine, one.corpus) == place] for place in places]
    return terminal.group([*[part for cells in machines for part in _machine(cells)], *_left_out(left_out), NEXT])


def one(found: CellHistory, *, width: int, ascii_only: bool = False) -> RenderableType:
    """Return every run of one cell, and a chart with its changes marked."""
    table = terminal.section(lists.history(found))
    return Group(table or Text(""), Text(_chart(found, width=width, ascii_only=ascii_only)))


def _machine(cells: Sequence[CellHistory]) -> list[RenderableType | None]:
    """Return the cells of one machine and corpus that changed, the latest change first, and those that did not."""
    changed = [one for one in cells if one.changes]
    level = [one for one in cells if not one.changes]
    runs = max(len(one.points) for one in cells)
    few = runs < FEWEST_RUNS
    many = f"{len(cells)} cell{'s' * (len(cells) > 1)} in {runs} run{'s' * (runs > 1)}"
    said = f"changes are looked for from {FEWEST_RUNS} runs on" if few else f"{len(changed)} of {len(cells)} changed"
    head = Text(f"{cells[0].machine}, {cells[0].corpus}", style="bold")
    return [
        terminal.spaced(head, Text(f"{many}: {said}")),
        terminal.section(lists.histories(_by_recipe(changed), "Changed", "the latest change first")),
        terminal.section(lists.histories(_by_recipe(level), "All cells" if few else "Not changed")),
    ]


def _by_recipe(cells: Sequence[CellHistory]) -> list[CellHistory]:
    """Return ``cells`` recipe by recipe, the one with the latest change first, and the latest change of each first."""
    latest_first = sorted(cells, key=lambda one: one.last_change or "", reverse=True)
    recipes = once(one.of.recipe for one in latest_first)
    return sorted(latest_first, key=lambda one: recipes.index(one.of.recipe))


def _left_out(found: Sequence[LeftOut]) -> list[RenderableType]:
    """Return the published runs that are in no history, each with its reason."""
    lines = [Text(f"  {one.run_id}: {one.reason}") for one in found]
    return [terminal.spaced(Text("Published runs that are in no history", style="bold"), *lines)] if lines else []


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
