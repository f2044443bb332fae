"""The layers of each model family; `models.model` compiles them."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from models.embedding import Embedding
from models.recipes import Recipe, identifier


def dense(recipe: Recipe) -> keras.Model:
    """Build fully connected layers over multi-hot words: input (batch, vocabulary_size), output (batch, 1)."""
    multi_hot = keras.Input((recipe.encoding.vocabulary_size,), dtype="float32")
    return keras.Sequential([multi_hot, *_head(recipe, recipe.dropouts)], name=identifier(recipe))


def pooling(recipe: Recipe) -> keras.Model:
    """Build the average of word embeddings: input (batch, sequence_length) of ids, output (batch, 1).

    Padding is averaged like any other id, as in both sources: their embeddings carry no mask.
    """
    encoding = recipe.encoding
    after_embedding, after_pooling, *after_hidden = recipe.dropouts
    layers: list[keras.layers.Layer] = [
        keras.Input((encoding.sequence_length,), dtype="int32"),
        _embedding(recipe, encoding.vocabulary_size),  # (batch, time, units)
        keras.layers.Dropout(after_embedding),
        keras.layers.GlobalAveragePooling1D(),  # (batch, units)
        keras.layers.Dropout(after_pooling),
    ]
    return keras.Sequential([*layers, *_head(recipe, after_hidden)], name=identifier(recipe))


def lstm(recipe: Recipe) -> keras.Model:
    """Build recurrent layers over word embeddings: input (batch, sequence_length) of ids, output (batch, 1).

    The Embedding has one row more than the vocabulary, as published, and no mask.
    """
    encoding = recipe.encoding
    return keras.Sequential(
        [
            keras.Input((encoding.sequence_length,), dtype="int32"),
            _embedding(recipe, encoding.vocabulary_size + 1),  # (batch, time, units)
            *(_layer(recipe, return_sequences=True) for _ in range(recipe.lstm_layers - 1)),  # (batch, time, units)
            _layer(recipe, return_sequences=False),  # (batch, units)
            *_head(recipe, recipe.dropouts),
        ],
        name=identifier(recipe),
    )


def _embedding(recipe: Recipe, words: int) -> keras.layers.Embedding:
    kind = keras.layers.Embedding if recipe.embedding == "keras" else Embedding
    return kind(words, recipe.embedding_units)


def _layer(recipe: Recipe, *, return_sequences: bool) -> keras.layers.LSTM:
    return keras.layers.LSTM(
        recipe.lstm_units,
        return_sequences=return_sequences,
        dropout=recipe.lstm_dropout,
        recurrent_dropout=recipe.recurrent_dropout,
    )


def _head(recipe: Recipe, dropouts: Sequence[float]) -> list[keras.layers.Layer]:
    """Return the hidden layers, each followed by its dropout where ``dropouts`` has rates, and the output layer."""
    found: list[keras.layers.Layer] = []
    penalty = keras.regularizers.L2(recipe.l2) if recipe.l2 else None
    for position, units in enumerate(recipe.hidden_units):
        found.append(keras.layers.Dense(units, activation="relu", kernel_regularizer=penalty))
        if dropouts:
            found.append(keras.layers.Dropout(dropouts[position]))
    # In float32 whatever the policy: a probability near one has too few numbers around it in sixteen bits.
    return [*found, keras.layers.Dense(1, activation=None if recipe.logits else "sigmoid", dtype="float32")]
