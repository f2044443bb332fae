"""The model of a recipe: its layers, compiled with its optimizer, loss and metric."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import keras
import numpy as np
import numpy.typing as npt

from datasets.errors import UsageError
from models import families, own_model
from models.recipes import Family, Optimizer, Recipe

BUILDERS: dict[Family, Callable[[Recipe], keras.Model]] = {
    "dense": families.dense,
    "pooling": families.pooling,
    "lstm": families.lstm,
}

# Floors exist for the first two alone: the published recipes use no other.
OPTIMIZERS: dict[str, type[keras.optimizers.Optimizer]] = {
    "rmsprop": keras.optimizers.RMSprop,
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "adagrad": keras.optimizers.Adagrad,
    "adadelta": keras.optimizers.Adadelta,
    "sgd": keras.optimizers.SGD,
}


def create(
    recipe: Recipe, *, steps_per_execution: int | None = None, jit_compile: bool | None = None, cudnn: bool = True
) -> keras.Model:
    """Return the compiled model of ``recipe`` with fresh weights from Keras's global seed.

    What is None is as Keras has it by default, or as a user's file compiled the model. Without ``cudnn``, LSTM layers
    of the suite's own models are loops over time on a GPU as well.
    """
    with policy(recipe.precision):
        model = own_model.build(recipe) if recipe.file else BUILDERS[recipe.family](recipe)
        if not cudnn:
            _forgo_cudnn(model)
        if not model.compiled:
            compile_for(model, recipe)
    if steps_per_execution is not None:
        model.steps_per_execution = steps_per_execution
    if jit_compile is not None:
        model.jit_compile = jit_compile
    return model


@contextmanager
def policy(name: str) -> Iterator[None]:
    """Let layers that are made meanwhile have Keras's dtype policy ``name``; afterwards it is what it was."""
    former = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(former)


def _forgo_cudnn(model: keras.Model) -> None:
    """Make LSTM layers what ``use_cudnn=False`` makes them; before `compile`, which asks for `supports_jit`."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.LSTM):
            layer.use_cudnn, layer.supports_jit = False, True


def compile_for(model: keras.Model, recipe: Recipe) -> keras.Model:
    """Compile ``model`` with the optimizer, loss and metric of ``recipe``, and return it."""
    if recipe.optimizer is None:
        raise UsageError(f"{recipe.name}: expected an optimizer to compile with; received none")
    model.compile(
        optimizer=optimizer(recipe.optimizer),
        loss=keras.losses.BinaryCrossentropy(from_logits=recipe.logits),
        metrics=[keras.metrics.BinaryAccuracy(name="accuracy", threshold=0.0 if recipe.logits else 0.5)],
    )
    return model


def optimizer(wanted: Optimizer) -> keras.optimizers.Optimizer:
    """Return Keras's optimizer with the settings of ``wanted``, others at Keras's defaults."""
    settings = {"momentum": wanted.momentum} if wanted.momentum else {}
    return OPTIMIZERS[wanted.name](learning_rate=wanted.learning_rate, **settings)


def probabilities(scores: npt.ArrayLike, *, logits: bool) -> npt.NDArray[np.float64]:
    """Return a model's raw outputs, (rows,) or (rows, 1), as probabilities of a positive review, (rows,)."""
    values = np.asarray(scores, np.float64).reshape(-1)
    return 0.5 * (1.0 + np.tanh(0.5 * values)) if logits else values  # the logistic function, without overflow
