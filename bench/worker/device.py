"""The device of a worker: which one really runs, under which settings, and how to wait for it; it times nothing."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import keras
import numpy as np


class WrongDevice(Exception):
    """The framework runs elsewhere than the target asks for."""


def prove(wanted: str) -> tuple[str, str]:
    """Run a small product on the default device and return its kind ("cpu", "gpu") and its name.

    Raises WrongDevice where that is not ``wanted``: JAX, for one, falls back to the CPU without an error.
    """
    kind, name = _PROBES[keras.backend.backend()]()
    if kind != wanted:
        raise WrongDevice(f"expected the device {wanted!r}; {keras.backend.backend()} really ran on {kind!r} ({name})")
    return kind, name


def wait(value: Any) -> None:
    """Return once ``value``, a tensor or a tree of them, is computed."""
    if keras.backend.backend() == "jax":
        import jax

        jax.block_until_ready(value)
    else:
        keras.tree.map_structure(np.asarray, value)


def settle(model: keras.Model) -> None:
    """Wait until the weights of ``model`` are those of the last step."""
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


def _probe_jax() -> tuple[str, str]:
    import jax

    product = jax.block_until_ready(jax.numpy.ones((8, 8)) @ jax.numpy.ones((8, 8)))
    device = next(iter(product.devices()))
    return ("gpu" if device.platform in ("gpu", "cuda", "rocm") else device.platform), device.device_kind


def _probe_tensorflow() -> tuple[str, str]:
    import tensorflow as tf

    product = tf.linalg.matmul(tf.ones((8, 8)), tf.ones((8, 8)))
    kind = tf.DeviceSpec.from_string(product.device).device_type.lower()
    devices = tf.config.list_physical_devices(kind.upper())
    details = tf.config.experimental.get_device_details(devices[0]) if devices and kind == "gpu" else {}
    return kind, str(details.get("device_name", kind))


_PROBES: dict[str, Callable[[], tuple[str, str]]] = {"jax": _probe_jax, "tensorflow": _probe_tensorflow}
