"""The model: a recipe's layers, compiled with its optimizer, loss and metric; it trains nothing."""

from __future__ import annotations

from collections.abc import Callable

import keras

from models import dense, lstm, own, pooling
from models.recipes import Family, Recipe

BUILDERS: dict[Family, Callable[[Recipe], keras.Model]] = {
    "dense": dense.build,
    "pooling": pooling.build,
    "lstm": lstm.build,
}

# A recipe of one's own may name any optimizer of Keras: these are the ones whose floors are written.
OPTIMIZERS: dict[str, type[keras.optimizers.Optimizer]] = {
    "rmsprop": keras.optimizers.RMSprop,
    "adam": keras.optimizers.Adam,
}


def create(recipe: Recipe, *, steps_per_execution: int = 1, jit_compile: bool | str = "auto") -> keras.Model:
    """Return the compiled model of ``recipe`` with fresh weights from Keras's global seed."""
    model = (own.builder(recipe) if recipe.file else BUILDERS[recipe.family])(recipe)
    model.compile(
        optimizer=OPTIMIZERS[recipe.optimizer.name](learning_rate=recipe.optimizer.learning_rate),
        loss=keras.losses.BinaryCrossentropy(from_logits=recipe.logits),
        metrics=[keras.metrics.BinaryAccuracy(name="accuracy", threshold=0.0 if recipe.logits else 0.5)],
        steps_per_execution=steps_per_execution,
        jit_compile=jit_compile,
    )
    return model
