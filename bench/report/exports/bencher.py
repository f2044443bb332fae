"""Bencher Metric Format (bencher.dev): a measure of each named benchmark, with its bounds."""

from __future__ import annotations

import math

from bench.analysis.stats import Estimate
from bench.analysis.summary import Summary
from bench.report.exports import series

NANOSECONDS = 1e9


def render(summary: Summary) -> str:
    """Return each cell's latency in nanoseconds, with its interval where it has one."""
    found = {one.cell.name: {"latency": _latency(one.seconds)} for one in series.every(summary)}
    return series.dumped(found, indent=2)


def _latency(seconds: Estimate) -> dict[str, float]:
    values = {"value": seconds.value, "lower_value": seconds.low, "upper_value": seconds.high}
    return {name: NANOSECONDS * value for name, value in values.items() if math.isfinite(value)}
