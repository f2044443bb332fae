"""A Keras model as compiled programs with data resident on the device: the fastest correct way to drive it.

Every backend offers the same two classes. JAX compiles Keras's public stateless calls, TensorFlow its layers and
optimizer, inside a loop that is part of the program: one call from Python takes many steps.
"""

from __future__ import annotations

import keras

from bench.worker import backend
from bench.worker.programs import Predictor, Trainer
from models.recipes import Recipe


def trainer(recipe: Recipe, model: keras.Model, *, patch: bool = True) -> Trainer:
    """Return the training program of ``model``, compiled by `models.model` for ``recipe``.

    ``patch`` gives plain layers a faster gradient of the same result (see `layers` of the backend); without it they
    are Keras's own.
    """
    threshold = 0.0 if recipe.logits else 0.5
    return backend.module("compiled").Trainer(model, threshold=threshold, patch=patch)  # type: ignore[no-any-return]


def predictor(model: keras.Model, *, patch: bool = True) -> Predictor:
    """Return the prediction program of ``model``, which reads the model's weights at each call."""
    return backend.module("compiled").Predictor(model, patch=patch)  # type: ignore[no-any-return]
