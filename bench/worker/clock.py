"""The clock: it times one block of an operation, the device idle at both ends."""

from __future__ import annotations

import gc
import math
import random
import resource
import time
from collections.abc import Callable, Iterable
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
    inject    returns the operation with some more work in every repeat, where that can be done inside of the run
    move      gives the weights other memory, where there are any: see `block`
    ended     returns the moment, by `time.perf_counter`, at which the work of the last run was done; None where that is
              when it returns
    """

    run: Callable[[int], Any]
    wait: Callable[[Any], None]
    work: dict[str, float]
    largest: int = 1_000_000
    resolved: dict[str, Any] = field(default_factory=dict)
    program: Callable[[], dict[str, float]] = dict
    move: Callable[[], None] | None = None
    ended: Callable[[], float] | None = None
    inject: Callable[[Callable[[], object]], Operation] | None = None

    def complete(self, repeats: int) -> None:
        """Do that many repeats and return once the result is computed."""
        self.wait(self.run(repeats))


class ClockError(Exception):
    """The clock of this machine cannot be trusted: a second one measured another time, or it gave none at all."""


def second_clock() -> float:
    """Return the seconds of another clock than `time.perf_counter`: one that no time service slews."""
    return time.clock_gettime(time.CLOCK_MONOTONIC_RAW) if hasattr(time, "CLOCK_MONOTONIC_RAW") else time.monotonic()


def block(
    operation: Operation,
    *,
    repeats: int,
    each: bool,
    lead: int = 0,
    now: Callable[[], float] = time.perf_counter,
    second: Callable[[], float] = second_clock,
) -> Json:
    """Run ``repeats`` calls and return their seconds with the worker's processor time and switches meanwhile.

    With ``each``, every call is timed and the device waited for by itself: latency.
    Otherwise one clock spans all of them: throughput. Before the block, never inside, garbage is collected, weights
    move to other memory, and ``lead`` calls, or one before calls that are timed each, pay for caches. Which pages an
    array happened to get decides by several percent how fast it is: so every block draws them anew.
    Where the operation says when its work was done, what the call took after that stands apart, as ``after_s``.
    Raises ClockError where a second clock, read outside of what is timed, measured another span.
    """
    gc.collect()  # quick, since `freeze` exempted the objects of the framework
    gc.disable()
    if operation.move:
        _move(operation.move)
        lead = lead or int(each)
    if lead:
        operation.complete(lead)
    before = resource.getrusage(resource.RUSAGE_SELF)
    begun = _bracketed(now, second)
    try:
        timed = [_timed(operation, 1, now) for _ in range(repeats)] if each else [_timed(operation, repeats, now)]
    finally:
        gc.enable()
    durations = [duration_s for duration_s, _ in timed]
    _check(durations, begun, _bracketed(now, second))
    after = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "repeats": repeats,
        "duration_s": sum(durations),
        "calls_s": durations if each else None,
        "processor_s": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "switches": after.ru_nivcsw - before.ru_nivcsw,
        **({} if operation.ended is None else {"after_s": sum(after_s for _, after_s in timed)}),
    }


# The gaps of the last move, and powers of two between which the bytes of each lie: weights have up to 5 MB.
_GAPS, _GAP_BITS = 16, (12, 22)
_gaps: list[bytearray] = []
_sizes = random.Random(0)


def _move(move: Callable[[], None]) -> None:
    """Move weights past gaps of random sizes: else they would return to the memory that they left before."""
    gaps = [bytearray(int(2 ** _sizes.uniform(*_GAP_BITS))) for _ in range(_GAPS)]
    move()
    _gaps[:] = gaps


def busy_s(spans: Iterable[tuple[float, float]]) -> float:
    """Return for how long at least one of ``spans``, each a begin and an end, was under way."""
    total, latest = 0.0, -math.inf
    for begin, end in sorted(spans):
        total += max(0.0, end - max(begin, latest))
        latest = max(latest, end)
    return total


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


# A time service slews a clock by 0.05 % at most; a microsecond is above both clocks' resolution.
AGREEMENT, RESOLUTION_S = 0.01, 1e-6

Reading = tuple[float, float, float]


def _bracketed(now: Callable[[], float], second: Callable[[], float]) -> Reading:
    """Return the second clock's time, the clock's, and the second's again: the process may be interrupted between."""
    return second(), now(), second()


def _check(durations: list[float], begun: Reading, ended: Reading) -> None:
    """Raise ClockError unless ``durations`` are above zero and fit into their span, and the second clock agrees."""
    span_s, least_s, most_s = ended[1] - begun[1], ended[0] - begun[2], ended[2] - begun[0]
    if not all(math.isfinite(duration_s) and duration_s > 0 for duration_s in durations):
        raise ClockError(f"expected seconds above zero; the clock measured {min(durations)}: it stood or went back")
    if sum(durations) > span_s + RESOLUTION_S:
        raise ClockError(f"expected calls that fit into {span_s:.6f} s; they add up to {sum(durations):.6f} s")
    if not least_s * (1 - AGREEMENT) - RESOLUTION_S <= span_s <= most_s * (1 + AGREEMENT) + RESOLUTION_S:
        raise ClockError(
            f"expected two clocks to agree; one measured {span_s:.6f} s, the other {least_s:.6f} to {most_s:.6f} s"
        )


def _timed(operation: Operation, repeats: int, now: Callable[[], float]) -> tuple[float, float]:
    """Return the seconds until the work was done, and those from then until the call returned."""
    started = now()
    operation.wait(operation.run(repeats))
    returned = now()
    ended = returned if operation.ended is None else operation.ended()
    return ended - started, returned - ended
