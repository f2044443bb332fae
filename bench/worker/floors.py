"""The floors: each recipe's arithmetic by hand in its backend's own terms, without Keras's layers.

A floor is tuned on a CPU and says how fast the backend can do the work; `tests/bench/worker/test_floors.py` proves
that it is the same work. A user's own floor proves it here, before it is timed. The Keras model only provides the
initial weights and the optimizer.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from bench.worker import backend, compiled, device
from bench.worker.programs import Predictor, Trainer, Unsupported
from bench.worker.reviews import Reviews
from datasets.errors import ExpectedError
from models import own_floor
from models.model import create
from models.own_data import Arrays
from models.recipes import Recipe

# Float32 and another order of summation, as between two backends.
TOLERANCE = 1e-5

_CHECKED: set[str] = set()


def trainer(recipe: Recipe, model: keras.Model) -> Trainer:
    """Return the hand-written training program of ``recipe``, from the weights of ``model`` and a fresh optimizer."""
    if recipe.family == "own":
        return compiled.trainer(_by_hand(recipe, model))
    return backend.module("floor").Trainer(recipe, model)  # type: ignore[no-any-return]


def predictor(recipe: Recipe, model: keras.Model) -> Predictor:
    """Return the hand-written prediction program of ``recipe`` with the present weights of ``model``."""
    if recipe.family == "own":
        return compiled.predictor(_by_hand(recipe, model))
    return backend.module("floor").Predictor(recipe, model)  # type: ignore[no-any-return]


def require_same_work(reviews: Reviews) -> None:
    """Raise ExpectedError where a user's floor predicts, loses or learns something else than their model."""
    recipe = reviews.recipe
    if recipe.family == "own" and recipe.name not in _CHECKED:  # once for all paths of a recipe
        _check(reviews)
        _CHECKED.add(recipe.name)


def _by_hand(recipe: Recipe, model: keras.Model) -> own_floor.ByHand:
    found = own_floor.by_hand(recipe, model)
    if found is None:
        raise Unsupported(f"its file has no floor on {keras.backend.backend()}")
    return found


def _check(reviews: Reviews) -> None:
    model, other = create(reviews.recipe), create(reviews.recipe)
    model.set_weights(_shifted(model.get_weights()))
    other.set_weights(model.get_weights())
    hand = _by_hand(reviews.recipe, other)
    batch = reviews.timed("train").rows(0, reviews.recipe.batch_size)
    _compare(reviews, "predictions", model.predict_on_batch(batch.x), hand.predict_on_batch(batch.x))
    before = device.drawn(model)
    losses = [one.train_on_batch(batch.x, batch.y, return_dict=True)["loss"] for one in (model, hand)]
    if device.drawn(model) != before:
        raise Unsupported("a floor of a model that draws random numbers, which cannot be compared with it,")
    _compare(reviews, "loss of a step", *losses)
    _compare(reviews, "weights after a step", *([v.numpy() for v in one.trainable_variables] for one in (model, other)))


def _shifted(weights: list[Any]) -> list[Any]:
    """Return ``weights`` a little apart from what they begin with: biases are zero, which hides how they are used."""
    generator = np.random.default_rng(0)
    return [one + 0.01 * generator.random(one.shape) if one.dtype.kind == "f" else one for one in weights]


def _compare(reviews: Reviews, what: str, expected: Arrays, found: Arrays) -> None:
    pairs = zip(keras.tree.flatten(expected), keras.tree.flatten(found), strict=True)
    for one, other in ((np.asarray(a, np.float64), np.asarray(b, np.float64)) for a, b in pairs):
        worst = np.abs(one - other).max() if one.shape == other.shape else np.inf
        if not worst <= TOLERANCE * max(1.0, np.abs(one).max()):
            raise ExpectedError(
                f"{reviews.recipe.name}: expected its floor to do the work of its model; their {what} differ by "
                f"{worst:.1e} from equal weights"
            )
