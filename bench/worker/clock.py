"""The clock: one block of an operation, the device idle at both ends; it decides nothing about how many or how long."""

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

    run       does the work of so many repeats and returns what must be ready when the clock stops
    wait      returns once that is computed
    work      what one repeat processes: "reviews", "megabytes"
    largest   how many repeats one block can hold at the most
    resolved  settings as the framework resolved them for this operation
    program   counts what XLA says of the compiled program of one repeat, where there is one
    """

    run: Callable[[int], Any]
    wait: Callable[[Any], None]
    work: dict[str, float]
    largest: int = 1_000_000
    resolved: dict[str, Any] = field(default_factory=dict)
    program: Callable[[], dict[str, float]] = dict


def block(operation: Operation, *, repeats: int, each: bool, now: Callable[[], float] = time.perf_counter) -> Json:
    """Run ``repeats`` calls and return their seconds with the worker's processor time and switches meanwhile.

    With ``each``, every call has a clock of its own and the device is waited for after each: latency.
    Otherwise one clock spans all of them: throughput. Garbage collection happens before the block, never inside.
    """
    gc.collect()  # quick, since `settle` took what a framework holds for ever out of its way
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


def settle() -> None:
    """Collect what is new once and leave what survives alone, until `unsettle`.

    A framework holds a million objects; walking them before each block took a tenth of a second, more than most blocks.
    What was prepared and is released stays with them until then: a model or a graph refers to itself, arrays do not.
    """
    gc.collect()
    gc.freeze()


def unsettle() -> None:
    """Let the next collection walk everything again, since what was prepared for a recipe has gone."""
    gc.unfreeze()


def _timed(operation: Operation, repeats: int, now: Callable[[], float]) -> float:
    started = now()
    operation.wait(operation.run(repeats))
    return now() - started
