"""Operations of known cost, by which the harness measures itself."""

from __future__ import annotations

import time
from collections.abc import Callable

from bench.plan.paths import SLEEP_S
from bench.worker.clock import Operation
from bench.worker.operations import work
from bench.worker.reviews import Reviews


def nothing(reviews: Reviews, batch_size: int) -> Operation:
    """Do nothing: this measures the clock."""
    del reviews
    return Operation(lambda _: None, lambda _: None, work.reviews(batch_size))


def sleep(reviews: Reviews, batch_size: int) -> Operation:
    """Sleep for `SLEEP_S` a repeat: the result is known but for the kernel's delay in waking up."""
    del reviews

    def run(repeats: int) -> None:
        for _ in range(repeats):
            time.sleep(SLEEP_S)

    return Operation(run, lambda _: None, work.reviews(batch_size))


PATHS: dict[str, Callable[[Reviews, int], Operation]] = {"nothing": nothing, "sleep": sleep}
