"""Keras's optimizers as TensorFlow's fused operations: for the floor, and on the state of a Keras model."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import keras
import tensorflow as tf

from bench.worker.layer_patches import patching

Weights = list[Any]
Update = Callable[[list[Any]], None]


def like(optimizer: keras.optimizers.Optimizer, weights: Weights) -> Update:
    """Return the update of ``weights`` by gradients: one operation for each weight, one pass over its memory."""
    rate = float(optimizer.learning_rate)
    if isinstance(optimizer, keras.optimizers.RMSprop):
        return _rmsprop(weights, rate=rate, rho=optimizer.rho, epsilon=optimizer.epsilon)
    return _adam(weights, rate=rate, beta_1=optimizer.beta_1, beta_2=optimizer.beta_2, epsilon=optimizer.epsilon)


def fused(optimizer: keras.optimizers.Optimizer) -> AbstractContextManager[None]:
    """Let ``optimizer`` update weights by TensorFlow's fused operation inside the block, if it is Adam.

    All else is left to Keras: what happens to gradients before, and to weights after.
    """
    plain = type(optimizer) in (keras.optimizers.Adam, keras.optimizers.AdamW) and not optimizer.amsgrad
    return patching([(optimizer, "_backend_update_step", partial(_adam_steps, optimizer))] if plain else [])


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


def _adam_steps(optimizer: keras.optimizers.Adam, gradients: list[Any], weights: list[Any], rate: Any) -> None:
    """Replace what calls `update_step` for each of ``weights``, which are on one device.

    TensorFlow's operation has the paper's "epsilon hat", as Keras has. Slices of a table are left to Keras, which
    squares them before it adds them up.
    """
    kind = tf.as_dtype(keras.config.floatx())
    step, rate = tf.cast(optimizer.iterations + 1, kind), tf.cast(rate, kind)
    betas = {"beta1": optimizer.beta_1, "beta2": optimizer.beta_2}
    powers = {f"{name}_power": tf.pow(beta, step) for name, beta in betas.items()}
    for gradient, weight in zip(gradients, weights, strict=True):
        if isinstance(gradient, tf.IndexedSlices) or weight.dtype != kind.name:
            optimizer.update_step(gradient, weight.value, rate)
            continue
        index = optimizer._get_variable_index(weight)
        slots = {"m": optimizer._momentums[index].value.handle, "v": optimizer._velocities[index].value.handle}
        same = {**betas, **powers, "lr": rate, "epsilon": optimizer.epsilon}
        tf.raw_ops.ResourceApplyAdam(var=weight.value.handle, grad=tf.cast(gradient, kind), **slots, **same)
