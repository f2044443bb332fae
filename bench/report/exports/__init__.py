"""Exports: a finished run in the formats of other tools, one module each.

Those tools apply their own rules, most of them without replicates or turns.
"""

from __future__ import annotations

from collections.abc import Callable

from bench.analysis.summary import Summary
from bench.report import csv
from bench.report.exports import bencher, benchfmt, github_action, pyperf, pytest_benchmark

FORMATS: dict[str, Callable[[Summary], str]] = {
    "pytest-benchmark": pytest_benchmark.render,
    "github-action-benchmark": github_action.render,
    "bencher": bencher.render,
    "benchfmt": benchfmt.render,
    "pyperf": pyperf.render,
    "csv": lambda summary: csv.render(summary.document),
}
