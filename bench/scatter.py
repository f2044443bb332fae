"""The scatter of identical targets: how far a replicate's ratio lies from one, by ways to estimate it; no judgement.

It is why a ratio is the median over neighbouring blocks (`bench.compare`): on a shared machine the others scatter more.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.error_rates import BASE, HEAD, Pool

# From the seconds of head and base, turn by turn.
Estimator = Callable[[Sequence[float], Sequence[float]], float]


def _neighbours(head: Sequence[float], base: Sequence[float]) -> float:
    return statistics.median(a / b for a, b in zip(head, base, strict=True))


def _of(summary: Callable[[Sequence[float]], float]) -> Estimator:
    return lambda head, base: summary(head) / summary(base)


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
    """Return the scatter by each estimator; none with fewer than two replicates."""
    if len(pool.replicates) < 2:
        return []
    return [
        Scatter(name, *(_over_cells(pool, estimate, phase) for phase in ("train", "predict")))
        for name, estimate in ESTIMATORS.items()
    ]


def _over_cells(pool: Pool, estimate: Estimator, phase: str) -> float:
    variances = []
    for key in (key for key in pool.keys if key[1] == phase):
        pairs = [(one[key, HEAD].repeat_s, one[key, BASE].repeat_s) for one in pool.replicates]
        variances.append(statistics.variance(math.log(estimate(head, base)) for head, base in pairs))
    return math.sqrt(statistics.fmean(variances)) if variances else math.nan
