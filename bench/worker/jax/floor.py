"""The floors in JAX, with optax: forward pass, loss and optimizer as plain functions of arrays.

A ratio in a comment is the median of neighbouring runs on a busy 2-core machine, of the whole step unless stated.
Tried and rejected: the batch split into eight for the cache (dense: 0.4 to 1.0, unstable), look-up without a check of
bounds (1.0), XLA's own generator for the masks (1.0).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import keras
import optax

from bench.worker.jax import optimizers, recurrence
from bench.worker.jax.call import Call
from bench.worker.jax.loop import SummingLoop, zero_sums
from bench.worker.jax.masks import dropped
from models.recipes import Recipe

Array = Any  # a jax.Array: the linter knows no framework
Weights = list[Array]
Drop = Callable[[Array], Array]


class State(NamedTuple):
    """Everything that a step reads and writes; ``loss`` and ``correct`` are sums over ``seen`` reviews."""

    weights: Weights
    optimizer: Any
    key: Array
    loss: Array
    correct: Array
    seen: Array


class Trainer(SummingLoop):
    """Hand-written training."""

    def __init__(self, recipe: Recipe, model: keras.Model) -> None:
        self._recipe, self._model, optimizer = recipe, model, optimizers.like(model.optimizer)
        weights = _transposed(recipe, [jnp.copy(variable.value) for variable in model.trainable_variables])
        super().__init__(
            State(weights, optimizer.init(weights), jax.random.key(0), **zero_sums()), _step(recipe, optimizer)
        )

    def write_back(self) -> None:
        weights = _transposed(self._recipe, self._state.weights)
        for variable, array in zip(self._model.trainable_variables, weights, strict=True):
            variable.assign(jnp.copy(array))


class Predictor(Call):
    """Hand-written prediction, with the weights that the model had at construction."""

    def __init__(self, recipe: Recipe, model: keras.Model) -> None:
        weights = [jnp.copy(variable.value) for variable in model.trainable_variables]
        self._weights = {False: weights, True: _transposed(recipe, weights)}
        super().__init__(_predict(recipe), static_argnums=(2,))

    def _arguments(self, rows: Array) -> tuple[Any, ...]:
        # One review against the kernels as Keras has them: dense 0.4 of the transposed ones' time; 32 reviews: 1.15.
        transposed = len(rows) > 1
        return self._weights[transposed], rows, transposed


def _transposed(recipe: Recipe, weights: Weights) -> Weights:
    """Transpose the kernels of the Dense layers, to train on: dense 0.8. Twice gives them back."""
    head = len(weights) - 2 * len(recipe.hidden_units) - 2
    return [*weights[:head], *(array.T for array in weights[head:])]


def _predict(recipe: Recipe) -> Callable[[Weights, Array, bool], Array]:
    def predict(weights: Weights, x: Array, transposed: bool) -> Array:
        logits = _logits(recipe, weights if transposed else _transposed(recipe, weights), x, lambda values: values)
        return logits if recipe.logits else jax.nn.sigmoid(logits)

    return predict


def _step(recipe: Recipe, optimizer: optax.GradientTransformation) -> Callable[[State, Array, Array], State]:
    def loss(weights: Weights, x: Array, y: Array, key: Array) -> tuple[Array, Array]:
        logits = _logits(recipe, weights, x, _dropout(recipe.dropouts, key))
        hidden = weights[-2 - 2 * len(recipe.hidden_units) : -2 : 2]
        penalty = sum(recipe.l2 * jnp.sum(jnp.square(kernel)) for kernel in hidden) if recipe.l2 else 0.0
        return jnp.mean(optax.sigmoid_binary_cross_entropy(logits, y)) + penalty, logits

    def step(state: State, x: Array, y: Array) -> State:
        key, mine = jax.random.split(state.key)
        (value, logits), gradients = jax.value_and_grad(loss, has_aux=True)(state.weights, x, y, mine)
        updates, moments = optimizer.update(gradients, state.optimizer)
        correct = jnp.sum((logits > 0) == (y > 0.5), dtype=jnp.float32)
        sums = (state.loss + value * len(x), state.correct + correct, state.seen + len(x))
        return State(optax.apply_updates(state.weights, updates), moments, key, *sums)

    return step


def _logits(recipe: Recipe, weights: Weights, x: Array, drop: Drop) -> Array:
    """Return the logits, (batch, 1), by transposed weights; ``drop`` is called where the model has a Dropout."""
    values, head = _FEATURES[recipe.family](weights, x, drop)
    *hidden, (kernel, bias) = zip(head[::2], head[1::2], strict=True)
    for weight, offset in hidden:
        values = drop(jax.nn.relu(values @ weight.T + offset))
    return values @ kernel.T + bias


def _dense(weights: Weights, x: Array, _drop: Drop) -> tuple[Array, Weights]:
    return x, weights


def _pooling(weights: Weights, x: Array, drop: Drop) -> tuple[Array, Weights]:
    table, *head = weights
    return drop(jnp.mean(drop(table[x]), axis=1)), head


def _lstm(weights: Weights, x: Array, _drop: Drop) -> tuple[Array, Weights]:
    table, kernel, recurrent, bias, *head = weights
    return recurrence.last_output(table[x.T], kernel, recurrent, bias), head


_FEATURES = {"dense": _dense, "pooling": _pooling, "lstm": _lstm}


def _dropout(rates: tuple[float, ...], key: Array) -> Drop:
    """Return a function that drops at the next of ``rates`` at each call, and at none after the last."""
    pending = iter(zip(rates, jax.random.split(key, max(len(rates), 1)), strict=False))

    def drop(values: Array) -> Array:
        rate, mine = next(pending, (0.0, key))
        return dropped(values, rate, mine) if rate else values

    return drop
