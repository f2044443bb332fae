"""Which device JAX runs on, how to wait for it, and how to compile for it."""

from __future__ import annotations

from typing import Any

import jax


def probe() -> tuple[str, str]:
    """Run a small product on the default device and return its kind ("cpu", "gpu") and its name."""
    product = jax.block_until_ready(jax.numpy.ones((8, 8)) @ jax.numpy.ones((8, 8)))
    device = next(iter(product.devices()))
    return ("gpu" if device.platform in ("gpu", "cuda", "rocm") else device.platform), device.device_kind


def wait(value: Any) -> None:
    """Return once ``value``, an array or a tree of them, is computed."""
    jax.block_until_ready(value)


# JAX waits without copying.
wait_uncopied = wait

compile_function = jax.jit
