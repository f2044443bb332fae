"""`bench show`: print every table of a finished run."""

from __future__ import annotations

from bench.cli import Outcome
from bench.cli.options import Json, RunName, Runs


def show(name: RunName = "latest", /, *, out: Runs = None, json: Json = False) -> Outcome:
    """Print the tables of a finished run from its records."""
    from bench.cli import execution

    return execution.report(execution.find(name, out), json=json)
