"""Your own model in the suite: a recipe and a build function in one file.

    python -m bench run --recipes examples/own_model.py
    python -m bench train bigrams --recipes examples/own_model.py --save results/runs/bigrams
    python -m bench versions keras==3.14.1 keras==3.15.1 --recipes examples/own_model.py
    python -m bench regress --base main --repo . --recipes examples/own_model.py

The suite encodes the reviews as the recipe says, then trains, times and compares the model like its own four. Here
a convolution looks at pairs of neighbouring words, so that "not good" differs from "good".
"""

from __future__ import annotations

import keras

from kerasmark import Encoding, Optimizer, Recipe

RECIPE = Recipe.own(
    "bigrams",
    batch_size=64,
    epochs=3,
    held_out=5_000,
    encoding=Encoding(words="text", vocabulary_size=5_000, form="padded", sequence_length=200),
    optimizer=Optimizer("adam"),
)


def build(recipe: Recipe) -> keras.Model:
    """Return the layers; the suite compiles them with the recipe's optimizer, loss and metric."""
    return keras.Sequential(
        [
            keras.Input((recipe.encoding.sequence_length,), dtype="int32"),
            keras.layers.Embedding(recipe.encoding.vocabulary_size, 16),  # (batch, time, units)
            keras.layers.Conv1D(32, kernel_size=2, activation="relu"),
            keras.layers.GlobalMaxPooling1D(),  # (batch, units)
            keras.layers.Dense(1, activation="sigmoid"),
        ],
        name=recipe.name,
    )
