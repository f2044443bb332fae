"""The cells of a run as comma-separated values: one line a cell, seconds unrounded, the interval beside."""

from __future__ import annotations

import csv
import io
import math

from bench.analysis.summary import Summary
from bench.report.exports import series

HEAD = ("run", "machine", "corpus", "recipe", "phase", "path", "batch_size", "target", "processes")
FIGURES = ("seconds", "seconds_low", "seconds_high")


def render(summary: Summary) -> str:
    """Return the table; a bound that is not known is left empty."""
    header, into = summary.run.header, io.StringIO()
    writer = csv.writer(into, lineterminator="\n")
    writer.writerow([*HEAD, *FIGURES])
    for one in series.every(summary):
        cell, seconds = one.cell, one.seconds
        about = [header.run_id, header.machine.cpu, header.corpus, cell.recipe, cell.phase, cell.path]
        bounds = ["" if not math.isfinite(v) else repr(v) for v in (seconds.value, seconds.low, seconds.high)]
        writer.writerow([*about, cell.batch_size, cell.target, len(one.processes), *bounds])
    return into.getvalue()
