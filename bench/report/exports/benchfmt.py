"""The benchmark format of Go, which benchstat reads (its design document 14313)."""

from __future__ import annotations

import re
import statistics

from bench.analysis.summary import Summary
from bench.records.schema import Cell
from bench.report.exports import series
from bench.report.exports.series import Series
from datasets.plain_text import one_line

NANOSECONDS = 1e9


def render(summary: Summary) -> str:
    """Return one line for each process of each cell: benchstat takes a line for an independent value."""
    header = summary.run.header
    about = {"corpus": header.corpus, "cpu": header.machine.cpu, "run": header.run_id, "python": header.machine.python}
    lines = [f"{key}: {one_line(value)}" for key, value in about.items()]
    lines += [line for one in series.every(summary) for line in _lines(one)]
    return "\n".join(lines) + "\n"


def _lines(one: Series) -> list[str]:
    return [
        f"{_name(one.cell)} {len(process)} {NANOSECONDS * statistics.median(process):.6g} ns/op"
        for process in one.processes
    ]


def _name(cell: Cell) -> str:
    """Return a name without blanks that benchstat can split by its keys, such as /path:compiled_loop."""
    parts = {"phase": cell.phase, "path": cell.path, "batch": cell.batch_size, "target": cell.target}
    keys = "/".join(f"{key}={re.sub(r'[^A-Za-z0-9_.=-]+', '_', str(value))}" for key, value in parts.items())
    return f"Benchmark{''.join(word.capitalize() for word in re.split(r'[^A-Za-z0-9]+', cell.recipe))}/{keys}"
