"""A small convolutional net on real handwritten digits: scikit-learn's 1,797 images of 8 x 8 pixels.

python -m bench run --recipes examples/own/digits.py
"""

from __future__ import annotations

import keras
import numpy as np
from sklearn.datasets import load_digits

from kerasmark import Recipe

RECIPE = Recipe.own("digits", batch_size=32, epochs=8, metric="accuracy")

TEST_ROWS = 360


def data(split, seed):
    """Return images, (rows, 8, 8, 1) from 0 to 1, and the digits; ``seed`` draws the test rows."""
    images, digits = load_digits(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(images))
    rows = order[:TEST_ROWS] if split == "test" else order[TEST_ROWS:]
    return images[rows].reshape(-1, 8, 8, 1) / 16, digits[rows]


def build(recipe):
    """Return a compiled model with state beside its weights: batch normalization's moving averages, and dropout."""
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(16, 3, padding="same", use_bias=False),
            keras.layers.BatchNormalization(momentum=0.9),
            keras.layers.Activation("relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(32, 3, padding="same", activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(10, activation="softmax"),
        ],
        name=recipe.name,
    )
    model.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model
