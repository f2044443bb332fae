"""Keras's optimizers as TensorFlow's own fused operations; it knows no recipe."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

Weights = list[Any]
Update = Callable[[list[Any]], None]


def like(optimizer: keras.optimizers.Optimizer, weights: Weights) -> Update:
    """Return what applies gradients to ``weights``: one operation a weight, which reads and writes its memory once."""
    rate = float(optimizer.learning_rate)
    if isinstance(optimizer, keras.optimizers.RMSprop):
        return _rmsprop(weights, rate=rate, rho=optimizer.rho, epsilon=optimizer.epsilon)
    return _adam(weights, rate=rate, beta_1=optimizer.beta_1, beta_2=optimizer.beta_2, epsilon=optimizer.epsilon)


def _adam(weights: Weights, *, rate: float, beta_1: float, beta_2: float, epsilon: float) -> Update:
    """Return Adam's update; TensorFlow's operation has the paper's "epsilon hat", as Keras has it."""
    first, second = ([tf.Variable(tf.zeros_like(weight)) for weight in weights] for _ in range(2))
    powers = [tf.Variable(1.0), tf.Variable(1.0)]

    def update(gradients: list[Any]) -> None:
        power_1, power_2 = powers[0].assign(powers[0] * beta_1), powers[1].assign(powers[1] * beta_2)
        for weight, m, v, gradient in zip(weights, first, second, gradients, strict=True):
            tf.raw_ops.ResourceApplyAdam(
                var=weight.handle, m=m.handle, v=v.handle, beta1_power=power_1, beta2_power=power_2,
                lr=rate, beta1=beta_1, beta2=beta_2, epsilon=epsilon, grad=gradient,
            )  # fmt: skip

    return update


def _rmsprop(weights: Weights, *, rate: float, rho: float, epsilon: float) -> Update:
    """Return RMSprop's update; epsilon is under the root, in TensorFlow's operation as in Keras."""
    squares, momenta = ([tf.Variable(tf.zeros_like(weight)) for weight in weights] for _ in range(2))

    def update(gradients: list[Any]) -> None:
        for weight, square, momentum, gradient in zip(weights, squares, momenta, gradients, strict=True):
            tf.raw_ops.ResourceApplyRMSProp(
                var=weight.handle, ms=square.handle, mom=momentum.handle,
                lr=rate, rho=rho, momentum=0.0, epsilon=epsilon, grad=gradient,
            )  # fmt: skip

    return update
