"""A small Transformer encoder on the reviews.

    python -m bench run --recipes examples/own/transformer.py

The suite encodes the reviews as the recipe says; the model is compiled here.
"""

from __future__ import annotations

import keras

from kerasmark import Encoding, Recipe

RECIPE = Recipe.own(
    "transformer",
    batch_size=64,
    epochs=2,
    metric="accuracy",
    encoding=Encoding(words="text", vocabulary_size=5_000, form="padded", sequence_length=80),
)

UNITS, HEADS = 32, 2


@keras.saving.register_keras_serializable("kerasmark_examples")
class Positions(keras.layers.Layer):
    """Adds a learned vector for each position of a sequence."""

    def build(self, shape):
        self.table = self.add_weight(shape=shape[1:], initializer="uniform", name="table")

    def call(self, words):
        return words + self.table


def build(recipe):
    """Return a compiled model of one encoder block, whose mean over positions is classified."""
    ids = keras.Input((recipe.encoding.sequence_length,), dtype="int32")
    words = keras.layers.Embedding(recipe.encoding.vocabulary_size, UNITS)(ids)  # (batch, time, units)
    words = Positions()(words)
    attended = keras.layers.MultiHeadAttention(HEADS, UNITS // HEADS)(words, words)
    words = keras.layers.LayerNormalization()(words + attended)
    hidden = keras.layers.Dense(2 * UNITS, activation="relu")(words)
    words = keras.layers.LayerNormalization()(words + keras.layers.Dense(UNITS)(hidden))
    pooled = keras.layers.Dropout(0.2)(keras.layers.GlobalAveragePooling1D()(words))
    model = keras.Model(ids, keras.layers.Dense(1, activation="sigmoid")(pooled), name=recipe.name)
    model.compile("adam", loss="binary_crossentropy", metrics=["accuracy"])
    return model
