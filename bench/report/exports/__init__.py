"""The exports: a finished run in the formats of other tools; each module writes one, none computes what they do.

Other tools judge by rules of their own, most of them without replicates or turns: their verdicts are not this suite's.
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
    "csv": lambda summary: csv.render(summary.document, only="timings"),
}
