"""Data-parallel training on several devices of one process, by the backend's own engine."""

from __future__ import annotations

from typing import Any

import keras

from bench.worker import backend
from models import model
from models.recipes import Recipe

_devices = 1


def begin(devices: int) -> None:
    """Let every model that `create` makes from now on train on so many devices, each on its share of a batch.

    On the CPU they are simulated: the processor's cores serve all of them. Raises ValueError where there are fewer.
    """
    global _devices
    if devices > 1:
        backend.module("distribution").begin(devices)
        _devices = devices


def devices() -> int:
    """Return how many devices train."""
    return _devices


def create(recipe: Recipe, **settings: Any) -> keras.Model:
    """Return the compiled model of ``recipe``, its weights on each device; RuntimeError where they are not."""
    if _devices == 1:
        return model.create(recipe, **settings)
    distributed = backend.module("distribution")
    with distributed.scope():
        made = model.create(recipe, **settings)
    found = {distributed.copies(variable) for variable in made.trainable_variables}
    if found != {_devices}:
        raise RuntimeError(f"expected every weight on {_devices} devices; they are on {sorted(found)}")
    return made
