"""The exit codes of the commands, and which one the verdicts of a run lead to."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # every command imports this module; these take a second to import
    from bench.analysis.accuracy import Verdict
    from bench.analysis.bisection.search import Conclusion
    from bench.analysis.compare_runs import RunComparison
    from bench.analysis.regression import Decision


class ExitCode(IntEnum):
    """The meaning of an exit status."""

    HELD = 0
    REGRESSION = 1
    USAGE = 2
    ACCURACY = 3
    UNRESOLVED = 4
    CELLS_FAILED = 5
    UNUSABLE = 6
    BUG = 70
    INTERRUPTED = 130
    READER_GONE = 141  # as a shell reports SIGPIPE: 128 + 13


def of_run(verdicts: Sequence[Verdict], *, measured: int, unjudged: bool = False) -> ExitCode:
    """Return the exit code of a run with these verdicts and this number of measurements.

    The worst finding wins: wrong results, then missing ones, then unresolved ones. ``unjudged``: it trained recipes of
    which nothing is published, so that no verdict is no fault.
    """
    if not measured:
        return ExitCode.UNUSABLE
    if any(v.answer == "failed" and v.rule in ("accuracy", "parity", "serving") for v in verdicts):
        return ExitCode.ACCURACY
    if any(v.answer == "failed" for v in verdicts):
        return ExitCode.CELLS_FAILED
    if not (verdicts or unjudged) or any(v.answer == "unresolved" for v in verdicts):
        return ExitCode.UNRESOLVED
    return ExitCode.HELD


def of_comparison(decision: Decision, *, allow_unresolved: bool = False) -> ExitCode:
    """Return the exit code of a gate; the cells of a void one decide nothing."""
    if not decision.cells:
        return ExitCode.UNRESOLVED if decision.records else ExitCode.UNUSABLE
    lacking = decision.failures or decision.lacks
    if decision.void:
        return ExitCode.CELLS_FAILED if lacking else ExitCode.UNRESOLVED
    if any(row.answer == "slower" for row in decision.cells) or any(
        change.fails for change in decision.counter_changes
    ):
        return ExitCode.REGRESSION
    if lacking:
        return ExitCode.CELLS_FAILED
    if any(row.answer == "unresolved" for row in decision.cells) and not allow_unresolved:
        return ExitCode.UNRESOLVED
    return ExitCode.HELD


def of_bisection(found: Conclusion) -> ExitCode:
    """Return the exit code of a bisection: held, where one culprit was found and proved."""
    codes = {"found": ExitCode.HELD, "failed": ExitCode.CELLS_FAILED}
    return codes.get(found.ending, ExitCode.UNRESOLVED)


def of_run_comparison(found: RunComparison) -> ExitCode:
    """Return the exit code of `bench compare`, which gates nothing: held, unless nothing could be compared."""
    compared = found.verdicts and any(row.answer is not None for row in found.rows)
    return ExitCode.HELD if compared else ExitCode.UNRESOLVED
