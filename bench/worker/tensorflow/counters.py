"""The functions that TensorFlow traced into graphs in this process."""

from __future__ import annotations

import gc
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow as tf

try:
    from tensorflow.tsl.profiler.protobuf import xplane_pb2
except ImportError:
    xplane_pb2 = None

Program = tuple[int, int]  # an identity, and the number of operations of the graph

# What a new program is counted as.
NAME = "traces"

# Functions that have the device compute something: each operation outside of a graph, and each graph. The profiler of
# Python's calls sees all of them, so that no other one observes them.
LAUNCHES = re.compile(r"TFE_Py_(Execute|ExecuteCancelable|FastPathExecute) ")
# Those that make a tensor of an array of NumPy, and the reverse; on a CPU they may share its memory.
TO_DEVICE = re.compile(r"constant_op\.convert_to_eager_tensor$")
TO_HOST = re.compile(r"EagerTensor\._numpy_internal ")
observe = None


def programs() -> set[Program]:
    """Return every traced function that is alive."""
    kind = tf.types.experimental.ConcreteFunction
    found = [thing for thing in gc.get_objects() if isinstance(thing, kind)]
    return {(id(function), _operations(function.graph.as_graph_def())) for function in found}


def forget_programs() -> None:
    """Do nothing: a new function is traced anew."""


def sizes(programs: set[Program]) -> dict[str, float]:
    """Return the operations of all graphs together, loop bodies once."""
    return {"graph_operations": float(sum(operations for _, operations in programs))}


def spans(work: Callable[[], object], planes: str) -> list[tuple[float, float]]:
    """Return when what ``work`` had done in ``planes`` began and ended, in seconds; empty without a profiler's schema.

    TensorFlow's profiler writes into a folder.
    """
    if xplane_pb2 is None:
        return []
    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder, tf.profiler.experimental.ProfilerOptions(python_tracer_level=0))
        try:
            work()
        finally:
            tf.profiler.experimental.stop()
        space = xplane_pb2.XSpace()
        for file in Path(folder).rglob("*.xplane.pb"):
            space.MergeFromString(file.read_bytes())
    found = [line for plane in space.planes if plane.name.startswith(planes) for line in plane.lines]
    begun = [(line.timestamp_ns / 1e9, event) for line in found for event in line.events]
    return [(at + one.offset_ps / 1e12, at + (one.offset_ps + one.duration_ps) / 1e12) for at, one in begun]


def _operations(graph: Any) -> int:
    return len(graph.node) + sum(len(function.node_def) for function in graph.library.function)
