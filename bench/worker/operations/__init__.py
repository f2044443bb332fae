"""The operations: the one definition of everything that is timed, as closures over a recipe's reviews."""

from __future__ import annotations

from collections.abc import Callable

from bench.worker import device
from bench.worker.clock import Operation
from bench.worker.operations import harness, predict, train, vectorize
from bench.worker.reviews import Reviews

Prepare = Callable[[Reviews, int], Operation]

# By phase, then path; `bench.plan.paths` describes them.
PATHS: dict[str, dict[str, Prepare]] = {
    "vectorize": vectorize.PATHS,
    "train": train.PATHS,
    "predict": predict.PATHS,
    "harness": harness.PATHS,
}


def prepare(reviews: Reviews, *, phase: str, path: str, batch_size: int) -> Operation:
    """Return the operation ``phase`` by ``path`` on batches of ``batch_size`` reviews; KeyError where there is none."""
    device.seed(0)
    return PATHS[phase][path](reviews, batch_size)
