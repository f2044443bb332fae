"""The compiled programs of a Keras model in JAX: `jax.lax.fori_loop` around its stateless calls; it times nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import keras
import numpy as np
import numpy.typing as npt

from bench.worker.compiled.analysis import analyse
from bench.worker.compiled.layers_jax import exchanged
from bench.worker.compiled.loop_jax import Loop, zero_sums

Rows = npt.NDArray[Any]
Array = Any  # a jax.Array: the linter knows no framework


class State(NamedTuple):
    """Everything that a step reads and writes; ``loss`` and ``correct`` are sums over ``seen`` reviews."""

    trainable: list[Array]
    non_trainable: list[Array]
    optimizer: list[Array]
    loss: Array
    correct: Array
    seen: Array


class Trainer(Loop):
    """Trains a Keras model."""

    def __init__(self, model: keras.Model, *, threshold: float) -> None:
        self._model = model
        model.optimizer.build(model.trainable_variables)
        # Copies: the program reuses the memory of its input, and the model's variables must stay readable.
        values = [[jnp.copy(variable.value) for variable in group] for group in _variables(model)]
        super().__init__(State(*values, **zero_sums()), _step(model, threshold))

    def write_back(self) -> None:
        values = (self._state.trainable, self._state.non_trainable, self._state.optimizer)
        for group, arrays in zip(_variables(self._model), values, strict=True):
            for variable, array in zip(group, arrays, strict=True):
                variable.assign(jnp.copy(array))


class Predictor:
    """Predicts by one program; the weights are its arguments, so that they are not built into it as constants."""

    resolved: dict[str, Any] = {"jit_compile": True}

    def __init__(self, model: keras.Model) -> None:
        self._model = model
        self._run = jax.jit(_predict(model))

    def __call__(self, rows: Rows) -> npt.NDArray[np.float32]:
        return np.asarray(self._run(self._weights(), rows))

    def program(self, rows: Rows) -> dict[str, float]:
        return analyse(self._run, self._weights(), rows)

    def _weights(self) -> tuple[list[Array], list[Array]]:
        trainable, non_trainable, _ = _variables(self._model)
        return [v.value for v in trainable], [v.value for v in non_trainable]


def _variables(model: keras.Model) -> tuple[list[Any], list[Any], list[Any]]:
    optimizer = model.optimizer.variables if model.optimizer else []
    return model.trainable_variables, model.non_trainable_variables, optimizer


def _predict(model: keras.Model) -> Callable[[tuple[list[Array], list[Array]], Array], Array]:
    def predict(weights: tuple[list[Array], list[Array]], x: Array) -> Array:
        with exchanged(model):
            return model.stateless_call(*weights, x, training=False)[0]

    return predict


def _step(model: keras.Model, threshold: float) -> Callable[[State, Array, Array], State]:
    def loss(trainable: list[Array], non_trainable: list[Array], x: Array, y: Array) -> tuple[Array, Any]:
        with exchanged(model):
            scores, updated, penalties = model.stateless_call(
                trainable, non_trainable, x, training=True, return_losses=True
            )
        return model.loss(y, scores) + sum(penalties), (scores, updated)

    differentiate = jax.value_and_grad(loss, has_aux=True)

    def step(state: State, x: Array, y: Array) -> State:
        (value, (scores, non_trainable)), gradients = differentiate(state.trainable, state.non_trainable, x, y)
        trainable, optimizer = model.optimizer.stateless_apply(state.optimizer, gradients, state.trainable)
        correct = jnp.sum((scores > threshold) == (y > 0.5), dtype=jnp.float32)
        size = x.shape[0]
        sums = (state.loss + value * size, state.correct + correct, state.seen + size)
        return State(trainable, non_trainable, optimizer, *sums)

    return step
