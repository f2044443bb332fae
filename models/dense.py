"""The dense family: fully connected layers over multi-hot words; it is built here and compiled in `models.model`."""

from __future__ import annotations

import keras

from models import head
from models.recipes import Recipe, identifier


def build(recipe: Recipe) -> keras.Model:
    """Build the layers of ``recipe``: input (batch, vocabulary_size), output (batch, 1)."""
    multi_hot = keras.Input((recipe.encoding.vocabulary_size,), dtype="float32")
    return keras.Sequential([multi_hot, *head.layers(recipe, recipe.dropouts)], name=identifier(recipe))
