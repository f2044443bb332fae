"""Statistics of repeated timings: pure functions over seconds, no clock, no files."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import stats


@dataclass(frozen=True)
class Estimate:
    """A median with its confidence interval; ``low`` and ``high`` are infinite where too few values allow none."""

    value: float
    low: float
    high: float
    count: int

    @property
    def spread(self) -> float:
        """Half the interval's width as a share of the value; infinite where the value is not positive."""
        return (self.high - self.low) / 2 / self.value if self.value > 0 else math.inf

    def scaled(self, factor: float) -> Estimate:
        """Return the estimate of ``factor`` times the quantity."""
        low, high = sorted((self.low * factor, self.high * factor))
        return Estimate(self.value * factor, low, high, self.count)

    def inverted(self, numerator: float) -> Estimate:
        """Return the estimate of ``numerator`` divided by the quantity: seconds a call become calls a second.

        A duration at or below zero, the slope of two equal blocks on a noisy machine, gives no finite rate.
        """
        low, value, high = (_over(numerator, seconds) for seconds in (self.high, self.value, self.low))
        return Estimate(value, low, high, self.count)


def median(values: Sequence[float], confidence: float = 0.95) -> Estimate:
    """Return the median with the interval between two order statistics.

    The number of values below the true median is binomial with one half, whatever the distribution
    (Conover, Practical Nonparametric Statistics, section 3.2).
    """
    if not values:
        raise ValueError("expected at least one value; received none")
    ordered, count = sorted(values), len(values)
    rank = int(stats.binom.ppf((1 - confidence) / 2, count, 0.5))
    if stats.binom.cdf(rank, count, 0.5) > (1 - confidence) / 2:
        rank -= 1
    low, high = (ordered[rank], ordered[count - 1 - rank]) if rank >= 0 else (-math.inf, math.inf)
    return Estimate(statistics.median(ordered), low, high, count)


def hodges_lehmann(values: Sequence[float]) -> float:
    """Return the median of all pairwise means, each value paired with itself too (Hodges and Lehmann, 1963)."""
    pairs = [(a + b) / 2 for position, a in enumerate(values) for b in values[position:]]
    return statistics.median(pairs)


def over_replicates(values: Sequence[float], confidence: float = 0.95) -> Estimate:
    """Return the centre of positive ``values``, one a replicate, with its interval; both on the logarithmic scale.

    The centre is Hodges and Lehmann's. The interval is Student's over replicates: what differs from process to process
    and what differs within one both scatter these values, so it covers both. One value alone bounds nothing.
    """
    logs = [math.log(value) for value in values]
    centre, count = hodges_lehmann(logs), len(logs)
    if count < 2:
        return Estimate(math.exp(centre), 0.0, math.inf, count)
    half = float(stats.t.ppf((1 + confidence) / 2, count - 1)) * statistics.stdev(logs) / math.sqrt(count)
    return Estimate(math.exp(centre), math.exp(centre - half), math.exp(centre + half), count)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that ``share`` (0 to 1) of ``values`` do not exceed: the nearest rank, an observed value."""
    if not values:
        raise ValueError("expected at least one value; received none")
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def largest(differences: Sequence[float]) -> float:
    """Return the largest difference; NaN where any is, which `max` may pass over."""
    return math.nan if any(map(math.isnan, differences)) else max(differences)


def slope(short: tuple[int, float], long: tuple[int, float]) -> float:
    """Return the seconds that one more repeat costs, from two (repeats, seconds)."""
    if long[0] <= short[0]:
        raise ValueError(f"expected the second length to be the larger; received {short[0]} and {long[0]}")
    return (long[1] - short[1]) / (long[0] - short[0])


def trimmed_mean(values: Sequence[float]) -> float:
    """Return the mean without the best and the worst, from three values on (MLPerf's rule over seeds)."""
    kept = sorted(values)[1:-1] if len(values) >= 3 else values
    return statistics.fmean(kept)


def prediction_half_width(values: Sequence[float], *, runs: int, level: float) -> float:
    """Return how far the mean of ``runs`` new values may lie from the mean of ``values``, with probability ``level``.

    Student's t for a future mean of a normal sample: t · s · sqrt(1/runs + 1/n)
    (Hahn and Meeker, Statistical Intervals, section 4.8).
    """
    count = len(values)
    quantile = float(stats.t.ppf((1 + level) / 2, count - 1))
    return quantile * statistics.stdev(values) * math.sqrt(1 / runs + 1 / count)


def _over(numerator: float, value: float) -> float:
    """Divide, where a value at or below zero means that there is no bound."""
    return numerator / value if value > 0 else math.inf
