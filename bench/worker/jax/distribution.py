"""Data-parallel training on JAX: Keras's own distribution, which shards each batch."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import keras


def begin(devices: int) -> None:
    """Distribute every model to come over so many devices; ValueError where there are fewer."""
    found = keras.distribution.list_devices()
    if len(found) < devices:
        raise ValueError(f"expected {devices} devices; JAX has {len(found)}")
    keras.distribution.set_distribution(keras.distribution.DataParallel(devices=found[:devices]))


def scope() -> AbstractContextManager[object]:
    """Return a context for making models: Keras needs none."""
    return nullcontext()


def copies(variable: keras.Variable) -> int:
    """Return on how many devices ``variable`` is."""
    return len(variable.value.sharding.device_set)
