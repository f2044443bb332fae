"""Counters of an operation: compilations, traces, operations of its graph, bytes, calls of functions.

Which of them repeat exactly, and so may fail a gate, says `bench.plan.counters`.

compilations            programs that XLA compiled (JAX) up to the end of the first call
recompilations          those after it: any is a performance bug
traces                  functions that TensorFlow traced into graphs up to the end of the first call
retraces                those after it
graph_operations        operations of these graphs, loop bodies once
program_flops           XLA's count for one call of the compiled program, loop bodies once
program_bytes           XLA's count of bytes read and written, loop bodies once
program_temporary_bytes memory that the program takes beside its inputs and outputs
python_calls            calls of Python functions by one more repeat, in its thread (`bench.worker.host_calls`)
c_calls                 those of functions written in C
fixed_python_calls      those of a call of `fit` beside its steps
fixed_c_calls           those of functions written in C
programs_launched       calls among those of one more repeat that have the device compute something
transfers_to_device     those that make an array of the device of one of NumPy
transfers_to_host       those that make one of NumPy of one of the device
allocated_blocks_growth blocks of memory that Python's allocator holds more after one more call
growth_calls            calls of the operation over which memory grew: up to `GROWTH_CALLS` within `GROWTH_S`
growth_bytes            growth of the process's memory over these calls
device_s                seconds for which a GPU worked on one more repeat, by the framework's profiler
peak_resident_bytes     the process's peak memory meanwhile, data included (Linux)
peak_device_bytes       the most of a GPU's memory that arrays and programs took meanwhile; JAX keeps the peak of its
                        process alone, so that it is missing where an earlier operation took more

Where a framework tells nothing, a counter is missing: JAX's profiler has no event for an array that comes back from
the device. A CPU may share the memory of an array with NumPy instead of moving it. Growth of memory is noisy.
"""

from __future__ import annotations

import gc
import sys
import time
from functools import partial
from pathlib import Path

from bench.protocol import Count, Json
from bench.worker import backend, clock, device, host_calls, operations
from bench.worker.clock import Operation
from bench.worker.host_calls import HostCalls
from bench.worker.reviews import Reviews

GROWTH_CALLS, GROWTH_S = 1_000, 0.25
LATER_CALLS = 3
# The paths that users call, and the programs that predict.
GROWING = ("fit", "train_on_batch", "predict", "predict_on_batch", "eager", "compiled", "floor")
# Two numbers of calls, whose difference is free of what measuring allocates.
FEWER, MORE = 2, 6

# How profilers name what a GPU's streams did.
GPU_PLANES = "/device:GPU"

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def count(reviews: Reviews, request: Count) -> Json:
    """Prepare the operation of ``request`` from scratch, and count; "functions" has the calls of each function."""
    clock.unfreeze()
    gc.collect()
    compiler = backend.module("counters")
    compiler.forget_programs()
    _forget_peak()
    device.forget_peak()
    before, earlier_peak = compiler.programs(), device.peak_bytes()
    operation = operations.prepare(reviews, phase=request.phase, path=request.path, batch_size=request.batch_size)
    clock.block(operation, repeats=1, each=False)
    first = compiler.programs()
    clock.block(operation, repeats=min(LATER_CALLS, operation.largest), each=False)
    later = compiler.programs()
    found = {
        compiler.NAME: float(len(first - before)),
        f"re{compiler.NAME}": float(len(later - first)),
        **operation.program(),
        "peak_resident_bytes": _status_bytes("VmHWM"),
        **_device_peak(earlier_peak),
        **compiler.sizes(first - before),
    }
    clock.freeze()
    growth = _growth(operation) if request.path in GROWING else {}
    return {
        **found,
        **growth,
        **_host_path(operation, of_fit=request.path.startswith("fit")),
        **_device_time(operation),
    }


def _host_path(operation: Operation, *, of_fit: bool) -> Json:
    """Return the counters of calls, and the calls themselves; nothing of an operation without two lengths."""
    calls, observe = host_calls.count(operation), backend.module("counters").observe
    if calls is None:
        return {}
    observed = calls if observe is None else host_calls.count(operation, observe, rounds=1)
    return {**_calls(calls, of_fit=of_fit), **_device_calls(observed), "functions": calls.repeat}


def _calls(calls: HostCalls, *, of_fit: bool) -> dict[str, float]:
    """Return the counters of ``calls``; what a call costs beside its repeats is Keras's where that is `fit`."""
    fixed = {"fixed_python_calls": host_calls.in_python(calls.once), "fixed_c_calls": host_calls.in_c(calls.once)}
    return {
        "python_calls": host_calls.in_python(calls.repeat),
        "c_calls": host_calls.in_c(calls.repeat),
        **(fixed if of_fit else {}),
    }


def _device_calls(calls: HostCalls | None) -> dict[str, float]:
    """Return the counters that the backend's ``LAUNCHES`` and transfers find among ``calls``."""
    compiler, repeat = backend.module("counters"), {} if calls is None else calls.repeat
    kinds = {
        "programs_launched": compiler.LAUNCHES,
        "transfers_to_device": compiler.TO_DEVICE,
        "transfers_to_host": compiler.TO_HOST,
    }
    return {name: host_calls.matching(repeat, kind) for name, kind in kinds.items() if kind}


def _device_time(operation: Operation) -> dict[str, float]:
    """Return the seconds of a GPU for one more repeat: what two lengths differ by; nothing where there is no GPU."""
    longer = min(host_calls.LONGEST, operation.largest)
    if not device.on_gpu() or longer < 2:
        return {}
    one, many = (_busy_s(operation, repeats) for repeats in (1, longer))
    return {"device_s": (many - one) / (longer - 1)} if many > one else {}


def _busy_s(operation: Operation, repeats: int) -> float:
    return clock.busy_s(backend.module("counters").spans(partial(operation.complete, repeats), GPU_PLANES))


def _growth(operation: Operation) -> dict[str, float]:
    """Return what stays allocated by calls of one repeat each."""
    fewer, _ = _allocated_blocks(operation, FEWER)
    more, took_s = _allocated_blocks(operation, MORE)
    calls = max(1, min(GROWTH_CALLS, int(GROWTH_S * MORE / took_s)))
    before = _status_bytes("VmRSS")
    _repeat(operation, calls)
    gc.collect()
    return {
        "allocated_blocks_growth": (more - fewer) / (MORE - FEWER),
        "growth_calls": float(calls),
        "growth_bytes": _status_bytes("VmRSS") - before,
    }


def _allocated_blocks(operation: Operation, calls: int) -> tuple[int, float]:
    """Return how many blocks more Python's allocator holds after ``calls`` of ``operation``, and their seconds."""
    gc.collect()
    before, started = sys.getallocatedblocks(), time.perf_counter()
    _repeat(operation, calls)
    took_s = time.perf_counter() - started
    gc.collect()
    return sys.getallocatedblocks() - before, took_s


def _repeat(operation: Operation, calls: int) -> None:
    """Call ``operation`` so often, one repeat each; no garbage is collected meanwhile."""
    gc.disable()
    try:
        for _ in range(calls):
            operation.complete(1)
    finally:
        gc.enable()


def _device_peak(earlier: int | None) -> dict[str, float]:
    """Return the peak of the device's memory since it was ``earlier``; nothing where it is unknown or did not rise."""
    peak = device.peak_bytes()
    return {} if peak is None or (earlier is not None and peak <= earlier) else {"peak_device_bytes": float(peak)}


def _forget_peak() -> None:
    """Reset the kernel's peak; where it cannot, the peak is that of the whole process."""
    if _CLEAR.exists():
        _CLEAR.write_text("5")


def _status_bytes(name: str) -> float:
    """Return a line of the process's status in bytes; 0 where there is none."""
    lines = _STATUS.read_text().splitlines() if _STATUS.exists() else []
    sizes = [line.split()[1] for line in lines if line.startswith(f"{name}:")]
    return 1024 * float(sizes[0]) if sizes else 0.0
