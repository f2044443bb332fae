"""Bencher Metric Format (bencher.dev): measures of each named benchmark, with their bounds."""

from __future__ import annotations

import math

from bench.analysis.stats import Estimate
from bench.analysis.summary import Summary
from bench.report.exports import series
from bench.report.exports.series import Series

NANOSECONDS = 1e9


def render(summary: Summary) -> str:
    """Return each cell's latency in nanoseconds and its share of the floor, with bounds where they are known."""
    return series.dumped({one.cell.name: _measures(one) for one in series.every(summary)}, indent=2)


def _measures(one: Series) -> dict[str, dict[str, float]]:
    latency = {"latency": _metric(one.seconds.scaled(NANOSECONDS))}
    return latency if one.floor_share is None else {**latency, "floor-share": _metric(one.floor_share)}


def _metric(found: Estimate) -> dict[str, float]:
    values = {"value": found.value, "lower_value": found.low, "upper_value": found.high}
    return {name: value for name, value in values.items() if math.isfinite(value)}
