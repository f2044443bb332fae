"""`bench verify`: check the records of a finished run, or of a bundle that somebody sent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from bench.cli import Outcome
from bench.cli.options import Data, Flag, Json, Runs
from datasets.errors import ExpectedError

if TYPE_CHECKING:
    from bench.analysis.verification.rules import CheckRow
    from bench.records.store import Run

Submitted = Annotated[str, Parameter(help='A run: its id, its folder, or "latest"; or a file that `submit` made.')]


def verify(
    name: Submitted = "latest",
    /,
    *,
    measure: Flag = False,
    data: Data = None,
    out: Runs = None,
    json: Json = False,
) -> Outcome:
    """Check whether a finished run can be relied on.

    Its records must be whole, unedited, complete, measured under one setting and reproducible; those of a file that
    `bench submit` made must be plausible as well. Exit status 5 means that a rule failed. `bench publish` refuses such
    a run.

    Parameters
    ----------
    measure
        Also measure one random cell again here, and compare its share of the floor.
    """
    from bench.analysis.verification import rules
    from bench.exit_codes import ExitCode
    from bench.report import json as documents
    from bench.report import terminal
    from bench.report.tables import lists

    with _opened(name, out) as (run, submitted):
        found = rules.checks(run, submitted=submitted)
        if measure:
            found.append(_measured(run, data))
    code = ExitCode.HELD if all(check.answer == "passed" for check in found) else ExitCode.CELLS_FAILED
    if json:
        return Outcome(documents.verified(run.header.run_id, found, code), int(code))
    return Outcome(terminal.section(lists.checks(run.header.run_id, found)), int(code))


@contextmanager
def _opened(name: str, out: Path | None) -> Iterator[tuple[Run, bool]]:
    """Yield the run called ``name``, and whether it is in a bundle that somebody may have sent."""
    from bench.cli import execution
    from bench.records import bundle

    if bundle.is_bundle(Path(name)):
        with bundle.opened(Path(name)) as run:
            yield run, True
    else:
        yield execution.find(name, out), False


def _measured(run: Run, data: str | None) -> CheckRow:
    """Return whether a random cell has the same share of its floor here."""
    from bench.analysis.verification.rules import CheckRow
    from bench.cli import execution
    from bench.report import terminal
    from bench.report.progress import ProgressReport
    from bench.runner.checks import remeasure

    seed = execution.seed(None)
    row = remeasure.chosen(run, seed)
    if row is None:
        raise ExpectedError(f"{run.header.run_id} has no cell with a floor that can be measured here")
    execution.say(f"measuring {row.cell.name} and its floor again")
    located = execution.corpus(data)
    with ProgressReport(terminal.console(stderr=True), []) as watch:
        again = remeasure.again(row, located, watch, seed=seed)
    found = f"{again.cell}: {again.there:.0%} of its floor there, {again.here:.0%} here"
    return CheckRow(rule="a cell measured again agrees", answer="passed" if again.agrees else "failed", found=found)
