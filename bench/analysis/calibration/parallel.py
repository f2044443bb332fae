"""The same work for many simulated gates, on every processor."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from bench.records.settings import usable_processors

Item = TypeVar("Item")
Result = TypeVar("Result")

# Starting processes takes longer than fewer of them.
FEWEST = 50

# A pool ends its processes by SIGTERM, which the command line turns into an exception.
DEFAULT = (signal.SIGTERM, signal.SIG_DFL)

_work: Callable[[Any], Any] | None = None


def each(work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Return what ``work`` makes of each of ``items``, in their order.

    Processes are forked, so that ``work`` may be any function and has the data that it needs; items and results are
    pickled. Here alone, where the system cannot fork, or there are few.
    """
    every, processors = list(items), usable_processors()
    if len(every) < FEWEST or processors < 2 or "fork" not in multiprocessing.get_all_start_methods():
        return [work(item) for item in every]
    global _work
    _work = work
    with multiprocessing.get_context("fork").Pool(processors, signal.signal, DEFAULT) as pool:
        return pool.map(_call, every)


def _call(item: Any) -> Any:
    assert _work is not None
    return _work(item)
