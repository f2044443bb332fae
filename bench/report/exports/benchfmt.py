"""The benchmark format of Go, which benchstat reads (its design document 14313).

benchstat makes a table of its own for each set of configuration lines ("key: value"). So those hold only what keeps
runs apart, and what differs from run to run stands in lines that it ignores.
"""

from __future__ import annotations

import re

from bench.analysis.summary import Summary
from bench.records.schema import Cell
from bench.report.exports import series
from bench.report.exports.series import Process, Series
from datasets.plain_text import one_line

NANOSECONDS = 1e9
FLOOR_SHARE = "floor-%"


def render(summary: Summary) -> str:
    """Return one line for each process of each cell: benchstat takes a line for an independent value."""
    header = summary.run.header
    lines = [f"# {name}: {words}" for name, words in series.facts(summary).items()]
    lines.append("# of two runs compare the shares of the floor, never the seconds")
    apart = {"corpus": header.corpus, "cpu": f"{header.machine.cpu}, {header.machine.processors} processors"}
    lines += [f"{key}: {one_line(value)}" for key, value in apart.items()]
    lines.append(f"Unit {FLOOR_SHARE} better=higher")
    lines += [_line(one, process) for one in series.every(summary) for process in one.processes]
    return "\n".join(lines) + "\n"


def _line(one: Series, process: Process) -> str:
    share = "" if process.over_floor is None else f" {100 / process.over_floor:.6g} {FLOOR_SHARE}"
    return f"{_name(one.cell)} 1 {NANOSECONDS * process.seconds:.6g} ns/op{share}"


def _name(cell: Cell) -> str:
    """Return a name without blanks that benchstat can split by its keys, such as /path=compiled_loop.

    The batch comes last: benchstat takes a number behind a dash at the end for GOMAXPROCS.
    """
    parts = {"phase": cell.phase, "path": cell.path, "target": cell.target, "batch": cell.batch_size}
    keys = "/".join(f"{key}={re.sub(r'[^A-Za-z0-9_.=-]+', '_', str(value))}" for key, value in parts.items())
    return f"Benchmark{''.join(word.capitalize() for word in re.split(r'[^A-Za-z0-9]+', cell.recipe))}/{keys}"
