"""The exit codes of every command, and which one a run's verdicts lead to; nothing exits here."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from bench.check import Verdict


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
    if any(v.answer == "failed" and v.rule in ("accuracy", "parity") for v in verdicts):
        return ExitCode.ACCURACY
    if any(v.answer == "failed" for v in verdicts):
        return ExitCode.CELLS_FAILED
    if not verdicts or any(v.answer == "unresolved" for v in verdicts):
        return ExitCode.UNRESOLVED
    return ExitCode.HELD
