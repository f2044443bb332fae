"""The epochs of a training by the compiled loop, without clock and callbacks: which rows each step takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from bench.worker import compiled, support
from bench.worker.programs import Rows, Trainer, each

MAKERS: dict[str, Callable[[keras.Model], Trainer]] = {"train": compiled.trainer, "evaluate": compiled.evaluator}


class Training:
    """Trains ``model`` on x and y, NumPy arrays (rows, …) or structures of them.

    Raises Unsupported, with ``model`` as it was, where the loop cannot take its steps.
    """

    def __init__(
        self, model: keras.Model, x: Rows, y: Rows, *, batch_size: int, seed: int, shuffle: bool = True
    ) -> None:
        self.model = model
        self.rows = support.require_arrays(x=x, y=y)
        self.count = -(-self.rows // batch_size)
        self.whole = self.rows // batch_size * batch_size / self.rows  # share of rows in whole batches
        self._shuffle = np.random.default_rng(seed) if shuffle else None
        self._batches = Batches(model, "train", x, y, batch_size)

    def steps(self, at_once: int | None = None) -> Iterator[float]:
        """Take the steps of an epoch, at most ``at_once`` in one call; yield the share of rows after each call."""
        order = np.arange(self.rows) if self._shuffle is None else self._shuffle.permutation(self.rows)
        for seen in self._batches.take(order, at_once):
            yield seen / self.rows

    def figures(self) -> dict[str, Any]:
        """Return loss and metrics of the epoch by Keras's names; from here on the model holds its weights."""
        return self._batches.figures()


class Batches:
    """Data on the device, taken in batches by the program of a kind; the last batch may be smaller.

    Both sizes are compiled from the start, and nothing is updated until `take`.
    """

    def __init__(self, model: keras.Model, kind: str, x: Rows, y: Rows, batch_size: int) -> None:
        support.require_plain_training(model)
        self._kind, self._batch_size, self._kept = kind, batch_size, _kept(model)
        # Taken from the model until it holds what the steps left: an interrupted program is not used again.
        self._program = self._kept.pop(kind) if kind in self._kept else MAKERS[kind](model)
        self._x, self._y = (self._program.place(each(_floats, rows)) for rows in (x, y))
        for batches in self._split(np.zeros(len(keras.tree.flatten(x)[0]), np.int32)):
            with support.tracing():
                self._program.run(self._x, self._y, self._program.place(batches), 0, 0)  # compiles, and takes no step
        self._program.write_back()  # the first step begins with what the model holds by then

    def take(self, order: Any, at_once: int | None = None) -> Iterator[int]:
        """Take the steps through the rows ``order``, in calls of at most ``at_once``; yield how many rows were seen."""
        seen = 0
        for batches in self._split(order.astype(np.int32)):
            placed, count = self._program.place(batches), len(batches)
            for start in range(0, count, at_once or count):
                stop = min(start + (at_once or count), count)
                self._program.run(self._x, self._y, placed, start, stop)
                self._program.wait()
                seen += (stop - start) * batches.shape[1]
                yield seen

    def figures(self) -> dict[str, Any]:
        """Return loss and metrics since the last call; the model then holds what the steps left."""
        found = self._program.figures()
        self._program.write_back()
        self._kept[self._kind] = self._program
        return found

    def _split(self, order: Any) -> list[Any]:
        """Return ``order`` as whole batches (steps, batch), and the rest as one more; those that are there."""
        whole = len(order) // self._batch_size * self._batch_size
        parts = order[:whole].reshape(-1, self._batch_size), order[whole:].reshape(1, -1)
        return [part for part in parts if part.size]


@dataclass(frozen=True)
class _Programs:
    """What was compiled for a model by kind, and the loss tracker that each `compile` of Keras makes anew."""

    tracker: Any
    by_kind: dict[str, Trainer] = field(default_factory=dict)


def _kept(model: keras.Model) -> dict[str, Trainer]:
    """Return the programs that ``model`` keeps for its next training, as it keeps those of `fit`."""
    kept = vars(model).get("_kerasmark")
    if kept is None or kept.tracker is not model._loss_tracker:
        kept = vars(model)["_kerasmark"] = _Programs(model._loss_tracker)  # past Keras, which would save it
    return kept.by_kind  # type: ignore[no-any-return]


def _floats(values: Any) -> Any:
    """Return ``values`` in Keras's type of floats, as `fit` takes them."""
    return values.astype(keras.config.floatx(), copy=False) if values.dtype.kind == "f" else values
