"""Extra work: a known share more inside the timed region, by which a gate proves that it finds a slowdown."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from bench.worker.clock import Operation

# A small product stays in the processor's cache: it takes some µs, always the same, and competes for no memory.
SIDE = 48
# Both kinds of work are timed in interleaved stretches: their length and number.
STRETCH_S = 0.02
ROUNDS = 15
# A run of repeats with work inside of each: how long, how often, and the fewest repeats.
INSIDE_S = 0.2
INSIDE_ROUNDS = 5
FEWEST = 16

Work = Callable[[int], object]


def add(operation: Operation, share: float) -> Operation:
    """Return ``operation`` with ``share`` more real work a repeat: matrix products in NumPy.

    They come after the device's work, or inside every repeat where the operation can do that: in a callback of `fit`.
    Their number is measured here, in this process and on its cores, both kinds of work interleaved.
    """
    burn = _burner()
    if operation.inject is not None and operation.largest > 1:
        inside = _injected(operation, share, burn)
        return operation.inject(lambda: burn(inside))

    products = share * _ratio(operation.complete, burn, most=operation.largest)

    def run(repeats: int) -> Any:
        operation.complete(repeats)
        burn(round(products * repeats))

    return replace(operation, run=run, wait=lambda _: None)


def _burner() -> Work:
    values = np.random.default_rng(0).random((SIDE, SIDE), np.float32) / SIDE
    into = np.empty_like(values)

    def burn(products: int) -> None:
        for _ in range(products):
            np.matmul(values, values, out=into)

    return burn


def _ratio(work: Work, burn: Work, *, most: int) -> float:
    """Return how many products take as long as one repeat: the median over neighbouring stretches."""
    repeats, products = _length(work, most), _length(burn, 1_000_000_000)
    pairs = [(_seconds(work, repeats) / repeats, _seconds(burn, products) / products) for _ in range(ROUNDS)]
    return statistics.median(repeat_s / product_s for repeat_s, product_s in pairs)


def _injected(operation: Operation, share: float, burn: Work) -> int:
    """Return how many products inside of a repeat take ``share`` of it; measured there: a sixth longer than in a row.

    The work itself tells when each repeat ends, so that what a call costs besides its repeats does not matter.
    """
    products, repeats, found = 1, FEWEST, []
    spent: list[float] = []
    ended: list[float] = []

    def work() -> None:
        spent.append(_seconds(burn, products))
        ended.append(time.perf_counter())

    trial = operation.inject(work)  # type: ignore[misc]
    for _ in range(INSIDE_ROUNDS):
        spent.clear()
        ended.clear()
        trial.complete(min(operation.largest, repeats))
        inside_s = statistics.mean(spent)
        repeat_s = (ended[-1] - ended[0]) / (len(ended) - 1) - inside_s
        products = max(1, round(products * share * repeat_s / inside_s))
        found.append(products)
        repeats = max(FEWEST, math.ceil(INSIDE_S / repeat_s))
    return round(statistics.median(found[1:]))  # one product at first: its time says little


def _length(work: Work, most: int) -> int:
    """Return how many repeats fill a stretch."""
    repeats = 1
    while repeats < most and _seconds(work, repeats) < STRETCH_S:
        repeats = min(most, 2 * repeats)
    return repeats


def _seconds(work: Work, repeats: int) -> float:
    started = time.perf_counter()
    work(repeats)
    return time.perf_counter() - started
