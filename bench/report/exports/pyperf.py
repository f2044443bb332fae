"""pyperf's JSON: https://pyperf.readthedocs.io/en/latest/api.html; a process of a cell is one of its runs.

Each cell is there twice: its seconds, and its seconds over the floor's, which alone may be compared between two runs.
Their tags differ, by which pyperf compares each kind by itself. It has no unit without a dimension but "integer", and
prints fractions under it as they are.
"""

from __future__ import annotations

from typing import Any

from bench.analysis.summary import Summary
from bench.report.exports import series
from bench.report.exports.series import OVER_FLOOR, Process, Series
from datasets.plain_text import one_line

FORMAT = "1.0"
# pyperf prints a number without a dimension with all its digits.
FIGURES = 4


def render(summary: Summary) -> str:
    """Return a suite of benchmarks with one value a process, warm-up blocks included."""
    header = summary.run.header
    metadata: dict[str, Any] = {
        **{f"kerasmark_{name}": words for name, words in series.facts(summary).items()},
        "cpu_count": header.machine.processors,
        "kerasmark_profile": one_line(header.profile),
    }
    found = [benchmark for one in series.every(summary) if one.processes for benchmark in _benchmarks(one)]
    return series.dumped({"version": FORMAT, "metadata": metadata, "benchmarks": found}, indent=1)


def _benchmarks(one: Series) -> list[dict[str, Any]]:
    metadata: dict[str, Any] = {"name": one.cell.name, "unit": "second", "loops": 1, "tags": ["seconds"], **one.facts}
    found: list[dict[str, Any]] = [{"metadata": metadata, "runs": [*map(_run, one.processes)]}]
    if one.over_floor:
        ratios = [{"values": [float(f"{ratio:.{FIGURES}g}")]} for ratio in one.over_floor]
        name: dict[str, Any] = {"name": f"{one.cell.name} {OVER_FLOOR}", "unit": "integer", "tags": [OVER_FLOOR]}
        found.append({"metadata": metadata | name, "runs": ratios})
    return found


def _run(process: Process) -> dict[str, Any]:
    return {"values": [process.seconds], "warmups": [list(block) for block in process.warmups]}
