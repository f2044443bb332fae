"""Parity: predictions and first losses from given weights without dropout, for comparison between backends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras

from bench.protocol import Json, Parity
from bench.worker import compiled, device
from bench.worker.reviews import Encoded, Reviews
from bench.worker.training.phases import predict
from models.embedding import Embedding
from models.model import create, probabilities

# Rates and deviations at which Keras's layers draw random numbers; at zero they draw none.
DRAWING = ("rate", "dropout", "recurrent_dropout", "stddev")

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
    if request.save:
        model.save_weights(request.weights)
    model.load_weights(request.weights)
    scores = predict(compiled.predictor(model), reviews.timed("test").x[: request.reviews])
    size, data = recipe.batch_size, reviews.timed("train")
    batches = [data.rows(start, start + size) for start in range(0, request.steps * size, size)]
    before = _drawn(model)
    return {
        "predictions": probabilities(scores, logits=recipe.logits).tolist(),
        "losses": [_step(model, batch) for batch in batches],
        "parts": "random" if _drawn(model) != before else "embedding" if any(map(_unsummed, _layers(model))) else "",
    }


def _layers(model: keras.Model) -> Iterator[keras.layers.Layer]:
    """Yield every layer of ``model``, those within layers too."""
    yield from model._flatten_layers(include_self=False)


def _draw_nothing(model: keras.Model) -> None:
    """Switch off what Keras's own layers draw in training."""
    for layer in _layers(model):
        for name in DRAWING:
            if type(layer).__module__.startswith("keras.") and isinstance(vars(layer).get(name), float):
                setattr(layer, name, 0.0)


def _drawn(model: keras.Model) -> list[Any]:
    """Return the states of the random generators that ``model`` holds: each draw changes one."""
    states = [variable for variable in model.non_trainable_variables if variable.name == "seed_generator_state"]
    return [keras.ops.convert_to_numpy(variable.value).tolist() for variable in states]


def _unsummed(layer: keras.layers.Layer) -> bool:
    """Whether ``layer`` is an embedding whose gradient TensorFlow does not sum before Adam squares it."""
    return isinstance(layer, keras.layers.Embedding) and not isinstance(layer, Embedding)


def _step(model: keras.Model, batch: Encoded) -> float:
    """Take one training step and return its loss, without a running mean: Keras releases differ in that."""
    model.reset_metrics()
    return float(model.train_on_batch(batch.x, batch.y, return_dict=True)["loss"])
