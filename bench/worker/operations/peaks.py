"""Peak speeds of the machine as a backend and NumPy reach them: matrix products, and arrays that are read and written.

A peak is the best of many repeats, and the machine's is the best that anything reached: what interrupts only slows.
Arrays are written where memory exists already, since the first touch of a page costs several times the copy.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import keras
import numpy as np

from bench.protocol import Json
from bench.worker import backend

# Sides of the square factors. The smaller ones fit between two interruptions of a shared machine.
SIDES = {"cpu": (512, 1_024), "gpu": (4_096, 8_192)}
# Bytes of two arrays together: on a CPU what L2, L3 and, at last, no cache holds.
WORKING_SETS = {"cpu": (2**18, 2**21, 2**24, 2**28), "gpu": (2**24, 2**30)}
# Bytes of a block at least, so that it takes milliseconds; seconds of repeats of one, and how many at least.
BLOCK_BYTES, REPEATED_S, LEAST_REPEATS = 2**26, 0.06, 5

Work = Callable[[], Any]


def measure() -> Json:
    """Return GFLOP/s of float32 products and GB/s of reads and writes, one value a repeat, of each way to do them."""
    from bench.records.settings import usable_processors  # pydantic: not part of a framework's import, which is timed

    device, memory = backend.module("device"), backend.module("memory")
    kind, _ = device.probe()
    name, wait = keras.backend.backend(), device.wait_uncopied
    products = [_product(name, side, device.compile_function(keras.ops.matmul), wait) for side in SIDES[kind]]
    moves = [row for size in WORKING_SETS[kind] for row in _moves(name, size, memory.moves, wait)]
    if kind == "cpu":
        products += [_product("numpy", side, np.matmul, _nothing) for side in SIDES[kind]]
        with ThreadPoolExecutor(processors := usable_processors()) as pool:
            ways = _Moves(pool, processors)
            moves += [row for size in WORKING_SETS[kind] for row in _moves("numpy", size, ways, _nothing)]
    return {"products_gflops": products, "memory_gb_per_s": moves}


def _product(name: str, side: int, run: Callable[..., Any], wait: Callable[[Any], None]) -> Json:
    square = np.random.default_rng(0).random((side, side), np.float32)
    values = square if run is np.matmul else keras.ops.convert_to_tensor(square)
    rates = [2 * side**3 / seconds / 1e9 for seconds in _seconds(lambda: run(values, values), wait)]
    return {"by": f"{name} product", "working_set_bytes": 3 * square.nbytes, "rates": rates}


def _moves(name: str, working_set_bytes: int, make: Any, wait: Callable[[Any], None]) -> Iterator[Json]:
    """Yield one row for each way of ``make`` to read and write two arrays of ``working_set_bytes`` together."""
    times = max(1, BLOCK_BYTES // working_set_bytes)
    for way, (arrays, run) in make(working_set_bytes // 8, times).items():
        moved = arrays * working_set_bytes / 2 * times
        rates = [moved / seconds / 1e9 for seconds in _seconds(run, wait)]
        yield {"by": f"{name} {way}", "working_set_bytes": working_set_bytes, "rates": rates}


class _Moves:
    """NumPy's ways to move memory, a part of the arrays in each of the ``threads`` of ``pool``."""

    def __init__(self, pool: ThreadPoolExecutor, threads: int) -> None:
        self._pool, self._threads = pool, threads

    def __call__(self, values: int, times: int) -> dict[str, tuple[int, Work]]:
        """Return, by name, how many arrays of ``values`` float32 each way reads and writes, and the work itself."""
        parts = [np.ones((2, values // self._threads), np.float32) for _ in range(self._threads)]

        def everywhere(move: Callable[..., Any]) -> Work:
            return lambda: [*self._pool.map(lambda part: [move(*part) for _ in range(times)], parts)]

        return {
            "copy": (2, everywhere(np.copyto)),
            "add": (3, everywhere(lambda into, other: np.add(into, other, out=into))),
        }


def _nothing(_: Any) -> None:
    """NumPy's results are there when its call returns."""


def _seconds(run: Work, wait: Callable[[Any], None]) -> list[float]:
    """Return the seconds of each repeat of ``run`` after the first, which compiles."""
    wait(run())
    durations: list[float] = []
    while len(durations) < LEAST_REPEATS or sum(durations) < REPEATED_S:
        started = time.perf_counter()
        wait(run())
        durations.append(time.perf_counter() - started)
    return durations
