"""The programs that XLA compiled for JAX in this process."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import jax

try:  # what JAX's own tracing to files is made of
    from jax.profiler import ProfileData
    from jaxlib import _profiler
except ImportError:
    _profiler = None

Program = int

# What a new program is counted as.
NAME = "compilations"

# Events of JAX's own profiler: a compiled function is called, which an operation outside of one is as well; an array or
# a number is put on the device. It tells nothing of arrays that come back.
LAUNCHES = re.compile(r"^PjitFunction\(") if _profiler else None
TO_DEVICE = re.compile(r"^DevicePut$") if _profiler else None
TO_HOST = None

# JAX's name for the event that XLA compiled a program.
_COMPILED = "/jax/core/compile/backend_compile_duration"
_EVENTS: list[str] = []


def programs() -> set[Program]:
    """Return a number for each program that JAX handed to XLA since this was first called."""
    if not _EVENTS:
        _EVENTS.append("listening")
        jax.monitoring.register_event_duration_secs_listener(lambda event, *_, **__: _EVENTS.append(event))
    return set(range(_EVENTS.count(_COMPILED)))


def forget_programs() -> None:
    """Clear JAX's caches, so that an operation compiles whatever ran before it."""
    jax.clear_caches()


def sizes(programs: set[Program]) -> dict[str, float]:
    """Return nothing: XLA reports the size of a program by itself."""
    del programs
    return {}


def observe(work: Callable[[], object]) -> Counter[str]:
    """Return how often ``work`` calls each compiled function and puts arrays on the device: events of all threads."""
    if _profiler is None:
        return Counter()
    return Counter(name for plane in _traced(work).planes for line in plane.lines for name in _outermost(line.events))


def spans(work: Callable[[], object], planes: str) -> list[tuple[float, float]]:
    """Return when what ``work`` had done in ``planes`` began and ended, in seconds; empty without a profiler."""
    if _profiler is None:
        return []
    found = [plane for plane in _traced(work).planes if plane.name.startswith(planes)]
    events = [event for plane in found for line in plane.lines for event in line.events]
    return [(event.start_ns / 1e9, (event.start_ns + event.duration_ns) / 1e9) for event in events]


def _traced(work: Callable[[], object]) -> Any:
    """Return what JAX's profiler saw while ``work`` ran, Python's functions aside."""
    options = _profiler.ProfileOptions()
    options.python_tracer_level = 0
    session = _profiler.ProfilerSession(options)
    work()
    return ProfileData.from_serialized_xspace(session.stop())


def _outermost(events: Iterable[Any]) -> Iterator[str]:
    """Yield the names of ``events`` of a thread, one of several that lie within each other and have one name."""
    ends: dict[str, float] = {}
    for event in sorted(events, key=lambda event: (event.start_ns, -event.duration_ns)):
        if event.start_ns >= ends.get(event.name, 0.0):
            ends[event.name] = event.start_ns + event.duration_ns
            yield event.name
