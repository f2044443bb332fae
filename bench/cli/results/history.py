"""`bench history`: show how each cell changed over the published runs."""

from __future__ import annotations

from bench.cli import Outcome
from datasets.errors import UsageError


def history(*, cell: str | None = None) -> Outcome:
    """Show each cell's share of its floor over the published runs.

    Change points are marked. `bench publish` adds a run.

    Parameters
    ----------
    cell
        A cell's name or a part of it: show its values run by run, with a chart.
    """
    from rich.console import Group

    from bench import PROGRAM, RESULTS
    from bench.analysis import history as published
    from bench.report import history as report
    from bench.report import terminal
    from bench.report.page import site

    documents = site.every(RESULTS)
    histories = published.of_documents(documents)
    if cell is None:
        return Outcome(report.overview(histories, published.left_out(documents)))
    found = [one for one in histories if cell in one.cell]
    if not found:
        raise UsageError(f"no published run has a cell {cell!r}; `{PROGRAM} history` lists them")
    screen = terminal.console()
    plain = not screen.encoding.startswith("utf")
    return Outcome(Group(*[report.one(history, width=screen.width, ascii_only=plain) for history in found]))
