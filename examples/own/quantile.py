"""A regression with a loss and a floor of its own: the upper quartile of a disease's progress, scikit-learn's data.

python -m bench run --recipes examples/own/quantile.py
"""

from __future__ import annotations

import keras
import numpy as np
from sklearn.datasets import load_diabetes

from kerasmark import Recipe

RECIPE = Recipe.own("quantile", batch_size=32, epochs=40, metric="loss", direction="min")

QUANTILE, PENALTY = 0.75, 1e-4
TEST_ROWS = 88


def data(split, seed):
    """Return ten measurements of a patient and the progress a year later, in hundreds; ``seed`` draws the test rows."""
    patients, progress = load_diabetes(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(patients))
    rows = order[:TEST_ROWS] if split == "test" else order[TEST_ROWS:]
    return 20 * patients[rows], progress[rows, None] / 100


def pinball(true, predicted):
    """Return the quantile loss, (rows, 1): too low costs three times as much as too high."""
    over = predicted - true
    return keras.ops.maximum((1 - QUANTILE) * over, -QUANTILE * over)


def covered(true, predicted):
    """Return which values lie below their prediction: three quarters should."""
    return keras.ops.cast(true <= predicted, "float32")


def build(recipe):
    """Return a compiled model whose loss and metric are functions of this file."""
    model = keras.Sequential(
        [
            keras.Input((10,)),
            keras.layers.Dense(32, activation="gelu", kernel_regularizer=keras.regularizers.L2(PENALTY)),
            keras.layers.Dense(16, activation="gelu"),
            keras.layers.Dense(1),
        ],
        name=recipe.name,
    )
    model.compile(keras.optimizers.RMSprop(0.002), loss=pinball, metrics=[covered])
    return model


def floor(_recipe):
    """Return the model's arithmetic by hand, with which every path is compared: its outputs, and the loss of a step.

    ``weights`` are the values of the model's variables. `keras.ops` serves both backends; jax.numpy or tf would do.
    """

    def predict(weights, x):
        first, offset, *head = weights
        hidden = keras.ops.gelu(x @ first + offset, approximate=False)
        hidden = keras.ops.gelu(hidden @ head[0] + head[1], approximate=False)
        return hidden @ head[2] + head[3]

    def loss(weights, x, y):
        return keras.ops.mean(pinball(y, predict(weights, x))) + PENALTY * keras.ops.sum(weights[0] ** 2)

    return predict, loss
