"""The dense family: fully connected layers over multi-hot words; it is built here and compiled in `models.model`."""

from __future__ import annotations

import keras

from models.recipes import Recipe


def build(recipe: Recipe) -> keras.Model:
    """Build the layers of ``recipe``: input (batch, vocabulary_size), output (batch, 1)."""
    hidden = [keras.layers.Dense(units, activation="relu") for units in recipe.hidden_units]
    return keras.Sequential(
        [
            keras.Input((recipe.encoding.vocabulary_size,), dtype="float32"),
            *hidden,
            keras.layers.Dense(1, activation=None if recipe.logits else "sigmoid"),
        ],
        name=recipe.name.replace("-", "_"),
    )
