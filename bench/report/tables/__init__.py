"""The tables: each is declared here once, and rendered by `report.terminal`, `report.markdown` and the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bench.analysis.rows import RunDocument
from bench.report.tables import answers, comparison, hardware, precision, quality, speed
from bench.report.tables.columns import Column, Table, table


def failures(document: RunDocument) -> Table:
    """Return the work that gave no answer."""
    columns = [Column(key, key) for key in ("recipe", "target", "work", "reason")]
    return table("failures", "Not measured", "work that gave no answer", columns, document.failures)


def unsupported(document: RunDocument) -> Table:
    """Return the paths that cannot drive a user's model."""
    columns = [Column(key, key) for key in ("recipe", "target", "work", "reason")]
    return table("unsupported", "Not supported", "paths that cannot drive a model", columns, document.unsupported)


def every(document: RunDocument) -> list[Table]:
    """Return the tables of a run that have rows, in the order in which a reader wants them."""
    return [made for make in ORDER if (made := make(document)).rows]


ORDER: Sequence[Callable[[RunDocument], Table]] = (
    failures,
    unsupported,
    answers.every,
    speed.best_paths,
    comparison.gate_cells,
    comparison.called_cells,
    comparison.counter_changes,
    comparison.beside,
    comparison.controls,
    quality.accuracy,
    quality.parity,
    quality.serving,
    quality.exports,
    quality.baselines,
    speed.training,
    speed.step,
    quality.time_to_accuracy,
    speed.prediction,
    speed.vectorization,
    speed.startup,
    precision.precision,
    hardware.hardware,
    hardware.peaks,
    hardware.gpus,
    hardware.energy,
    hardware.counters,
)
