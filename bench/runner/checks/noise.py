"""The noise of this machine, measured in seconds without a framework: pairs of equal processes that take turns.

What a gate does with two sides, done with two copies of one small program in NumPy: fresh processes for each pair, one
core, blocks of 20 ms in turns. Whatever the ratio of a pair differs from one is noise. Frameworks add noise of their
own, so that the smallest effect that follows is a lower bound.
"""

from __future__ import annotations

import math
import os
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass

from bench.plan import targets
from bench.plan.targets import Target
from bench.records import machine
from bench.runner import affinity
from bench.runner.interleave import LEAD_S

TURNS = 12
FEWEST_PAIRS = 3
PATIENCE_S = 30.0

# Products that stay in a cache and a sum over more than it holds: a layer and the memory that it touches.
PROGRAM = """
import sys, time
import numpy as np
values = np.random.default_rng(0).random((128, 128), np.float32) / 128
large = np.ones(1 << 18, np.float32)
into, total = np.empty_like(values), np.empty_like(large)
def work():
    np.matmul(values, values, out=into)
    np.add(large, 1.0, out=total)
def until(seconds):
    repeats, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        work()
        repeats += 1
    return repeats
repeats = max(1, until(0.2) // 10)
for line in sys.stdin:
    lead, repeats = float(line.split()[0]), int(line.split()[1]) or repeats
    until(lead)
    started = time.perf_counter()
    for _ in range(repeats):
        work()
    print(time.perf_counter() - started, repeats, flush=True)
"""


@dataclass(frozen=True)
class Noise:
    """What pairs of equal processes differed by, and what else used the processors meanwhile.

    log_ratios  of each pair, from the median over its turns
    within      the standard deviation of one turn's log-ratio, the median over pairs
    steal       the share of the processors' time that other guests of the host took
    outside     the share that other programs of this system took
    """

    log_ratios: tuple[float, ...]
    within: float
    steal: float
    outside: float

    @property
    def deviation(self) -> float:
        """The standard deviation of a pair's log-ratio."""
        return statistics.stdev(self.log_ratios)


def measure(seconds: float) -> Noise:
    """Return the noise of this machine, from as many pairs of processes as fit in ``seconds``, three at least."""
    started, before, own_before_s = time.monotonic(), machine.moment(), _own_s()
    pairs: list[list[float]] = []
    with affinity.separated(quiet=True) as cores:
        while len(pairs) < FEWEST_PAIRS or time.monotonic() - started < seconds:
            pairs.append(_pair(cores.timed if cores else None))
    after, own_s = machine.moment(), _own_s() - own_before_s
    available_s = machine.processors() * (time.monotonic() - started)
    return Noise(
        log_ratios=tuple(statistics.median(pair) for pair in pairs),
        within=statistics.median(statistics.stdev(pair) for pair in pairs),
        steal=max(0.0, after.steal_s - before.steal_s) / available_s,
        outside=max(0.0, after.busy_s - before.busy_s - own_s) / available_s,
    )


def _own_s() -> float:
    """Return the processor seconds of this process and of its children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _pair(core: set[int] | None) -> list[float]:
    """Return the log-ratio of each turn of two fresh processes."""
    with ExitStack() as stack:
        first, second = (stack.enter_context(_Process(core)) for _ in range(2))
        repeats = max(first.block(0)[1], second.block(0)[1])
        turns = [(first.block(repeats)[0], second.block(repeats)[0]) for _ in range(TURNS)]
    return [math.log(one / other) for one, other in turns]


class _Process:
    """A process that does a block of work whenever it is asked."""

    def __init__(self, core: set[int] | None) -> None:
        quiet = targets.environment(Target("numpy", quiet=True), keras_home=os.devnull)
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=quiet
        )
        if core:
            with suppress(OSError):
                os.sched_setaffinity(self._process.pid, core)

    def __enter__(self) -> _Process:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError, subprocess.TimeoutExpired):
            self._process.communicate(timeout=PATIENCE_S)
        self._process.kill()
        self._process.wait()

    def block(self, repeats: int) -> tuple[float, int]:
        """Return the seconds of a block of ``repeats``, or of about 20 ms where that is 0, and its repeats."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{LEAD_S} {repeats}\n")
        self._process.stdin.flush()
        seconds, done = self._process.stdout.readline().split()
        return float(seconds), int(done)
