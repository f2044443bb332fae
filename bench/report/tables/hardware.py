"""Tables beside the times: the machine's peaks, how near cells come to them, and the deterministic counters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench.analysis.rows import CounterRow, GpuRow, PeakRow, RunDocument, once
from bench.report.tables import words
from bench.report.tables.columns import SPREAD, Column, Table, spread_column, table
from bench.report.tables.quality import RECIPE, target

# A thousand calls leave less than this behind where nothing leaks: an allocator's slack.
GROWTH_LIMIT_BYTES = 16e6

BOUND = (
    "bound: the peak that allows less for these operations and bytes, of matrix products (compute) or of memory at "
    "the working set's size; of it: the least seconds that it allows, as a share of the measured ones"
)
ROOFLINE = (
    Column("gb_per_s", "GB/s", "significant"),
    Column("intensity", "flop/byte", "significant", wide=True),
    Column("peak_gb_per_s", "peak GB/s", "significant", wide=True),
    Column("bound", "bound by", short="bound", note=BOUND),
    Column("bound_share", "of it", "percent"),
    spread_column("±", "bound_share", SPREAD),
)


def hardware(document: RunDocument) -> Table:
    """Return how near the fastest Keras path comes to what the machine's peaks allow."""
    # Documents of schema 2 know no bytes.
    counted = any(row.bound for row in document.hardware)
    columns = (
        Column("work", "work", value=lambda row: f"{row.phase} {row.batch_size}", merge=True),
        target(document),
        Column("path", "fastest path", short="path"),
        Column("gflops", "GFLOP/s", "significant"),
        *(ROOFLINE if counted else ()),
    )
    caption = "arithmetic and memory traffic, counted by hand, beside the machine's peaks"
    former = "operations of matrix products alone, counted by hand"
    recipes = once(row.recipe for row in document.hardware)
    rows = sorted(document.hardware, key=lambda row: recipes.index(row.recipe))
    return table("hardware", "Hardware", caption if counted else former, columns, rows, group=RECIPE)


def gpus(document: RunDocument) -> Table:
    """Return what each GPU did while cells were timed, and whether anything held its clock rate down."""
    columns = (
        Column("number", "GPU", "count"),
        Column("name", "name"),
        Column("driver", "driver"),
        Column("cuda", "CUDA"),
        Column("processor_mhz_low", "clock MHz", value=_clock_range, short="MHz"),
        Column("temperature_c", "°C at most", "count", short="°C"),
        Column("power_w", "W at most", value=_power, short="W"),
        Column("used_bytes", "memory GB", "significant", lambda row: _scaled(row.used_bytes, 1e9), short="GB"),
        Column("slowed_by", "slowed by", value=lambda row: ", ".join(row.slowed_by) or "nothing"),
    )
    caption = "read from the driver after warm-up and after the last turn of each process; other programs included"
    return table("gpus", "GPUs", caption, columns, document.gpus)


def _clock_range(row: GpuRow) -> str | None:
    low, high = row.processor_mhz_low, row.processor_mhz_high
    return None if low is None else f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _power(row: GpuRow) -> str | None:
    limit = f" of {row.power_limit_w:.0f}" if row.power_limit_w else ""
    return None if row.power_w is None else f"{row.power_w:.0f}{limit}"


def energy(document: RunDocument) -> Table:
    """Return the energy of a thousand reviews, of every cell whose hardware has a counter."""
    columns = (
        Column("work", "work", value=lambda row: f"{row.phase} {row.batch_size}", merge=True),
        target(document),
        Column("path", "path"),
        Column("joules", "J for 1,000 reviews", "significant", lambda row: 1e3 * row.joules, short="J/1,000"),
    )
    caption = "by the counters of processor packages and GPUs, other programs included"
    rows = [row for row in document.timings if row.joules is not None and not row.excluded]
    return table("energy", "Energy", caption, columns, rows, group=RECIPE)


def peaks(document: RunDocument) -> Table:
    """Return the machine's peaks: one of matrix products, one of memory for each working set."""
    columns = (
        Column("work", "work", value=lambda row: _peak(row), merge=True),
        Column("size", "working set MB", "significant", lambda row: _scaled(row.working_set_bytes, 1e6)),
        Column("product_gflops", "GFLOP/s", "significant"),
        Column("copy_gb_per_s", "GB/s", "significant"),
        Column("reached_by", "reached by"),
    )
    caption = "the best that a framework or NumPy reached, reads and writes counted"
    return table("peaks", "Peaks of this machine", caption, columns, _machine(document.peaks))


def _peak(row: PeakRow) -> str:
    return "matrix product" if row.product_gflops else "memory traffic"


def _machine(rows: Sequence[PeakRow]) -> list[PeakRow]:
    """Return ``rows`` with one for each peak: documents of schema 2 have both in one row for each target."""
    if all(row.target is None for row in rows):
        return [*rows]
    product = max(rows, key=lambda row: row.product_gflops or 0.0)
    copied = max(rows, key=lambda row: row.copy_gb_per_s or 0.0)
    return [
        PeakRow(product_gflops=product.product_gflops, reached_by=product.target),
        PeakRow(copy_gb_per_s=copied.copy_gb_per_s, reached_by=copied.target),
    ]


def _scaled(size: int | None, unit: float) -> float | None:
    return None if size is None else size / unit


def counters(document: RunDocument) -> Table:
    """Return what was counted of each operation: compilations, the work of its program, memory, calls."""
    host_path = any("python_calls" in row.counters for row in document.counters)
    columns = (
        Column("path", "path", merge=True),
        target(document),
        _counter("programs", "compilations", "traces", short="progr."),
        _counter("later", "recompilations", "retraces"),
        _counter("graph operations", "graph_operations", short="graph ops"),
        _counter("MFLOP", "program_flops", unit=1e6),
        _counter("MB moved", "program_bytes", unit=1e6, short="MB"),
        _counter("MB temporary", "program_temporary_bytes", unit=1e6, short="temp MB"),
        _counter("GB at peak", "peak_resident_bytes", unit=1e9, short="peak GB"),
        _counter("MB growth", "growth_bytes", unit=1e6, wide=True),
        *(ON_GPU if any({"device_s", "peak_device_bytes"} & row.counters.keys() for row in document.counters) else ()),
        *(HOST_PATH if host_path else ()),
    )
    grown = [
        f"{row.recipe} {row.path} on {words.label(document, row.target)}"
        for row in document.counters
        if row.counters.get("growth_bytes", 0.0) > GROWTH_LIMIT_BYTES
    ]
    notes = (
        "programs: compiled (JAX) or functions traced (TensorFlow) until the first call; later: after it, a bug if any",
        "MFLOP, MB moved and temporary: XLA's own count for one call, loop bodies once",
        CALLS if host_path else None,
        "peak: of the process's memory, data included; growth: over up to 1,000 calls. Neither is exact",
        f"memory grew by more than {GROWTH_LIMIT_BYTES / 1e6:.0f} MB: {', '.join(grown) or 'nowhere'}",
    )
    work = Column("work", "work", value=lambda row: f"{row.recipe} {row.phase} {row.batch_size}")
    caption = "counted in one process of each target"
    return table("counters", "Counters", caption, columns, document.counters, *notes, group=work)


def _counter(heading: str, *names: str, unit: float = 1.0, short: str = "", wide: bool = False) -> Column:
    """Return the column of the first of ``names`` that was counted, in ``unit``."""

    def counted(row: CounterRow) -> Any:
        values = [row.counters[name] / unit for name in names if name in row.counters]
        return values[0] if values else None

    form = "count" if unit == 1.0 else "significant"
    return Column(names[0], heading, form, counted, short=short, wide=wide)


ON_GPU = (
    _counter("GPU ms", "device_s", unit=1e-3),
    _counter("GB on GPU", "peak_device_bytes", unit=1e9, short="GPU GB"),
)
HOST_PATH = (
    _counter("Python calls", "python_calls", wide=True),
    _counter("C calls", "c_calls", wide=True),
    _counter("launched", "programs_launched", wide=True),
    _counter("to device", "transfers_to_device", wide=True),
    _counter("to host", "transfers_to_host", wide=True),
    _counter("blocks growth", "allocated_blocks_growth", wide=True),
)
CALLS = (
    "calls: of functions of Python and of C by one more repeat, in its thread; launched, to device and to host: the "
    "programs and arrays that a profiler sees; blocks growth: of Python's allocator by one call"
)
