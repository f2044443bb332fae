"""`bench runs`: list finished runs."""

from __future__ import annotations

from bench.cli import Outcome
from bench.cli.options import Runs


def runs(*, out: Runs = None) -> Outcome:
    """List finished runs, oldest first."""
    from bench.records import store
    from bench.report import lists

    folders = store.runs(out or store.DEFAULT_FOLDER)
    return Outcome(lists.run_list([store.read(folder).header for folder in folders]))
