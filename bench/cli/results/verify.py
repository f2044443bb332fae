"""`bench verify`: check the records of a finished run."""

from __future__ import annotations

from bench.cli import Outcome
from bench.cli.options import Json, RunName, Runs


def verify(name: RunName = "latest", /, *, out: Runs = None, json: Json = False) -> Outcome:
    """Check whether a finished run can be relied on.

    Its records must be whole, unedited, complete, measured under one setting and reproducible. Exit status 5 means that
    a rule failed. `bench publish` refuses such a run.
    """
    from bench.analysis import verify as rules
    from bench.cli import execution
    from bench.exit_codes import ExitCode
    from bench.report import json as documents
    from bench.report import terminal
    from bench.report.tables import lists

    run = execution.find(name, out)
    found = rules.checks(run)
    code = ExitCode.HELD if all(check.answer == "passed" for check in found) else ExitCode.CELLS_FAILED
    if json:
        return Outcome(documents.verified(run.header.run_id, found, code), int(code))
    return Outcome(terminal.section(lists.checks(run.header.run_id, found)), int(code))
