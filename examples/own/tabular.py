"""A multilayer perceptron with two outputs on tabular data: scikit-learn's breast cancer data, 569 rows.

    python -m bench run --recipes examples/own/tabular.py

From ten measurements of a cell's nucleus it predicts whether the tumour is benign, and its largest radius.
"""

from __future__ import annotations

import keras
import numpy as np
from sklearn.datasets import load_breast_cancer

from kerasmark import Recipe

RECIPE = Recipe.own(
    "tabular",
    batch_size=32,
    epochs=30,
    metric="benign_accuracy",  # what `model.evaluate(return_dict=True)` calls it
    direction="max",
)

TEST_ROWS = 114
WORST_RADIUS = 20  # a column of the data


def data(split, seed):
    """Return inputs and labels by the names of the model's inputs and outputs; ``seed`` draws the test rows."""
    table, benign = load_breast_cancer(return_X_y=True)
    table = (table - table.mean(axis=0)) / table.std(axis=0)
    order = np.random.default_rng(seed).permutation(len(table))
    rows = order[:TEST_ROWS] if split == "test" else order[TEST_ROWS:]
    return {"means": table[rows, :10]}, {"benign": benign[rows], "radius": table[rows, WORST_RADIUS]}


def build(recipe):
    """Return a compiled model: its optimizer, losses and metrics are kept."""
    means = keras.Input((10,), name="means")
    hidden = keras.layers.Dense(32, activation="relu")(means)
    hidden = keras.layers.Dense(32, activation="relu")(hidden)
    outputs = {
        "benign": keras.layers.Dense(1, activation="sigmoid", name="benign")(hidden),
        "radius": keras.layers.Dense(1, name="radius")(hidden),
    }
    model = keras.Model({"means": means}, outputs, name=recipe.name)
    model.compile(
        optimizer=keras.optimizers.Adam(0.003),
        loss={"benign": "binary_crossentropy", "radius": "mse"},
        loss_weights={"benign": 1.0, "radius": 0.5},
        metrics={"benign": ["accuracy"], "radius": ["mae"]},
    )
    return model
