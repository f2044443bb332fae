"""`bench runs`: list finished runs."""

from __future__ import annotations

from bench.cli import Outcome
from bench.cli.options import Runs


def runs(*, out: Runs = None) -> Outcome:
    """List finished runs, oldest first. Exit status 5 means that some cannot be read."""
    from bench.exit_codes import ExitCode
    from bench.records import store
    from bench.records.store import StoreError
    from bench.report import terminal
    from bench.report.tables import lists

    headers, unreadable = [], []
    for folder in store.runs(out or store.DEFAULT_FOLDER):
        try:
            headers.append(store.header(folder))
        except StoreError as error:
            unreadable.append(f"{folder.name} cannot be read: {error}")
    empty = "" if unreadable else "no runs yet: `nox -s bench-cpu` makes one"
    table = terminal.section(lists.runs(headers), empty=empty)
    code = ExitCode.CELLS_FAILED if unreadable else ExitCode.HELD
    return Outcome(terminal.group([table, *unreadable]), int(code))
