"""The LSTM family: a recurrent layer over word embeddings; it is built here and compiled in `models.model`."""

from __future__ import annotations

import keras

from models import head
from models.embedding import Embedding
from models.recipes import Recipe, identifier


def build(recipe: Recipe) -> keras.Model:
    """Build the layers of ``recipe``: input (batch, sequence_length) of ids, output (batch, 1).

    The Embedding has one row more than the vocabulary, as published, and no mask.
    """
    encoding = recipe.encoding
    return keras.Sequential(
        [
            keras.Input((encoding.sequence_length,), dtype="int32"),
            Embedding(encoding.vocabulary_size + 1, recipe.embedding_units),  # (batch, time, units)
            *(_lstm(recipe, return_sequences=True) for _ in range(recipe.lstm_layers - 1)),  # (batch, time, units)
            _lstm(recipe, return_sequences=False),  # (batch, units)
            *head.layers(recipe, recipe.dropouts),
        ],
        name=identifier(recipe),
    )


def _lstm(recipe: Recipe, *, return_sequences: bool) -> keras.layers.LSTM:
    return keras.layers.LSTM(
        recipe.lstm_units,
        return_sequences=return_sequences,
        dropout=recipe.lstm_dropout,
        recurrent_dropout=recipe.recurrent_dropout,
    )
