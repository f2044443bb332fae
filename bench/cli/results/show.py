"""`bench show`: print every table of a finished run."""

from __future__ import annotations

from bench.cli import Outcome
from bench.cli.options import All, Json, RunName, Runs


def show(name: RunName = "latest", /, *, all: All = False, out: Runs = None, json: Json = False) -> Outcome:  # noqa: A002
    """Print the answer of a finished run from its records."""
    from bench.cli import execution

    return execution.report(execution.find(name, out), json=json, every=all)
