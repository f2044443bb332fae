"""The LSTM family: a recurrent layer over word embeddings; it is built here and compiled in `models.model`."""

from __future__ import annotations

import keras

from models.embedding import Embedding
from models.recipes import Recipe


def build(recipe: Recipe) -> keras.Model:
    """Build the layers of ``recipe``: input (batch, sequence_length) of ids, output (batch, 1).

    The Embedding has one row more than the vocabulary, as published, and no mask.
    """
    encoding = recipe.encoding
    hidden = [keras.layers.Dense(units, activation="relu") for units in recipe.hidden_units]
    return keras.Sequential(
        [
            keras.Input((encoding.sequence_length,), dtype="int32"),
            Embedding(encoding.vocabulary_size + 1, recipe.embedding_units),  # (batch, time, units)
            keras.layers.LSTM(recipe.lstm_units),  # (batch, units)
            *hidden,
            keras.layers.Dense(1, activation=None if recipe.logits else "sigmoid"),
        ],
        name=recipe.name.replace("-", "_"),
    )
