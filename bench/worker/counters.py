"""Exact counters of an operation: compilations, traces, operations of its graph, bytes; they do not wobble.

compilations            programs that XLA compiled (JAX) until the first call was done
recompilations          those after it: more than none is a trap
traces                  functions of TensorFlow traced into graphs until the first call was done
retraces                those after it
graph_operations        operations of these graphs, loop bodies once
program_flops           XLA's count for one call of the compiled program, loop bodies once
program_bytes           XLA's count of bytes read and written, loop bodies once
program_temporary_bytes memory that the program takes beside its inputs and outputs
peak_resident_bytes     the process's largest memory meanwhile, data included (Linux)
growth_bytes            growth of the process's memory over `GROWTH_CALLS` calls of a prediction that users drive
"""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import keras

from bench.protocol import Count
from bench.worker import clock, operations
from bench.worker.clock import Operation
from bench.worker.reviews import Reviews

GROWTH_CALLS = 1_000
LATER_CALLS = 5
# A gate's own path: growth wobbles, so that it decides nothing there, and a thousand calls take a minute of every gate.
WITHOUT_GROWTH = ("compiled resident",)

# JAX's name for the event that XLA compiled a program.
_COMPILED = "/jax/core/compile/backend_compile_duration"
_EVENTS: list[str] = []

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def count(reviews: Reviews, request: Count) -> dict[str, float]:
    """Prepare the operation that ``request`` names for this alone, and count."""
    clock.unsettle()
    gc.collect()
    _forget_programs()
    _forget_peak()
    before = _programs()
    operation = operations.prepare(reviews, phase=request.phase, path=request.path, batch_size=request.batch_size)
    clock.block(operation, repeats=1, each=False)
    first = _programs()
    clock.block(operation, repeats=LATER_CALLS, each=False)
    later = _programs()
    name = "compilations" if _on_jax() else "traces"
    found = {
        name: float(len(first - before)),
        f"re{name}": float(len(later - first)),
        **operation.program(),
        "peak_resident_bytes": _status_bytes("VmHWM"),
    }
    if not _on_jax():
        found["graph_operations"] = float(sum(operations for _, operations in first - before))
    if request.phase == "predict" and request.path not in WITHOUT_GROWTH:
        found["growth_bytes"] = _growth_bytes(operation)
    return found


def _on_jax() -> bool:
    return bool(keras.backend.backend() == "jax")


def _programs() -> set[tuple[int, int]]:
    """Return what was compiled (JAX) or traced (TensorFlow) so far: a number, and the operations of a graph."""
    if _on_jax():
        return {(number, 0) for number in range(_compilations())}
    import tensorflow as tf

    kind = tf.types.experimental.ConcreteFunction
    found = [thing for thing in gc.get_objects() if isinstance(thing, kind)]
    return {(id(function), _operations(function.graph.as_graph_def())) for function in found}


def _operations(graph: Any) -> int:
    return len(graph.node) + sum(len(function.node_def) for function in graph.library.function)


def _forget_programs() -> None:
    """Let nothing that ran before save this operation a compilation."""
    if _on_jax():
        import jax

        jax.clear_caches()


def _compilations() -> int:
    """Return how many programs JAX handed to XLA since this was first asked."""
    import jax

    if not _EVENTS:
        _EVENTS.append("listening")
        jax.monitoring.register_event_duration_secs_listener(lambda event, *_, **__: _EVENTS.append(event))
    return _EVENTS.count(_COMPILED)


def _growth_bytes(operation: Operation) -> float:
    gc.collect()
    before = _status_bytes("VmRSS")
    clock.block(operation, repeats=GROWTH_CALLS, each=False)
    gc.collect()
    return _status_bytes("VmRSS") - before


def _forget_peak() -> None:
    """Let the kernel begin a new peak; where it cannot, the peak is the process's since it started."""
    if _CLEAR.exists():
        _CLEAR.write_text("5")


def _status_bytes(name: str) -> float:
    """Return a line of the process's status in bytes; 0 where there is none."""
    lines = _STATUS.read_text().splitlines() if _STATUS.exists() else []
    sizes = [line.split()[1] for line in lines if line.startswith(f"{name}:")]
    return 1024 * float(sizes[0]) if sizes else 0.0
