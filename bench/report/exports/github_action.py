"""The custom JSON of github-action-benchmark (its tool "customSmallerIsBetter")."""

from __future__ import annotations

from bench.analysis.summary import Summary
from bench.report.exports import series
from bench.report.tables.columns import spread


def render(summary: Summary) -> str:
    """Return a list of named values in milliseconds with their spread."""
    rows = [
        {
            "name": one.cell.name,
            "unit": "ms",
            "value": 1e3 * one.seconds.value,
            "range": spread(one.seconds.spread),
            "extra": f"{len(one.processes)} processes\n{summary.run.header.machine.title}",
        }
        for one in series.every(summary)
    ]
    return series.dumped(rows, indent=2)
