"""pytest-benchmark's JSON, as `pytest-benchmark compare` reads it; its `--benchmark-compare-fail` is no gate.

Each cell is there twice: its seconds, and in a group of its own its seconds as a percentage of the floor's, which alone
may be compared between two runs. pytest-benchmark knows no unit but seconds, so that name and group say what it is.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from bench.analysis.summary import Summary
from bench.report.exports import series
from bench.report.exports.series import OVER_FLOOR, Series

# The version whose files these are like: what they hold has not changed since 4.0.
VERSION = "5.2.0"


def render(summary: Summary) -> str:
    """Return a storage file: a benchmark for each cell, a round for each process."""
    header = summary.run.header
    machine = {
        "node": "",
        "processor": header.machine.cpu,
        "machine": header.machine.system,
        "python_version": header.machine.python,
        "cpu": {"brand_raw": header.machine.cpu, "count": header.machine.processors},
    }
    commit = header.commit
    found = {
        "machine_info": machine,
        "commit_info": {
            "id": commit.revision if commit else "unknown",
            "time": header.started_at,
            "dirty": bool(commit and commit.dirty),
            "project": "kerasmark",
            "branch": "(unknown)",
        },
        "benchmarks": [benchmark for one in series.every(summary) for benchmark in _benchmarks(one)],
        "datetime": header.started_at,
        "version": VERSION,
    }
    return series.dumped(found, indent=4)


def _benchmarks(one: Series) -> list[dict[str, Any]]:
    cell = one.cell
    group = f"{cell.recipe} {cell.phase} {cell.batch_size}"
    found = [_benchmark(one, f"{cell.recipe}_{cell.phase}", group, one.values)] if one.values else []
    if one.over_floor:
        name = f"{cell.recipe}_{cell.phase}_over_floor"
        percents = [100 * ratio for ratio in one.over_floor]  # of 0.98 it would make "980 ms"
        found.append(_benchmark(one, name, f"{group} {OVER_FLOOR}: percent, not seconds", percents))
    return found


def _benchmark(one: Series, name: str, group: str, values: Sequence[float]) -> dict[str, Any]:
    cell = one.cell
    param = f"{cell.path}-{cell.batch_size}-{cell.target}"
    return {
        "group": group,
        "name": f"{name}[{param}]",
        "fullname": f"kerasmark::{name}[{param}]",
        "params": {"path": cell.path, "batch_size": cell.batch_size, "target": cell.target},
        "param": param,
        "extra_info": one.facts,
        "options": {
            "disable_gc": True,
            "timer": "perf_counter",
            "min_rounds": 1,
            "max_time": 0.0,
            "min_time": 0.0,
            "warmup": True,
        },
        "stats": _stats(sorted(values)),
    }


def _stats(values: list[float]) -> dict[str, Any]:
    """Return the columns that pytest-benchmark shows, by its own definitions: Tukey's fences, outliers counted."""
    mean, deviation = statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else 0.0
    q1, median, q3 = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
    low, high = q1 - 1.5 * (q3 - q1), q3 + 1.5 * (q3 - q1)
    far = sum(abs(value - mean) > deviation for value in values)
    beyond = sum(not low <= value <= high for value in values)
    return {
        "min": values[0],
        "max": values[-1],
        "mean": mean,
        "stddev": deviation,
        "rounds": len(values),
        "median": median,
        "iqr": q3 - q1,
        "q1": q1,
        "q3": q3,
        "iqr_outliers": beyond,
        "stddev_outliers": far,
        "outliers": f"{far};{beyond}",
        "ld15iqr": min(value for value in values if value >= low),
        "hd15iqr": max(value for value in values if value <= high),
        "ops": 1 / mean,
        "total": sum(values),
        "iterations": 1,
        "data": values,
    }
