"""The exit codes of every command, and which one a run's verdicts lead to; nothing exits here."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # every command imports this module, and theirs take a second
    from bench.analysis.accuracy import Verdict
    from bench.analysis.compare_runs import RunComparison
    from bench.analysis.regression import Decision


class ExitCode(IntEnum):
    """What a command's exit status means."""

    HELD = 0
    REGRESSION = 1
    USAGE = 2
    ACCURACY = 3
    UNRESOLVED = 4
    CELLS_FAILED = 5
    UNUSABLE = 6
    BUG = 70
    INTERRUPTED = 130


def of_run(verdicts: Sequence[Verdict], *, measured: int) -> ExitCode:
    """Return the exit code of a run with these verdicts and so many records of measurements.

    The gravest finding wins: wrong results before missing ones, missing ones before undecided ones.
    """
    if not measured:
        return ExitCode.UNUSABLE
    if any(v.answer == "failed" and v.rule in ("accuracy", "parity", "serving") for v in verdicts):
        return ExitCode.ACCURACY
    if any(v.answer == "failed" for v in verdicts):
        return ExitCode.CELLS_FAILED
    if not verdicts or any(v.answer == "unresolved" for v in verdicts):
        return ExitCode.UNRESOLVED
    return ExitCode.HELD


def of_comparison(decision: Decision, *, allow_unresolved: bool = False) -> ExitCode:
    """Return the exit code of a comparison; a void one says nothing, whatever its cells say."""
    deciding = [judged for judged in decision.cells if judged.decides]
    if not deciding:
        return ExitCode.UNRESOLVED if decision.records else ExitCode.UNUSABLE
    if decision.void:
        return ExitCode.CELLS_FAILED if decision.failures else ExitCode.UNRESOLVED
    if any(judged.answer == "slower" for judged in deciding) or any(count.worse for count in decision.counts):
        return ExitCode.REGRESSION
    if decision.failures:
        return ExitCode.CELLS_FAILED
    if any(judged.answer == "unresolved" for judged in deciding) and not allow_unresolved:
        return ExitCode.UNRESOLVED
    return ExitCode.HELD


def of_run_comparison(contrast: RunComparison) -> ExitCode:
    """Return the exit code of a contrast: it gates nothing, but says where nothing could be compared."""
    compared = contrast.verdicts and any(row.answer is not None for row in contrast.rows)
    return ExitCode.HELD if compared else ExitCode.UNRESOLVED
