"""pyperf's JSON: https://pyperf.readthedocs.io/en/latest/api.html; a process of a cell is one of its runs."""

from __future__ import annotations

from typing import Any

from bench.analysis.summary import Summary
from bench.report.exports import series
from bench.report.exports.series import Series

FORMAT = "1.0"


def render(summary: Summary) -> str:
    """Return a suite of benchmarks in seconds, warm-up blocks included."""
    header = summary.run.header
    metadata = {
        "cpu_count": header.machine.processors,
        "cpu_model_name": header.machine.cpu,
        "python_version": header.machine.python,
        "platform": header.machine.system,
        "tags": ["kerasmark", header.profile],
    }
    found = [_benchmark(one) for one in series.every(summary) if one.processes]
    return series.dumped({"version": FORMAT, "metadata": metadata, "benchmarks": found}, indent=1)


def _benchmark(one: Series) -> dict[str, Any]:
    runs = [
        {"values": list(values), "warmups": [list(block) for block in warmups]}
        for values, warmups in zip(one.processes, one.warmups, strict=True)
    ]
    return {"metadata": {"name": one.cell.name, "unit": "second", "loops": 1}, "runs": runs}
