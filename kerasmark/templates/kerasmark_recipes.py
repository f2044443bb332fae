"""A model of your own for kerasmark: what it learns from, how it is built, and what it must reach.

    kerasmark run --recipes kerasmark_recipes.py --profile smoke   # a quick check
    kerasmark run --recipes kerasmark_recipes.py                   # train it, then time it, on each backend

The file runs as it is, on data that NumPy makes. Put your own data and layers in its place.
"""

import keras
import numpy as np

from kerasmark import Recipe

RECIPE = Recipe.own(
    "groups",  # its name in tables: letters, digits, dots and dashes
    batch_size=32,  # rows a training step
    epochs=5,
    metric="accuracy",  # what decides: "loss", or a metric's name as `model.evaluate(return_dict=True)` has it
    direction="max",  # "min" where less is better, as for a loss
    expected=0.94,  # what it reaches, and by how much it may miss that; speed counts only where it does. Change both
    tolerance=0.02,  # with your model, or drop them: `kerasmark reference` then measures them over seeds
)

FEATURES, GROUPS = 20, 4
ROWS = {"train": 4_000, "test": 1_000}


def data(split, seed):
    """Return arrays of equal length: x, (rows, features) float32, and y, (rows,) int32; `split` is "train" or "test".

    Several inputs or outputs are a dictionary, list or tuple of arrays. Data of your own need no seed; load them here:
    `numpy.load(pathlib.Path(__file__).with_name("my-data.npz"))`.
    """
    centres = np.random.default_rng(0).normal(size=(GROUPS, FEATURES))
    drawn = np.random.default_rng([seed, split == "test"])
    y = drawn.integers(GROUPS, size=ROWS[split])
    x = centres[y] + drawn.normal(scale=1.5, size=(len(y), FEATURES))
    return x.astype("float32"), y.astype("int32")


def build(recipe):
    """Return a compiled model; it is trained and timed with this loss, this optimizer and these metrics."""
    model = keras.Sequential(
        [
            keras.Input((FEATURES,)),
            keras.layers.Dense(64, activation="relu"),  # (rows, units)
            keras.layers.Dense(GROUPS, activation="softmax"),
        ],
        name=recipe.name,
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model
