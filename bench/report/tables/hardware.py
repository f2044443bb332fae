"""Tables beside the times: how busy the hardware is, and the deterministic counters."""

from __future__ import annotations

from typing import Any

from bench.analysis.rows import CounterRow, RunDocument
from bench.report.tables import words
from bench.report.tables.columns import Column, Table, significant, table
from bench.report.tables.quality import RECIPE, target

# A thousand calls leave less than this behind where nothing leaks: an allocator's slack.
GROWTH_LIMIT_BYTES = 16e6


def hardware(document: RunDocument) -> Table:
    """Return how far the hardware is from busy: matrix products of the fastest Keras path beside the peak."""
    columns = (
        RECIPE,
        Column("work", "work", value=lambda row: f"{row.phase} {row.batch_size}", merge=True),
        target(document),
        Column("path", "fastest path"),
        Column("gflops", "GFLOP/s", "significant"),
        Column("busy", "of peak", "percent"),
    )
    peaks = [
        f"peak on {words.label(document, row.target)}: {significant(row.product_gflops)} GFLOP/s in a large matrix "
        f"product, {significant(row.copy_gb_per_s)} GB/s in a large copy"
        for row in document.peaks
        if row.product_gflops and row.copy_gb_per_s
    ]
    caption = "operations of matrix products alone, counted by hand"
    return table("hardware", "Hardware", caption, columns, document.hardware, *peaks)


def counters(document: RunDocument) -> Table:
    """Return the deterministic counters."""
    columns = (
        Column("path", "path", merge=True),
        target(document),
        _counter("progr.", "compilations", "traces"),
        _counter("again", "recompilations", "retraces"),
        _counter("graph ops", "graph_operations"),
        _counter("MFLOP", "program_flops", unit=1e6),
        _counter("MB", "program_bytes", unit=1e6),
        _counter("temp MB", "program_temporary_bytes", unit=1e6),
        _counter("peak GB", "peak_resident_bytes", unit=1e9),
    )
    grown = [
        f"{row.recipe} {row.path} on {words.label(document, row.target)}"
        for row in document.counters
        if row.counters.get("growth_bytes", 0.0) > GROWTH_LIMIT_BYTES
    ]
    notes = (
        "progr.: programs compiled (JAX) or functions traced (TensorFlow) until the first call; again: after it",
        "MFLOP, MB: XLA's own count for one call, loop bodies once; peak GB: of the process, data included",
        f"memory grew over 1,000 predictions: {', '.join(grown) or 'nowhere'}",
    )
    work = Column("work", "work", value=lambda row: f"{row.recipe} {row.phase} {row.batch_size}")
    title = "Exact counters"
    return table("counters", title, "deterministic", columns, document.counters, *notes, group=work)


def _counter(heading: str, *names: str, unit: float = 1.0) -> Column:
    """Return the column of the first of ``names`` that was counted, in ``unit``."""

    def counted(row: CounterRow) -> Any:
        values = [row.counters[name] / unit for name in names if name in row.counters]
        return values[0] if values else None

    return Column(names[0], heading, "count" if unit == 1.0 else "significant", counted)
