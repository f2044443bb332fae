"""Calls of functions that one more repeat of an operation makes in the thread that runs it, function by function.

Two lengths of the operation are profiled in turn, and the difference is divided by that of the lengths: what a call
costs once, whatever its length, is no part of it. Of several rounds each function's fewest calls count, since what
happens now and then (a cache that grows, an object that another thread let go) only adds some.

`sys.setprofile` is of one thread, on every Python. From 3.12 on it is built on `sys.monitoring`, which by itself
would report all threads. It sees functions of Python and of C, but no call of a type and no function of a library
that has callable types of its own, such as a function that JAX compiled.
"""

from __future__ import annotations

import gc
import re
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import CodeType, FrameType
from typing import Any

from bench.plan.counters import IN_C
from bench.worker.clock import Operation

# The longer length, in repeats; the other is a third of it. Longer ones told the same, and a gate counts many cells.
LONGEST = 3
# What is called for the first time is in the first round alone.
ROUNDS = 2

# What waits for other threads, or is called when one lets go of an object, is so as often as the machine likes: these
# modules are left out with all that they call.
LEFT_OUT = frozenset(
    {"_weakrefset", "concurrent.futures._base", "concurrent.futures.thread", "queue", "threading", "weakref"}
)
# AutoGraph's modules are files with random names.
_GENERATED = re.compile(r"__autograph_generated_file\w*")
# What a record takes for a name.
_NAME = re.compile(r"[^/\\\x00-\x1f\x7f]{1,200}")

Calls = dict[str, float]
Observe = Callable[[Callable[[], object]], Counter[str]]


@dataclass(frozen=True)
class HostCalls:
    """Calls of each function: by one more ``repeat``, and ``once`` by a call of the operation, whatever its repeats."""

    repeat: Calls
    once: Calls


def count(operation: Operation, observe: Observe | None = None, *, rounds: int = ROUNDS) -> HostCalls | None:
    """Return the calls of ``operation``, which has compiled; None where it cannot hold two lengths.

    ``observe`` does some work and returns what it counted meanwhile; without it, that is `tally`.
    """
    longer = min(LONGEST, operation.largest)
    shorter = longer // 3
    if shorter == 0:
        return None
    profiled: dict[int, list[Counter[str]]] = {shorter: [], longer: []}
    for _ in range(rounds):
        for length, found in profiled.items():
            found.append((observe or tally)(partial(operation.complete, length)))
    few, many = (_fewest(profiled[length]) for length in (shorter, longer))
    repeat = {name: (many[name] - few[name]) / (longer - shorter) for name in few | many}
    once = {name: few[name] - shorter * repeat[name] for name in repeat}
    return HostCalls(*({name: calls for name, calls in kind.items() if calls} for kind in (repeat, once)))


def in_python(calls: Calls) -> float:
    """Return how many of ``calls`` are of functions written in Python."""
    return sum(number for name, number in calls.items() if not name.endswith(IN_C))


def in_c(calls: Calls) -> float:
    """Return how many of ``calls`` are of functions written in C."""
    return sum(number for name, number in calls.items() if name.endswith(IN_C))


def matching(calls: Calls, names: re.Pattern[str]) -> float:
    """Return how many of ``calls`` have one of ``names``."""
    return sum(number for name, number in calls.items() if names.search(name))


def tally(work: Callable[[], object]) -> Counter[str]:
    """Return how often ``work`` calls each function in this thread; no garbage is collected meanwhile."""
    noted, former = _Noted(), sys.getprofile()
    gc.collect()
    gc.disable()
    sys.setprofile(noted)
    try:
        work()
    finally:
        sys.setprofile(former)
        gc.enable()
    return noted.tally()


class _Noted:
    """A profile function that notes each call; names are made of it afterwards."""

    def __init__(self) -> None:
        self._codes: dict[int, tuple[CodeType, Any]] = {}
        self._python: dict[int, int] = {}
        self._c: dict[tuple[Any, str], int] = {}
        self._left_out = 0  # how many functions deep in such a module

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        """Note a call; a code object goes by its identity, since its hash reads all of it."""
        if self._left_out:
            self._left_out += (event == "call") - (event == "return")
        elif event == "call":
            module, code = frame.f_globals.get("__name__"), frame.f_code
            if module in LEFT_OUT:
                self._left_out = 1
                return
            key = id(code)
            if key not in self._codes:
                self._codes[key] = code, module
                self._python[key] = 0
            self._python[key] += 1
        elif event == "c_call" and argument is not sys.setprofile:
            name = argument.__module__, argument.__qualname__
            self._c[name] = self._c.get(name, 0) + 1

    def tally(self) -> Counter[str]:
        """Return the calls of each function by its name."""
        found: Counter[str] = Counter()
        for key, (code, module) in self._codes.items():
            found[_named(module, code.co_qualname)] += self._python[key]
        for (module, name), number in self._c.items():
            found[_named(module, name, IN_C)] += number
        return found


def _named(module: Any, function: str, behind: str = "") -> str:
    """Return the name of a function by its module; one that no record takes is left out of it."""
    name = f"{module}.{function}" if isinstance(module, str) else function
    name = _GENERATED.sub("autograph", name)[: 200 - len(behind)] + behind
    return name if _NAME.fullmatch(name) else f"unnamed{behind}"


def _fewest(rounds: list[Counter[str]]) -> Counter[str]:
    """Return the fewest calls of each function over ``rounds``."""
    return Counter({name: min(one[name] for one in rounds) for name in set().union(*rounds)})
