"""The noise of this machine: equal processes that take turns, quickly."""

from __future__ import annotations

import os

from bench.runner.checks import noise


def test_equal_processes_are_about_equal() -> None:
    """Three pairs at least, however little time there is; each near one, on whatever machine."""
    before = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    found = noise.measure(0.0)
    assert len(found.log_ratios) == noise.FEWEST_PAIRS
    assert all(abs(ratio) < 0.5 for ratio in found.log_ratios)
    assert 0 <= found.steal <= 1
    assert 0 <= found.outside <= 1
    assert found.within > 0
    assert (os.sched_getaffinity(0) if before else None) == before
