"""A Keras model as compiled programs of its backend, data resident on the device: the fastest correct way to drive it.

Both backends offer the same two classes. Keras's public stateless calls (JAX) or its layers and optimizer
(TensorFlow) stand inside a loop that is part of the program, so that Python is asked once for many steps. Plain
layers are exchanged for the same with a gradient that a CPU computes faster.
"""

from __future__ import annotations

from typing import Any

import keras

from bench.worker.programs import Predictor, Trainer
from models.recipes import Recipe


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
