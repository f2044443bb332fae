"""Parity: predictions and first losses from given weights without dropout, for comparison between backends."""

from __future__ import annotations

from dataclasses import replace

import keras

from bench.protocol import Json, Parity
from bench.worker import compiled, device
from bench.worker.reviews import Encoded, Reviews
from bench.worker.training.phases import predict
from models.model import create, probabilities

# Seed of the weights that one target saves and every target loads.
WEIGHTS_SEED = 0


def answer(reviews: Reviews, request: Parity) -> Json:
    """Save or load the weights, predict ``request.reviews`` test reviews, then take the first training steps.

    Dropout is off because two backends draw different masks; everything else is as in training.
    """
    recipe = replace(reviews.recipe, dropouts=tuple(0.0 for _ in reviews.recipe.dropouts))
    keras.utils.clear_session()
    device.seed(WEIGHTS_SEED)
    model = create(recipe)
    if request.save:
        model.save_weights(request.weights)
    model.load_weights(request.weights)
    scores = predict(compiled.predictor(model), reviews.timed("test").x[: request.reviews])
    size, data = recipe.batch_size, reviews.timed("train")
    batches = [data.rows(start, start + size) for start in range(0, request.steps * size, size)]
    return {
        "predictions": probabilities(scores, logits=recipe.logits).tolist(),
        "losses": [_step(model, batch) for batch in batches],
    }


def _step(model: keras.Model, batch: Encoded) -> float:
    """Take one training step and return its loss, without a running mean: Keras releases differ in that."""
    model.reset_metrics()
    return float(model.train_on_batch(batch.x, batch.y, return_dict=True)["loss"])
