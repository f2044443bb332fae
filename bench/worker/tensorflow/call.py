"""Prediction of a batch as one TensorFlow graph, for `compiled` and `floor`; and the graphs of a function."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from bench.worker.programs import Rows

Tensor = Any  # a tf.Tensor: the linter knows no framework
Shapes = tuple[tuple[int, ...], ...]


class Call(ABC):
    """Predicts by one graph for each number of rows."""

    def __init__(self, *, jit_compile: bool) -> None:
        self.resolved: dict[str, Any] = {"jit_compile": jit_compile}
        self._program = Graphs(self._predict, jit_compile=jit_compile)

    @abstractmethod
    def _predict(self, x: Tensor) -> Tensor:
        """Return the scores of a batch."""

    def __call__(self, rows: Rows) -> npt.NDArray[np.float32]:
        return self.run(tf.constant(rows)).numpy()  # type: ignore[no-any-return]

    def place(self, rows: Rows) -> Tensor:
        return tf.constant(rows)

    def run(self, placed: Tensor) -> Tensor:
        return self._program(placed)

    def program(self, rows: Rows) -> dict[str, float]:
        """Return nothing: TensorFlow does not report a graph's cost; `counters` counts its operations."""
        del rows
        return {}


class Graphs:
    """A function as graphs, one for each set of tensor shapes; the types must not change.

    `tf.function` looks for the right graph at each call by everything that it captured: half the cost of calling a
    training loop (1.4 ms against 0.8 for no step at all, on a busy 2-core machine), a quarter of a small prediction.
    """

    def __init__(self, function: Callable[..., Any], *, jit_compile: bool) -> None:
        self._function = tf.function(function, jit_compile=jit_compile, autograph=False)
        self._found: dict[Shapes, Callable[..., Any]] = {}

    def __call__(self, *tensors: Tensor) -> Any:
        shapes = tuple(tuple(tensor.shape) for tensor in tensors)
        if shapes not in self._found:
            specs = [tf.TensorSpec(tensor.shape, tensor.dtype) for tensor in tensors]
            self._found[shapes] = self._function.get_concrete_function(*specs)
        return self._found[shapes](*tensors)

    def __len__(self) -> int:
        """Return how many graphs there are by now."""
        return len(self._found)
