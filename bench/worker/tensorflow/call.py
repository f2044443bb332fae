"""Prediction of a batch as one TensorFlow graph, for `compiled` and `floor`; and the graphs of a function."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from bench.worker.programs import Rows, each

Tensor = Any  # a tf.Tensor, or a structure of them: the linter knows no framework
Kinds = tuple[tuple[tuple[int, ...], int], ...]  # a shape and a type for each tensor


class Call(ABC):
    """Predicts by one graph for each number of rows."""

    def __init__(self, *, jit_compile: bool) -> None:
        self.resolved: dict[str, Any] = {"jit_compile": jit_compile}
        self._program = Graphs(self._predict, jit_compile=jit_compile)

    @abstractmethod
    def _predict(self, x: Tensor) -> Tensor:
        """Return the scores of a batch."""

    def __call__(self, rows: Rows) -> Any:
        scores = self.run(placed(rows))
        try:  # TensorFlow's isinstance takes microseconds
            return scores.numpy()
        except AttributeError:  # a structure of tensors
            return each(np.asarray, scores)

    def place(self, rows: Rows) -> Tensor:
        return placed(rows)

    def run(self, placed: Tensor) -> Tensor:
        return self._program(placed)

    def program(self, rows: Rows) -> dict[str, float]:
        """Return nothing: TensorFlow does not report a graph's cost; `counters` counts its operations."""
        del rows
        return {}


class Graphs:
    """A function as graphs, one for each set of tensor shapes and types.

    `tf.function` looks for the right graph at each call by everything that it captured: half the cost of calling a
    training loop (1.4 ms against 0.8 for no step at all, on a busy 2-core machine), a quarter of a small prediction.
    It does so here for structures alone.
    """

    def __init__(self, function: Callable[..., Any], *, jit_compile: bool) -> None:
        self._function = tf.function(function, jit_compile=jit_compile, autograph=False)
        self._found: dict[Kinds, Callable[..., Any]] = {}

    def __call__(self, *tensors: Tensor) -> Any:
        try:
            kinds = tuple((tuple(tensor.shape), tensor.dtype.as_datatype_enum) for tensor in tensors)
        except AttributeError:  # a structure of tensors
            return self._function(*tensors)
        if kinds not in self._found:
            specs = [tf.TensorSpec(tensor.shape, tensor.dtype) for tensor in tensors]
            self._found[kinds] = self._function.get_concrete_function(*specs)
        return self._found[kinds](*tensors)

    def __len__(self) -> int:
        """Return how many graphs there are by now."""
        return len(self._found)


def placed(rows: Rows) -> Tensor:
    """Copy ``rows`` to the device."""
    return tf.constant(rows) if isinstance(rows, np.ndarray) else each(tf.constant, rows)
