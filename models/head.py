"""The head: hidden layers and the score that every family ends in; it is a part of a model."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from models.recipes import Recipe


def layers(recipe: Recipe, dropouts: Sequence[float]) -> list[keras.layers.Layer]:
    """Return the hidden layers, each followed by its dropout where ``dropouts`` has rates, and the last one."""
    found: list[keras.layers.Layer] = []
    penalty = keras.regularizers.L2(recipe.l2) if recipe.l2 else None
    for position, units in enumerate(recipe.hidden_units):
        found.append(keras.layers.Dense(units, activation="relu", kernel_regularizer=penalty))
        if dropouts:
            found.append(keras.layers.Dropout(dropouts[position]))
    return [*found, keras.layers.Dense(1, activation=None if recipe.logits else "sigmoid")]
