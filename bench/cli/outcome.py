"""The outcome of a command: what is shown on standard output, and the exit status; nothing is printed here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """What a command leads to.

    shown  anything that rich renders, for people; a string as it is, for programs; None for nothing
    code   the exit status (`bench.exit_codes`)
    """

    shown: object = None
    code: int = 0
