"""Which device JAX runs on, how to seed it, how to wait for it, and how to compile for it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import jax
import keras
import numpy as np


def probe() -> tuple[str, str]:
    """Run a small product on the default device and return its kind ("cpu", "gpu") and its name."""
    product = jax.block_until_ready(jax.numpy.ones((8, 8)) @ jax.numpy.ones((8, 8)))
    device = next(iter(product.devices()))
    return ("gpu" if device.platform in ("gpu", "cuda", "rocm") else device.platform), device.device_kind


def reported() -> dict[str, Any]:
    """Return what JAX says about itself: whether it compiles, in which precision, and whether it checks results.

    It does not say how many threads it has.
    """
    return {
        "jit": not jax.config.jax_disable_jit,
        "x64": bool(jax.config.jax_enable_x64),
        "matmul_precision": jax.config.jax_default_matmul_precision or "default",
        "type_promotion": str(getattr(jax.config.jax_numpy_dtype_promotion, "value", "standard")),
        "random_numbers": jax.config.jax_default_prng_impl,
        "checks": any(getattr(jax.config, name) for name in _CHECKS),
    }


def share_compilations(folder: str) -> None:
    """Keep every compiled program in ``folder``, and take from there what another process compiled.

    A worker's environment disables the cache, so that compiling is measured; this enables it for one process.
    """
    jax.config.update("jax_enable_compilation_cache", True)
    jax.config.update("jax_compilation_cache_dir", folder)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


_CHECKS = ("jax_debug_nans", "jax_debug_infs", "jax_enable_checks", "jax_check_tracer_leaks")


def seed(value: int) -> None:
    """Set the seeds that Keras on JAX draws from.

    `keras.utils.set_random_seed` does the same and seeds TensorFlow too, which takes two seconds to import.
    """
    random.seed(value)
    np.random.seed(value)


def wait(value: Any) -> None:
    """Return once ``value``, an array or a tree of them, is computed."""
    jax.block_until_ready(value)


def move(variables: Sequence[keras.Variable]) -> None:
    """Give each of ``variables`` other memory with the same content."""
    copies = jax.block_until_ready([jax.numpy.copy(variable.value) for variable in variables])
    for variable, copy in zip(variables, copies, strict=True):
        variable.assign(copy)


def peak_bytes() -> int | None:
    """Return the most of the default device's memory that this process had in use; None on a CPU."""
    found = (jax.local_devices()[0].memory_stats() or {}).get("peak_bytes_in_use")
    return None if found is None else int(found)


def forget_peak() -> None:
    """Do nothing: JAX keeps one peak for the whole process."""


# JAX waits without copying.
wait_uncopied = wait

compile_function = jax.jit
