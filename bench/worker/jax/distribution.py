"""Data-parallel training on JAX: Keras's own distribution, which shards each batch."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import keras

_distribution: list[keras.distribution.DataParallel] = []


def begin(devices: int) -> None:
    """Distribute every model made in `scope` over so many devices; ValueError where there are fewer."""
    found = keras.distribution.list_devices()
    if len(found) < devices:
        raise ValueError(f"expected {devices} devices; JAX has {len(found)}")
    _distribution[:] = [keras.distribution.DataParallel(devices=found[:devices])]


def scope() -> AbstractContextManager[object]:
    """Return the context in which models are distributed.

    The distribution is set for what comes later too, since `fit` shards by it; `keras.utils.clear_session` forgets it.
    """
    keras.distribution.set_distribution(_distribution[0])
    return nullcontext()


def copies(variable: keras.Variable) -> int:
    """Return on how many devices ``variable`` is."""
    return len(variable.value.sharding.device_set)
