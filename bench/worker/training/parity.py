"""Parity: predictions and first losses from given weights without dropout, for comparison between backends."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import keras
import numpy as np

from bench.protocol import Json, Parity
from bench.worker import device, distribution
from bench.worker.distribution import create
from bench.worker.operations import work
from bench.worker.reviews import Encoded, Reviews
from bench.worker.training import evaluate
from models.embedding import Embedding
from models.model import probabilities

# Rates and deviations at which Keras's layers draw random numbers; at zero they draw none.
DRAWING = ("rate", "dropout", "recurrent_dropout", "stddev")

# The most numbers of a user's model that are compared: one that predicts images predicts fewer of them.
MOST_VALUES = 100_000

# Seed of the weights that one target saves and every target loads.
WEIGHTS_SEED = 0


def answer(reviews: Reviews, request: Parity) -> Json:
    """Save or load the weights, predict ``request.reviews`` test reviews, then take the first training steps.

    Dropout is off because two backends draw different masks; everything else is as in training. "parts" says what else
    lets two backends part: see `bench.records.schema.ParityRecord`.
    """
    recipe = reviews.recipe
    keras.utils.clear_session()
    device.seed(WEIGHTS_SEED)
    model = create(recipe)
    _draw_nothing(model)
    if request.save:  # by one process: the others have the same ones by the same seed
        if distribution.leads():
            model.save_weights(request.weights)
    else:
        model.load_weights(request.weights)
    predicted = evaluate.predictor(model)(reviews.timed("test").rows(0, request.reviews).x)
    batches = islice(work.batches(reviews.timed("train"), recipe.batch_size), request.steps)
    before = device.drawn(model)
    return {
        "predictions": _values(predicted, logits=recipe.logits),
        "losses": [_step(model, batch) for batch in batches],
        "parts": "random"
        if device.drawn(model) != before
        else "embedding"
        if any(map(_unsummed, _layers(model)))
        else "",
    }


def _values(predicted: Any, *, logits: bool) -> list[float]:
    """Return the outputs of a model as one list: probabilities of reviews; of several outputs one after another."""
    outputs = keras.tree.flatten(predicted)
    most = MOST_VALUES // len(outputs)
    return [value for output in outputs for value in probabilities(np.asarray(output), logits=logits)[:most].tolist()]


def _layers(model: keras.Model) -> Iterator[keras.layers.Layer]:
    """Yield every layer of ``model``, those within layers too."""
    yield from model._flatten_layers(include_self=False)


def _draw_nothing(model: keras.Model) -> None:
    """Switch off what Keras's own layers draw in training."""
    for layer in _layers(model):
        for name in DRAWING:
            if type(layer).__module__.startswith("keras.") and isinstance(vars(layer).get(name), float):
                setattr(layer, name, 0.0)


def _unsummed(layer: keras.layers.Layer) -> bool:
    """Whether ``layer`` is an embedding whose gradient TensorFlow does not sum before Adam squares it."""
    return isinstance(layer, keras.layers.Embedding) and not isinstance(layer, Embedding)


def _step(model: keras.Model, batch: Encoded) -> float:
    """Take one training step and return its loss, without a running mean: Keras releases differ in that."""
    model.reset_metrics()
    batch, _ = distribution.share(batch, len(batch))
    return float(model.train_on_batch(batch.x, batch.y, return_dict=True)["loss"])
