"""Keras's optimizers as TensorFlow's fused operations: for the floor, and on the state of a Keras model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

Weights = list[Any]
Update = Callable[[list[Any]], None]


def like(optimizer: keras.optimizers.Optimizer, weights: Weights) -> Update:
    """Return the update of ``weights`` by gradients: one operation for each weight, one pass over its memory."""
    rate = float(optimizer.learning_rate)
    if isinstance(optimizer, keras.optimizers.RMSprop):
        return _rmsprop(weights, rate=rate, rho=optimizer.rho, epsilon=optimizer.epsilon)
    return _adam(weights, rate=rate, beta_1=optimizer.beta_1, beta_2=optimizer.beta_2, epsilon=optimizer.epsilon)


def apply(optimizer: keras.optimizers.Optimizer, gradients: list[Any], weights: list[Any]) -> None:
    """Update ``weights`` by ``gradients`` as ``optimizer`` would, and its state with them.

    TensorFlow's fused Adam has the "epsilon hat" of the paper, as Keras has. All else is left to Keras, as are slices
    of a table: Keras squares them before it adds them up, which a dense gradient does the other way round.
    """
    sliced = any(isinstance(gradient, tf.IndexedSlices) for gradient in gradients)
    if _plain_adam(optimizer) and not sliced:
        _apply_adam(optimizer, gradients, weights)
    else:
        optimizer.apply_gradients(zip(gradients, weights, strict=True))


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


def _plain_adam(optimizer: keras.optimizers.Optimizer) -> bool:
    """Whether nothing but Adam's formula stands between gradients and weights."""
    settings = ("amsgrad", "use_ema", "weight_decay", "clipnorm", "global_clipnorm", "clipvalue", "loss_scale_factor")
    plain = not any(getattr(optimizer, name, None) for name in settings)
    return type(optimizer) is keras.optimizers.Adam and plain and not optimizer.gradient_accumulation_steps


def _apply_adam(optimizer: keras.optimizers.Adam, gradients: list[Any], weights: list[Any]) -> None:
    step = tf.cast(optimizer.iterations.value + 1, tf.float32)
    settings = {"lr": optimizer.learning_rate, "epsilon": optimizer.epsilon}
    betas = {"beta1": optimizer.beta_1, "beta2": optimizer.beta_2}
    powers = {f"{name}_power": tf.pow(beta, step) for name, beta in betas.items()}
    first, second = _slots(optimizer, "momentum"), _slots(optimizer, "velocity")
    for weight, m, v, gradient in zip(weights, first, second, gradients, strict=True):
        handles = {name: variable.value.handle for name, variable in (("var", weight), ("m", m), ("v", v))}
        tf.raw_ops.ResourceApplyAdam(**handles, **powers, **settings, **betas, grad=gradient)
    optimizer.iterations.assign_add(1)


def _slots(optimizer: keras.optimizers.Adam, name: str) -> list[Any]:
    """Return the state called ``name``, one variable a weight, in the order of the weights."""
    return [variable for variable in optimizer.variables if variable.path.endswith(f"_{name}")]
