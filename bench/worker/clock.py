"""The clock: it times one block of an operation, the device idle at both ends."""

from __future__ import annotations

import gc
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bench.protocol import Json


@dataclass(frozen=True)
class Operation:
    """The work that is timed.

    run       does the work of that many repeats and returns the result to wait for
    wait      returns once the result is computed
    work      what one repeat processes: "reviews", "megabytes"
    largest   the most repeats that one block can hold
    resolved  settings of this operation as the framework resolved them
    program   returns XLA's counts for the compiled program of one repeat, where there is one
    """

    run: Callable[[int], Any]
    wait: Callable[[Any], None]
    work: dict[str, float]
    largest: int = 1_000_000
    resolved: dict[str, Any] = field(default_factory=dict)
    program: Callable[[], dict[str, float]] = dict


def block(operation: Operation, *, repeats: int, each: bool, now: Callable[[], float] = time.perf_counter) -> Json:
    """Run ``repeats`` calls and return their seconds with the worker's processor time and switches meanwhile.

    With ``each``, every call is timed and the device waited for by itself: latency.
    Otherwise one clock spans all of them: throughput. Garbage collection happens before the block, never inside.
    """
    gc.collect()  # quick, since `freeze` exempted the objects of the framework
    gc.disable()
    before = resource.getrusage(resource.RUSAGE_SELF)
    try:
        durations = [_timed(operation, 1, now) for _ in range(repeats)] if each else [_timed(operation, repeats, now)]
    finally:
        gc.enable()
    after = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "repeats": repeats,
        "duration_s": sum(durations),
        "calls_s": durations if each else None,
        "processor_s": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "switches": after.ru_nivcsw - before.ru_nivcsw,
    }


def freeze() -> None:
    """Collect garbage once and exempt the survivors from collection, until `unfreeze`.

    A framework holds a million objects; walking them before each block took a tenth of a second, more than most blocks.
    Released models and graphs refer to themselves and stay until then; arrays do not.
    """
    gc.collect()
    gc.freeze()


def unfreeze() -> None:
    """Let the next collection walk everything again, once the operations of a recipe are released."""
    gc.unfreeze()


def _timed(operation: Operation, repeats: int, now: Callable[[], float]) -> float:
    started = now()
    operation.wait(operation.run(repeats))
    return now() - started
