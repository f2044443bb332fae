"""The command line: a module for each command word; commands return an `Outcome`, which `bench.__main__` prints.

`--help` must answer at once, so a command imports what takes long (NumPy, pydantic, rich, ...) when it runs.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """What a command prints on standard output, and its exit status.

    shown  anything that rich renders, for people; a string as it is, for programs; None for nothing
    code   the exit status (`bench.exit_codes`)
    """

    shown: object = None
    code: int = 0
