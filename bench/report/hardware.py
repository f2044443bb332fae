"""The tables beside the times: how busy the hardware is, and the counters that do not wobble."""

from __future__ import annotations

from rich.console import RenderableType

from bench.analysis.summary import Summary
from bench.records.schema import CounterRecord
from bench.report.numbers import MISSING, share, significant
from bench.report.table import Column, section
from bench.report.words import label

# A thousand calls leave less than this behind where nothing leaks: an allocator's slack.
GROWTH_LIMIT_BYTES = 16e6


def hardware(summary: Summary) -> RenderableType | None:
    """Return how far the hardware is from busy: matrix products of the fastest Keras path beside the peak."""
    columns = [
        Column("recipe", lambda row: row.cell.recipe, key=True),
        Column("work", lambda row: f"{row.cell.phase} {row.cell.batch_size}", key=True),
        Column("backend", lambda row: label(summary, row.cell.target)),
        Column("fastest path", lambda row: row.cell.path),
        Column("GFLOP/s", lambda row: significant(row.gflops), number=True),
        Column("of peak", lambda row: share(row.gflops / row.peak_gflops), number=True),
    ]
    notes = [
        f"peak on {label(summary, name)}: {significant(max(peak.product_gflops))} GFLOP/s in a large matrix product, "
        f"{significant(max(peak.copy_gb_per_s))} GB/s in a large copy"
        for name, peak in summary.peaks.items()
    ]
    return section("Hardware", "operations of matrix products alone, counted by hand", columns, summary.hardware, notes)


def counters(summary: Summary) -> RenderableType | None:
    """Return the exact counters: what does not wobble."""
    columns = [
        Column("path", lambda row: row.cell.path, key=True),
        Column("backend", lambda row: label(summary, row.cell.target)),
        Column("progr.", lambda row: _counted(row, "compilations", "traces"), number=True),
        Column("again", lambda row: _counted(row, "recompilations", "retraces"), number=True),
        Column("graph ops", lambda row: _counted(row, "graph_operations"), number=True),
        Column("MFLOP", lambda row: _counted(row, "program_flops", unit=1e6), number=True),
        Column("MB", lambda row: _counted(row, "program_bytes", unit=1e6), number=True),
        Column("temp MB", lambda row: _counted(row, "program_temporary_bytes", unit=1e6), number=True),
        Column("peak GB", lambda row: _counted(row, "peak_resident_bytes", unit=1e9), number=True),
    ]
    grown = [
        f"{row.cell.recipe} {row.cell.path} on {label(summary, row.cell.target)}"
        for row in summary.counters
        if row.counters.get("growth_bytes", 0.0) > GROWTH_LIMIT_BYTES
    ]
    notes = [
        "progr.: programs compiled (JAX) or functions traced (TensorFlow) until the first call; again: after it",
        "MFLOP, MB: XLA's own count for one call, loop bodies once; peak GB: of the process, data included",
        f"memory grew over 1,000 predictions: {', '.join(grown) or 'nowhere'}",
    ]
    rows, group = summary.counters, lambda row: f"{row.cell.recipe} {row.cell.phase} {row.cell.batch_size}"
    return section("Exact counters", "they do not wobble", columns, rows, notes, group=group, tight=True)


def _counted(row: CounterRecord, *names: str, unit: float = 1.0) -> str:
    """Return the first of ``names`` that was counted, in ``unit``."""
    values = [row.counters[name] for name in names if name in row.counters]
    if not values:
        return MISSING
    return f"{values[0]:,.0f}" if unit == 1.0 else significant(values[0] / unit)
