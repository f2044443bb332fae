"""The custom JSON of github-action-benchmark (its tool "customSmallerIsBetter")."""

from __future__ import annotations

from typing import Any

from bench.analysis.stats import Estimate
from bench.analysis.summary import Summary
from bench.report.exports import series
from bench.report.exports.series import OVER_FLOOR, Series
from bench.report.tables.columns import spread

MILLISECONDS = 1e3


def render(summary: Summary) -> str:
    """Return a list of named values with their spread: milliseconds, and how many times those of the floor."""
    return series.dumped([row for one in series.every(summary) for row in _rows(summary, one)], indent=2)


def _rows(summary: Summary, one: Series) -> list[dict[str, Any]]:
    extra = f"{len(one.processes)} processes\n{summary.run.header.machine.title}"
    times = one.times_floor
    found = [_row(one.cell.name, "ms", one.seconds.scaled(MILLISECONDS), extra)]
    return found if times is None else [*found, _row(f"{one.cell.name} {OVER_FLOOR}", "× floor", times, extra)]


def _row(name: str, unit: str, found: Estimate, extra: str) -> dict[str, Any]:
    ends = spread(found.value, found.low, found.high)
    return {"name": name, "unit": unit, "value": found.value, "range": ends, "extra": extra}
