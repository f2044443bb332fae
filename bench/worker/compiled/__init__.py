"""A Keras model as compiled programs of its backend, data resident on the device: the fastest correct way to drive it.

Both backends offer the same two classes. Keras's public stateless calls (JAX) or its layers and optimizer
(TensorFlow) stand inside a loop that is part of the program, so that Python is asked once for many steps. Plain
layers are exchanged for the same with a gradient that a CPU computes faster.
"""

from __future__ import annotations

from typing import Any, Protocol

import keras
import numpy as np
import numpy.typing as npt

from models.recipes import Recipe

Rows = npt.NDArray[Any]


class Trainer(Protocol):
    """Training as one program that loops over steps."""

    resolved: dict[str, Any]

    def place(self, rows: Rows) -> Any:
        """Copy ``rows``, (rows, …), to the device, once for all epochs."""

    def run(self, x: Any, y: Any, order: Any, start: int, stop: int) -> None:
        """Take the steps ``start`` to ``stop``: step i trains on the rows ``order[i]``, (steps, batch) int32.

        All but the numbers are placed. A batch of another size than before compiles again.
        """

    def figures(self) -> dict[str, float]:
        """Return running "loss" and "accuracy" as `fit` prints them, and begin new ones."""

    def write_back(self) -> None:
        """Give the model the weights that the steps left; until then its variables may be out of date."""

    def wait(self) -> None:
        """Return once every step is done."""

    def program(self, x: Any, y: Any, order: Any) -> dict[str, float]:
        """Return what the backend's compiler says of the program, a loop's body once: see `bench.worker.counters`."""


class Predictor(Protocol):
    """Prediction as one program: raw outputs for a batch, NumPy in and NumPy out, (batch, …) to (batch, 1)."""

    resolved: dict[str, Any]

    def __call__(self, rows: Rows) -> npt.NDArray[np.float32]:
        """Predict ``rows``; another number of rows than before compiles again."""

    def place(self, rows: Rows) -> Any:
        """Copy ``rows`` to the device."""

    def run(self, placed: Any) -> Any:
        """Predict rows that were placed; the scores stay on the device, perhaps not computed yet."""

    def program(self, rows: Rows) -> dict[str, float]:
        """Return what the backend's compiler says of the program for as many rows."""


def trainer(recipe: Recipe, model: keras.Model, *, exchange: bool = True) -> Trainer:
    """Return the training program of ``model``, compiled by `models.model` for ``recipe``.

    With ``exchange`` its layers are given faster gradients of the same results (`layers_jax`, `layers_tensorflow`);
    without, they are Keras's own.
    """
    threshold = 0.0 if recipe.logits else 0.5
    return _backend().Trainer(model, threshold=threshold, exchange=exchange)  # type: ignore[no-any-return]


def predictor(model: keras.Model, *, exchange: bool = True) -> Predictor:
    """Return the prediction program of ``model``, which reads the model's weights at each call."""
    return _backend().Predictor(model, exchange=exchange)  # type: ignore[no-any-return]


def _backend() -> Any:
    if keras.backend.backend() == "jax":
        from bench.worker.compiled import jax

        return jax
    from bench.worker.compiled import tensorflow

    return tensorflow
