"""A Keras model as compiled programs with data resident on the device: the fastest correct way to drive it.

Every backend offers the same classes. They trace Keras's own `train_step`, `test_step` and call inside a loop that is
part of the program: one call from Python takes many steps.
"""

from __future__ import annotations

import keras

from bench.worker import backend, support
from bench.worker.programs import Predictor, Trainer


def trainer(model: keras.Model, *, patch: bool = True) -> Trainer:
    """Return the training program of ``model``, with the loss, metrics and optimizer that it was compiled with.

    ``patch`` gives plain layers a faster gradient of the same result (see `layers` of the backend); without it they
    are Keras's own. Raises Unsupported where the program would do something else than `fit`.
    """
    programs = backend.module("compiled")
    support.require_plain_training(model)
    return programs.Trainer(model, patch=patch and _in_float32(model))  # type: ignore[no-any-return]


def evaluator(model: keras.Model) -> Trainer:
    """Return the program of ``model`` whose steps evaluate, as `evaluate` does, and update metrics alone."""
    programs = backend.module("compiled")
    support.require_plain_training(model)
    return programs.Evaluator(model, patch=_in_float32(model))  # type: ignore[no-any-return]


def predictor(model: keras.Model, *, patch: bool = True) -> Predictor:
    """Return the prediction program of ``model``, which reads the model's weights at each call."""
    return backend.module("compiled").Predictor(model, patch=patch and _in_float32(model))  # type: ignore[no-any-return]


def _in_float32(model: keras.Model) -> bool:
    """Whether every layer computes in float32, as those of patches do."""
    return all(layer.compute_dtype == "float32" for layer in model._flatten_layers(include_self=False))
