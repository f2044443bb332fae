"""The prediction of a batch as one TensorFlow graph, whoever wrote it: `compiled` or `floors`; no model here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from bench.worker.programs.graphs_tensorflow import Graphs

Rows = npt.NDArray[Any]
Tensor = Any  # a tf.Tensor: the linter knows no framework


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
        """TensorFlow says nothing of a graph's cost; its operations are counted elsewhere."""
        del rows
        return {}
