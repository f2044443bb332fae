"""The loop over training steps as one TensorFlow graph, for `compiled` and `floor`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import tensorflow as tf

from bench.worker.programs import Rows, each
from bench.worker.tensorflow.call import Graphs, placed

Tensor = Any  # a tf.Tensor, or a structure of them: the linter knows no framework


class Loop(ABC):
    """Takes steps in one graph; their number is its argument, so that one graph serves every number of steps."""

    def __init__(self, *, jit_compile: bool) -> None:
        self.resolved: dict[str, Any] = {"jit_compile": jit_compile}
        self._run = Graphs(self._loop, jit_compile=jit_compile)

    @abstractmethod
    def _step(self, x: Tensor, y: Tensor) -> None:
        """Train on one batch."""

    def place(self, rows: Rows) -> Tensor:
        return placed(rows)

    def run(self, x: Tensor, y: Tensor, order: Tensor, start: int, stop: int) -> None:
        self._run(x, y, order, tf.constant(start), tf.constant(stop))

    def program(self, x: Tensor, y: Tensor, order: Tensor) -> dict[str, float]:
        """Return nothing: TensorFlow does not report a graph's cost; `counters` counts its operations."""
        del x, y, order
        return {}

    def _loop(self, x: Tensor, y: Tensor, order: Tensor, start: Tensor, stop: Tensor) -> None:
        def body(i: Tensor) -> tuple[Tensor]:
            rows = order[i]
            self._step(*each(lambda values: tf.gather(values, rows), (x, y)))
            return (i + 1,)

        tf.while_loop(lambda i: i < stop, body, (start,), parallel_iterations=1)


class SummingLoop(Loop):
    """A loop that sums up loss times reviews, correct answers and reviews seen."""

    def __init__(self, *, jit_compile: bool) -> None:
        self._sums = tuple(tf.Variable(0.0, trainable=False) for _ in range(3))
        super().__init__(jit_compile=jit_compile)

    def figures(self) -> dict[str, float]:
        loss, correct, seen = (float(total) for total in self._sums)
        for total in self._sums:
            total.assign(0.0)
        return {"loss": loss / seen, "accuracy": correct / seen}

    def wait(self) -> None:
        float(self._sums[-1])

    def _add(self, loss: Tensor, correct: Tensor, size: int) -> None:
        for total, value in zip(self._sums, (loss * size, correct, float(size)), strict=True):
            total.assign_add(value)
