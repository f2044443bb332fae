"""The cores: which of them a quiet measurement gives to its workers, and which to the runner; it starts nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def apart(*, quiet: bool) -> Iterator[set[int] | None]:
    """Yield the processors for the workers, None for all of them; inside, the runner keeps off a quiet worker's.

    Quiet workers share one core, since only one works at a time: they meet the same core and the same clock rate.
    Where there is one core, or no way to choose, nothing is set.
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
        yield {chosen}
    finally:
        os.sched_setaffinity(0, mine)
