"""The floors: each recipe's arithmetic by hand in its backend's own terms, without Keras's layers and optimizer.

A floor says how fast the backend does the work, and is tuned on a CPU; `tests/bench/test_floors.py` proves that it is
the same work. A Keras model only lends its weights and its optimizer's constants.
"""

from __future__ import annotations

from typing import Any

import keras

from bench.worker.programs import Predictor, Trainer
from models.recipes import Recipe


def trainer(recipe: Recipe, model: keras.Model) -> Trainer:
    """Return the hand-written training program of ``recipe``, from the weights of ``model`` and a fresh optimizer."""
    return _backend().Trainer(recipe, model)  # type: ignore[no-any-return]


def predictor(recipe: Recipe, model: keras.Model) -> Predictor:
    """Return the hand-written prediction program of ``recipe`` with the weights that ``model`` has now."""
    return _backend().Predictor(recipe, model)  # type: ignore[no-any-return]


def _backend() -> Any:
    if keras.backend.backend() == "jax":
        from bench.worker.floors import jax

        return jax
    from bench.worker.floors import tensorflow

    return tensorflow
