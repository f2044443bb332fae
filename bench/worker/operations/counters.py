"""Deterministic counters of an operation: compilations, traces, operations of its graph, bytes.

compilations            programs that XLA compiled (JAX) up to the end of the first call
recompilations          those after it: any is a performance bug
traces                  functions that TensorFlow traced into graphs up to the end of the first call
retraces                those after it
graph_operations        operations of these graphs, loop bodies once
program_flops           XLA's count for one call of the compiled program, loop bodies once
program_bytes           XLA's count of bytes read and written, loop bodies once
program_temporary_bytes memory that the program takes beside its inputs and outputs
peak_resident_bytes     the process's peak memory meanwhile, data included (Linux)
growth_bytes            growth of the process's memory over `GROWTH_CALLS` calls of a prediction that users drive
"""

from __future__ import annotations

import gc
from pathlib import Path

from bench.protocol import Count
from bench.worker import backend, clock, operations
from bench.worker.clock import Operation
from bench.worker.reviews import Reviews

GROWTH_CALLS = 1_000
LATER_CALLS = 5
# The gate's path: growth is noisy, so that it decides nothing there, and a thousand calls take a minute.
WITHOUT_GROWTH = ("compiled resident",)

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def count(reviews: Reviews, request: Count) -> dict[str, float]:
    """Prepare the operation of ``request`` from scratch, and count."""
    clock.unfreeze()
    gc.collect()
    compiler = backend.module("counters")
    compiler.forget_programs()
    _forget_peak()
    before = compiler.programs()
    operation = operations.prepare(reviews, phase=request.phase, path=request.path, batch_size=request.batch_size)
    clock.block(operation, repeats=1, each=False)
    first = compiler.programs()
    clock.block(operation, repeats=LATER_CALLS, each=False)
    later = compiler.programs()
    found = {
        compiler.NAME: float(len(first - before)),
        f"re{compiler.NAME}": float(len(later - first)),
        **operation.program(),
        "peak_resident_bytes": _status_bytes("VmHWM"),
        **compiler.sizes(first - before),
    }
    if request.phase == "predict" and request.path not in WITHOUT_GROWTH:
        found["growth_bytes"] = _growth_bytes(operation)
    return found


def _growth_bytes(operation: Operation) -> float:
    gc.collect()
    before = _status_bytes("VmRSS")
    clock.block(operation, repeats=GROWTH_CALLS, each=False)
    gc.collect()
    return _status_bytes("VmRSS") - before


def _forget_peak() -> None:
    """Reset the kernel's peak; where it cannot, the peak is that of the whole process."""
    if _CLEAR.exists():
        _CLEAR.write_text("5")


def _status_bytes(name: str) -> float:
    """Return a line of the process's status in bytes; 0 where there is none."""
    lines = _STATUS.read_text().splitlines() if _STATUS.exists() else []
    sizes = [line.split()[1] for line in lines if line.startswith(f"{name}:")]
    return 1024 * float(sizes[0]) if sizes else 0.0
