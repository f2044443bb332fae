"""The compiled programs of a Keras model in JAX: `jax.lax.fori_loop` around its stateless calls."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import keras

from bench.worker.jax.call import Call
from bench.worker.jax.layers import patched
from bench.worker.jax.loop import Loop, zero_sums

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

    def __init__(self, model: keras.Model, *, threshold: float, patch: bool) -> None:
        self._model = model
        model.optimizer.build(model.trainable_variables)
        # Copies, because the program reuses the memory of its input and the model's variables must stay readable.
        values = [[jnp.copy(variable.value) for variable in group] for group in _variables(model)]
        super().__init__(State(*values, **zero_sums()), _step(model, threshold, patch))

    def write_back(self) -> None:
        values = (self._state.trainable, self._state.non_trainable, self._state.optimizer)
        for group, arrays in zip(_variables(self._model), values, strict=True):
            for variable, array in zip(group, arrays, strict=True):
                variable.assign(jnp.copy(array))


class Predictor(Call):
    """Predicts with a Keras model."""

    def __init__(self, model: keras.Model, *, patch: bool) -> None:
        # Gathered once: that takes as long as a small prediction. Their values are read at each call.
        self._trainable, self._non_trainable, _ = _variables(model)
        super().__init__(_predict(model, patch))

    def _arguments(self, rows: Array) -> tuple[Any, ...]:
        # What `value` returns outside of a scope; its look-up of the scope took 1.5 us a variable.
        return ([v._value for v in self._trainable], [v._value for v in self._non_trainable]), rows


def _variables(model: keras.Model) -> tuple[list[Any], list[Any], list[Any]]:
    optimizer = getattr(model, "optimizer", None)  # a model that was loaded to predict has none
    return model.trainable_variables, model.non_trainable_variables, optimizer.variables if optimizer else []


def _predict(model: keras.Model, patch: bool) -> Callable[[tuple[list[Array], list[Array]], Array], Array]:
    def predict(weights: tuple[list[Array], list[Array]], x: Array) -> Array:
        with patched(model) if patch else nullcontext():
            return model.stateless_call(*weights, x, training=False)[0]

    return predict


def _step(model: keras.Model, threshold: float, patch: bool) -> Callable[[State, Array, Array], State]:
    def loss(trainable: list[Array], non_trainable: list[Array], x: Array, y: Array) -> tuple[Array, Any]:
        with patched(model) if patch else nullcontext():
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
