"""Evaluation on whole data from predictions: in NumPy for the suite's models, by Keras's own metrics for a user's."""

from __future__ import annotations

import math
from collections.abc import Callable

import keras
import numpy as np

from bench import backends
from bench.worker import distribution, driving, support
from bench.worker.reviews import Encoded, Reviews
from bench.worker.training import metrics
from models import own_data
from models.model import probabilities
from models.own_data import Arrays

# Divides 5,000, 7,500, 10,000 and 25,000: without a smaller last batch, prediction is compiled once.
PREDICT_BATCH = 500

Predict = Callable[[Arrays], Arrays]
Evaluate = Callable[[Encoded], dict[str, float]]


def evaluator(reviews: Reviews, model: keras.Model) -> Evaluate:
    """Return the function from data to the figures of ``model``; its prediction is compiled once for all epochs."""
    if reviews.recipe.family != "own":
        return _Binary(reviews, model)
    if support.overrides(model, "test_step"):
        return lambda data: _by_evaluate(model, data)
    predict = predictor(model)
    return lambda data: figures(model, data, predict(data.x))


def predictor(model: keras.Model) -> Predict:
    """Return the function from inputs to raw outputs for every row, NumPy in and out; by Keras where no program can."""
    size = math.lcm(PREDICT_BATCH, distribution.devices())  # as many rows for each device
    program = _program(model, size)

    return lambda x: in_parts(program, x, size)


def in_parts(predict: Predict, x: Arrays, size: int = PREDICT_BATCH) -> Arrays:
    """Return the outputs of ``predict`` for every row of ``x``, ``size`` rows at a time."""
    parts = [predict(own_data.part(x, start, start + size)) for start in range(0, own_data.rows(x), size)]
    return keras.tree.map_structure(lambda *arrays: np.concatenate(arrays), *parts)


def _program(model: keras.Model, size: int) -> Predict:
    """Return what predicts ``size`` rows at a time: a compiled program, which holds one device's weights, or Keras."""
    if distribution.processes() > 1:
        return _by_copy(model)
    if distribution.devices() > 1 or not backends.trains(keras.backend.backend()):
        return lambda x: model.predict(x, batch_size=size, verbose=0)
    return driving.predictor(model)


def _by_copy(model: keras.Model) -> Predict:
    """Return the prediction of a copy in this process alone, which takes the weights of ``model`` at each call.

    What several processes predict together no one of them can read.
    """
    with distribution.alone():
        copy = keras.models.clone_model(model)

    def predict(x: Arrays) -> Arrays:
        weights = model.get_weights()
        with distribution.alone():
            copy.set_weights(weights)
            return copy.predict_on_batch(x)

    return predict


def figures(model: keras.Model, data: Encoded, outputs: Arrays) -> dict[str, float]:
    """Return the loss and every metric of ``model`` over all of ``data`` at once, by Keras's names.

    `evaluate` gives a mean over batches instead, and in some releases another one on TensorFlow (keras#23084).
    """
    y, predicted = (keras.tree.map_structure(keras.ops.convert_to_tensor, part) for part in (data.y, outputs))
    model.reset_metrics()
    loss = model.compute_loss(None, y, predicted, training=False)
    found = model.compute_metrics(None, y, predicted)
    model.reset_metrics()
    return {**{name: float(value) for name, value in found.items()}, "loss": float(loss)}


def _by_evaluate(model: keras.Model, data: Encoded) -> dict[str, float]:
    """Return what a model says that evaluates itself in its own way."""
    found = model.evaluate(data.x, data.y, batch_size=PREDICT_BATCH, verbose=0, return_dict=True)
    return {name: float(value) for name, value in found.items()}


class _Binary:
    """Accuracy and loss of probabilities in NumPy."""

    def __init__(self, reviews: Reviews, model: keras.Model) -> None:
        self._model, self._logits = model, reviews.recipe.logits
        self._predict = predictor(model)

    def __call__(self, data: Encoded) -> dict[str, float]:
        """Return accuracy and loss on ``data``; the loss includes weight penalties, as Keras reports it."""
        positive = probabilities(self._predict(data.x), logits=self._logits)
        labels = data.y.reshape(-1).astype(np.int8)
        penalty = sum(float(loss) for loss in self._model.losses)
        return {
            "accuracy": metrics.accuracy(positive, labels),
            "loss": metrics.cross_entropy(positive, labels) + penalty,
        }
