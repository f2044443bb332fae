"""Processor affinity: the cores of quiet workers and those of the runner."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Cores:
    """The processors of workers while they are timed, and all of them for preparation."""

    timed: set[int]
    every: set[int]


def usable() -> set[int]:
    """Return the processors that this process may use; none where the system does not say."""
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()


def shares(number: int) -> list[set[int] | None]:
    """Return so many equal shares of the usable processors; None for each where there are too few, or for one alone."""
    every = sorted(usable())
    each = len(every) // number
    if number == 1 or not each:
        return [None] * number
    return [set(every[start : start + each]) for start in range(0, number * each, each)]


@contextmanager
def separated(*, quiet: bool) -> Iterator[Cores | None]:
    """Yield the processors of quiet workers, None if they are not confined; meanwhile the runner avoids the timed one.

    Quiet workers share one core, since only one works at a time: all get the same core and clock rate. They compile
    on all cores. With one core, or without affinity on this system, nothing is set.
    """
    mine = usable()
    if not quiet or len(mine) < 2:
        yield None
        return
    chosen = max(mine)
    os.sched_setaffinity(0, mine - {chosen})
    try:
        yield Cores({chosen}, mine)
    finally:
        os.sched_setaffinity(0, mine)
