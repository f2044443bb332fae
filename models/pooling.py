"""The pooling family: the average of word embeddings; it is built here and compiled in `models.model`."""

from __future__ import annotations

import keras

from models import head
from models.embedding import Embedding
from models.recipes import Recipe, identifier


def build(recipe: Recipe) -> keras.Model:
    """Build the layers of ``recipe``: input (batch, sequence_length) of ids, output (batch, 1).

    Padding is averaged like any other id, as in both sources: their embeddings carry no mask.
    """
    encoding = recipe.encoding
    after_embedding, after_pooling, *after_hidden = recipe.dropouts
    layers: list[keras.layers.Layer] = [
        keras.Input((encoding.sequence_length,), dtype="int32"),
        Embedding(encoding.vocabulary_size, recipe.embedding_units),  # (batch, time, units)
        keras.layers.Dropout(after_embedding),
        keras.layers.GlobalAveragePooling1D(),  # (batch, units)
        keras.layers.Dropout(after_pooling),
    ]
    return keras.Sequential([*layers, *head.layers(recipe, after_hidden)], name=identifier(recipe))
