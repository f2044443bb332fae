"""Peak speeds of the machine as a backend reaches them: a large matrix product, a large copy."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from bench.protocol import Json
from bench.worker import backend

# 2 · 1,024³ operations take some 20 ms a processor; 128 MiB are more than any cache of a CPU holds.
SIDE = 1_024
COPIED_BYTES = 128 * 2**20
REPEATS = 9


def measure() -> Json:
    """Return GFLOP/s of a float32 matrix product and GB/s of a copy, reads and writes counted, one value a repeat."""
    square = keras.ops.convert_to_tensor(np.random.default_rng(0).random((SIDE, SIDE), np.float32))
    flat = keras.ops.convert_to_tensor(np.ones(COPIED_BYTES // 4, np.float32))
    product_s = _seconds(keras.ops.matmul, square, square)
    copy_s = _seconds(keras.ops.add, flat, keras.ops.convert_to_tensor(np.float32(1)))
    return {
        "product_gflops": [2 * SIDE**3 / seconds / 1e9 for seconds in product_s],
        "copy_gb_per_s": [2 * COPIED_BYTES / seconds / 1e9 for seconds in copy_s],
    }


def _seconds(function: Callable[..., Any], *values: Any) -> list[float]:
    device = backend.module("device")
    run = device.compile_function(function)
    device.wait(run(*values))  # compile
    durations = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        device.wait_uncopied(run(*values))
        durations.append(time.perf_counter() - started)
    return durations
