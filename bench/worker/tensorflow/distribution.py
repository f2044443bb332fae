"""Data-parallel training on TensorFlow: `MirroredStrategy`, which mirrors weights and adds gradients up."""

from __future__ import annotations

from contextlib import AbstractContextManager

import keras
import tensorflow as tf

_strategy: list[tf.distribute.Strategy] = []


def begin(devices: int) -> None:
    """Mirror every model made in `scope` on so many devices; ValueError where there are fewer.

    A processor is split into logical devices, which must happen before TensorFlow runs anything.
    """
    kind = "GPU" if tf.config.list_physical_devices("GPU") else "CPU"
    if kind == "CPU":
        (processor,) = tf.config.list_physical_devices("CPU")
        tf.config.set_logical_device_configuration(processor, [tf.config.LogicalDeviceConfiguration()] * devices)
    found = [device.name for device in tf.config.list_logical_devices(kind)]
    if len(found) < devices:
        raise ValueError(f"expected {devices} devices; TensorFlow has {len(found)}")
    _strategy[:] = [tf.distribute.MirroredStrategy(found[:devices])]


def scope() -> AbstractContextManager[object]:
    """Return the context in which models are mirrored."""
    return _strategy[0].scope()  # type: ignore[no-any-return]


def copies(variable: keras.Variable) -> int:
    """Return on how many devices ``variable`` is."""
    return len(variable.value.values)
