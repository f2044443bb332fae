"""The device of a worker: which one runs, under which settings, and how to wait for it."""

from __future__ import annotations

import os
from typing import Any

import keras

from bench.worker import backend


class WrongDevice(Exception):
    """The framework does not run on the device of the target."""


def prove(wanted: str) -> tuple[str, str]:
    """Run a small product on the default device and return its kind ("cpu", "gpu") and its name.

    Raises WrongDevice where that is not ``wanted``: JAX falls back to the CPU without an error.
    """
    kind, name = backend.module("device").probe()
    if kind != wanted:
        raise WrongDevice(f"expected the device {wanted!r}; {keras.backend.backend()} ran on {kind!r} ({name})")
    return kind, name


def wait(value: Any) -> None:
    """Return once ``value``, a tensor or a tree of them, is computed."""
    backend.module("device").wait(value)


def wait_for_weights(model: keras.Model) -> None:
    """Return once the weights of ``model`` are those of the last step."""
    wait([variable.value for variable in model.trainable_variables])


def settings() -> dict[str, Any]:
    """Return the settings that change speed or results, as they are in force here."""
    return {
        "floatx": keras.config.floatx(),
        "dtype_policy": keras.config.dtype_policy().name,
        "image_data_format": keras.config.image_data_format(),
        "tf32": False,
        "processors": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "flags": {name: os.environ[name] for name in _FLAGS if name in os.environ},
    }


_FLAGS = (
    "XLA_FLAGS",
    "TF_XLA_FLAGS",
    "TF_ENABLE_ONEDNN_OPTS",
    "JAX_PLATFORMS",
    "JAX_CPU_ENABLE_ASYNC_DISPATCH",
    "PJRT_NPROC",
    "OMP_NUM_THREADS",
)
