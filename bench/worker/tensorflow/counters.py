"""The functions that TensorFlow traced into graphs in this process."""

from __future__ import annotations

import gc
import re
from typing import Any

import tensorflow as tf

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


def _operations(graph: Any) -> int:
    return len(graph.node) + sum(len(function.node_def) for function in graph.library.function)
