"""Soak: one process runs again and again for an hour, and must not grow."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.faults import trials

# Python's own caches fill in the first runs; the allocator of the system keeps some of what was freed.
WARM_UP_RUNS = 20
GROWTH_MB = 10.0
# Leaves the machine to others: an hour still has thousands of runs.
PAUSE_S = 0.5


@dataclass(frozen=True)
class Level:
    """How much the process holds after so many runs: memory, open files, threads, and children that still run."""

    runs: int
    minutes: float
    memory_mb: float
    files: int
    threads: int
    children: int


def soak(minutes: float, *, every_s: float = 60.0) -> Iterator[Level]:
    """Run a whole run and a whole gate with fake workers in turn, and yield the level now and then."""
    worlds, process = (trials.fake_run(), trials.fake_gate()), psutil.Process()
    begun = last = time.monotonic()
    runs = 0
    while time.monotonic() - begun < 60 * minutes:
        folder = Path(tempfile.mkdtemp(prefix="faults-"))
        trials.execute(worlds[runs % 2], folder, None)
        shutil.rmtree(folder)
        runs += 1
        time.sleep(PAUSE_S)
        if runs == WARM_UP_RUNS or (runs > WARM_UP_RUNS and time.monotonic() - last >= every_s):
            last = time.monotonic()
            yield level(process, runs, (last - begun) / 60)
    yield level(process, runs, (time.monotonic() - begun) / 60)


def level(process: psutil.Process, runs: int, minutes: float) -> Level:
    """Return what ``process`` holds now."""
    memory_mb = process.memory_info().rss / 1e6
    children = [one for one in process.children(recursive=True) if one.status() != psutil.STATUS_ZOMBIE]
    return Level(runs, round(minutes, 1), round(memory_mb, 1), process.num_fds(), process.num_threads(), len(children))


def growth(levels: list[Level]) -> list[str]:
    """Return what grew from the first level to the last, in words."""
    first, last = levels[0], levels[-1]
    found = [
        f"{name} {getattr(first, name)} to {getattr(last, name)}"
        for name in ("files", "threads", "children")
        if getattr(last, name) > getattr(first, name)
    ]
    if last.memory_mb - first.memory_mb > GROWTH_MB:
        found.append(f"memory {first.memory_mb} to {last.memory_mb} MB")
    return found
