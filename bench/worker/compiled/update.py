"""The optimizer's update in TensorFlow: Adam as one fused operation a weight, on Keras's own state."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


def apply(optimizer: keras.optimizers.Optimizer, gradients: list[Any], weights: list[Any]) -> None:
    """Update ``weights`` by ``gradients`` as ``optimizer`` would, and its state with them.

    TensorFlow's fused Adam has the "epsilon hat" of the paper, as Keras has it. Everything else is left to Keras.
    """
    if _plain_adam(optimizer):
        _adam(optimizer, gradients, weights)
    else:
        optimizer.apply_gradients(zip(gradients, weights, strict=True))


def _plain_adam(optimizer: keras.optimizers.Optimizer) -> bool:
    """Whether nothing but Adam's formula stands between gradients and weights."""
    settings = ("amsgrad", "use_ema", "weight_decay", "clipnorm", "global_clipnorm", "clipvalue", "loss_scale_factor")
    plain = not any(getattr(optimizer, name, None) for name in settings)
    return type(optimizer) is keras.optimizers.Adam and plain and not optimizer.gradient_accumulation_steps


def _adam(optimizer: keras.optimizers.Adam, gradients: list[Any], weights: list[Any]) -> None:
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
