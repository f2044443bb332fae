"""The noise of estimators: the spread of identical targets' ratios over replicates, by the way they are estimated.

It is why a ratio is the median over neighbouring blocks (`paired_ratio`): on a shared machine the others are noisier.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.analysis.calibration.error_rates import BASE, HEAD, Key, Pool

# The log-ratio of head to base in one cell of one replicate.
Estimator = Callable[[Pool, Key, int], float]


def _neighbours(pool: Pool, key: Key, index: int) -> float:
    return pool.log_ratio(key, HEAD, index, BASE, index)


def _of(summary: Callable[[Sequence[float]], float]) -> Estimator:
    def estimate(pool: Pool, key: Key, index: int) -> float:
        head, base = (summary(pool.replicates[index][key, label].positive_s) for label in (HEAD, BASE))
        return math.log(head / base)

    return estimate


ESTIMATORS: dict[str, Estimator] = {
    "median of neighbours' ratios (this gate)": _neighbours,
    "ratio of medians": _of(statistics.median),
    "ratio of means": _of(statistics.fmean),
    "ratio of minima": _of(min),
}


@dataclass(frozen=True)
class Scatter:
    """The standard deviation over replicates of a log-ratio that should be 0: root mean square over a phase's cells."""

    estimator: str
    train: float
    predict: float


def table(pool: Pool) -> list[Scatter]:
    """Return the noise of each estimator; empty with fewer than two replicates."""
    if len(pool.replicates) < 2:
        return []
    return [
        Scatter(name, *(_over_cells(pool, estimate, phase) for phase in ("train", "predict")))
        for name, estimate in ESTIMATORS.items()
    ]


def _over_cells(pool: Pool, estimate: Estimator, phase: str) -> float:
    every = range(len(pool.replicates))
    variances = [
        statistics.variance(estimate(pool, key, index) for index in every) for key in pool.keys if key[1] == phase
    ]
    return math.sqrt(statistics.fmean(variances)) if variances else math.nan
