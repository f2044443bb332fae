"""`bench runs`: list finished runs."""

from __future__ import annotations

from bench.cli import Outcome
from bench.cli.options import Runs


def runs(*, out: Runs = None) -> Outcome:
    """List finished runs, oldest first."""
    from bench.records import store
    from bench.report import terminal
    from bench.report.tables import lists

    folders = store.runs(out or store.DEFAULT_FOLDER)
    table = lists.runs([store.read(folder).header for folder in folders])
    return Outcome(terminal.section(table, empty="no runs yet: `nox -s bench-cpu` makes one"))
