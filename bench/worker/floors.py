"""The floors: each recipe's arithmetic by hand in its backend's own terms, without Keras's layers and optimizer.

A floor is tuned on a CPU and says how fast the backend can do the work; `tests/bench/worker/test_floors.py` proves
that it is the same work. The Keras model only provides the initial weights and the optimizer's constants.
"""

from __future__ import annotations

import keras

from bench.worker import backend
from bench.worker.programs import Predictor, Trainer
from models.recipes import Recipe


def trainer(recipe: Recipe, model: keras.Model) -> Trainer:
    """Return the hand-written training program of ``recipe``, from the weights of ``model`` and a fresh optimizer."""
    return backend.module("floor").Trainer(recipe, model)  # type: ignore[no-any-return]


def predictor(recipe: Recipe, model: keras.Model) -> Predictor:
    """Return the hand-written prediction program of ``recipe`` with the present weights of ``model``."""
    return backend.module("floor").Predictor(recipe, model)  # type: ignore[no-any-return]
