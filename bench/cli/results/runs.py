"""`bench runs`: list kept runs."""

from __future__ import annotations

from bench import RUN_ON_CPU
from bench.cli import Outcome
from bench.cli.options import Flag, Runs

# As many as a screen shows.
NEWEST = 20


def runs(*, all: Flag = False, out: Runs = None) -> Outcome:  # noqa: A002, the word of the command line
    """List kept runs, newest first, with what each answered.

    Exit status 5 means that some cannot be read.

    Parameters
    ----------
    all
        List every run, not the newest 20 alone.
    """
    from bench.cli import execution
    from bench.exit_codes import ExitCode
    from bench.records import catalog, store
    from bench.records.catalog import Entry
    from bench.records.store import StoreError
    from bench.report import terminal
    from bench.report.tables import runs as tables

    def answer(entry: Entry) -> str:
        if store.is_being_written(entry.folder):
            return "being measured"
        return catalog.remembered(entry.folder, lambda: execution.answer(store.read(entry.folder)))

    entries, unreadable = [], []
    for folder in reversed(store.runs(out or store.DEFAULT_FOLDER)):
        try:
            entries.append(catalog.entry(folder))
        except StoreError as error:
            unreadable.append(f"{folder.name} cannot be read: {error}")
    shown = entries if all else entries[:NEWEST]
    rows = [tables.RunRow(entry, answer(entry)) for entry in shown]
    empty = "" if unreadable else f"no runs yet: `{RUN_ON_CPU}` makes one"
    table = terminal.section(tables.runs(rows, older=len(entries) - len(rows)), empty=empty)
    code = ExitCode.CELLS_FAILED if unreadable else ExitCode.HELD
    return Outcome(terminal.group([table, *unreadable]), int(code))
