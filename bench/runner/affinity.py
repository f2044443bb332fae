"""The cores: which of them a quiet measurement gives to its workers, and which to the runner; it moves no worker."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Cores:
    """The processors of workers while their clocks run, and while they prepare."""

    timed: set[int]
    every: set[int]


@contextmanager
def separated(*, quiet: bool) -> Iterator[Cores | None]:
    """Yield the processors for quiet workers, None where nobody is confined; inside, the runner keeps off the timed.

    Quiet workers share one core, since only one works at a time: they meet the same core and the same clock rate.
    While they compile they may have all. Where there is one core, or no way to choose, nothing is set.
    """
    if not quiet or not hasattr(os, "sched_setaffinity"):
        yield None
        return
    mine = os.sched_getaffinity(0)
    if len(mine) < 2:
        yield None
        return
    chosen = max(mine)
    os.sched_setaffinity(0, mine - {chosen})
    try:
        yield Cores({chosen}, mine)
    finally:
        os.sched_setaffinity(0, mine)
