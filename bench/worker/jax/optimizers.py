"""Keras's optimizers for the floor: RMSprop of optax, and Adam as Keras has it."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import keras
import optax

Weights = list[Any]


class Moments(NamedTuple):
    """The state of Adam: its steps, and the running means of gradients and of their squares."""

    count: Any
    first: Weights
    second: Weights


def like(optimizer: keras.optimizers.Optimizer) -> optax.GradientTransformation:
    """Return Keras's RMSprop or Adam with the constants of ``optimizer`` and a fresh state."""
    rate = float(optimizer.learning_rate)
    if isinstance(optimizer, keras.optimizers.RMSprop):
        return optax.rmsprop(rate, decay=optimizer.rho, eps=optimizer.epsilon, eps_in_sqrt=True)
    return _adam(rate=rate, beta_1=optimizer.beta_1, beta_2=optimizer.beta_2, epsilon=optimizer.epsilon)


def _adam(*, rate: float, beta_1: float, beta_2: float, epsilon: float) -> optax.GradientTransformation:
    """Return Adam with its paper's "epsilon hat", as Keras has it; optax adds epsilon to the corrected moment."""

    def init(weights: Weights) -> Moments:
        return Moments(jnp.zeros((), jnp.int32), *([jnp.zeros_like(weight) for weight in weights] for _ in range(2)))

    def update(gradients: Weights, state: Moments, _: Any = None) -> tuple[Weights, Moments]:
        count = state.count + 1
        first = jax.tree.map(lambda m, g: m + (g - m) * (1 - beta_1), state.first, gradients)
        second = jax.tree.map(lambda v, g: v + (g * g - v) * (1 - beta_2), state.second, gradients)
        alpha = rate * jnp.sqrt(1 - beta_2**count) / (1 - beta_1**count)
        updates = jax.tree.map(lambda m, v: -alpha * m / (jnp.sqrt(v) + epsilon), first, second)
        return updates, Moments(count, first, second)

    return optax.GradientTransformation(init, update)
