"""Statistics of repeated timings: pure functions over seconds, no clock, no files."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import special  # `scipy.stats` has the same functions, and takes three times as long to import

# A prior needs the variances of so many cells, and counts at most so many times as much as a cell's own variance: the
# fewer cells, the less is known of how much their variances differ (coverage: results/calibration).
FEWEST_VARIANCES, MOST_PRIOR = 4, 2
# Up to so many values, Python pairs them in less time than NumPy takes to begin; so many pairs take 32 MB.
FEW_PAIRED, MOST_PAIRED = 24, 2_000


@dataclass(frozen=True)
class Estimate:
    """A median with its confidence interval; ``low`` and ``high`` are infinite if there are too few values."""

    value: float
    low: float
    high: float
    count: int

    @property
    def spread(self) -> float:
        """Half the interval's width as a share of the value; infinite if the value is not positive."""
        return (self.high - self.low) / 2 / self.value if self.value > 0 else math.inf

    def excludes(self, value: float) -> bool:
        """Whether ``value`` lies outside of the interval."""
        return not self.low <= value <= self.high

    def scaled(self, factor: float) -> Estimate:
        """Return the estimate of ``factor`` times the quantity."""
        low, high = sorted((self.low * factor, self.high * factor))
        return Estimate(self.value * factor, low, high, self.count)

    def inverted(self, numerator: float) -> Estimate:
        """Return the estimate of ``numerator`` divided by the quantity: seconds a call become calls a second.

        A duration at or below zero, such as the slope of two equal blocks on a noisy machine, gives an infinite rate.
        """
        low, value, high = (_over(numerator, seconds) for seconds in (self.high, self.value, self.low))
        return Estimate(value, low, high, self.count)


@dataclass(frozen=True)
class Prior:
    """What the variances of similar cells say of each: their common value, and the degrees of freedom it is worth."""

    variance: float
    freedom: float

    def moderated(self, variance: float, freedom: int) -> tuple[float, float]:
        """Return the variance of one cell, moderated toward the common value, and its degrees of freedom (Smyth, 2004).

        The prior counts at most `MOST_PRIOR` times as much as the cell itself.
        """
        weight = min(self.freedom, MOST_PRIOR * freedom)
        total = weight + freedom
        return (weight * self.variance + freedom * variance) / total, total


def prior(samples: Sequence[Sequence[float]]) -> Prior | None:
    """Return the prior of the variances of ``samples``, one sample a cell; None from fewer than `FEWEST_VARIANCES`.

    The logarithms of variances that are scaled F have a mean and a variance from which both parameters follow (Smyth,
    Linear models and empirical Bayes methods, 2004, section 6.2). Values without any spread tell nothing.
    """
    known = [(statistics.variance(values), len(values) - 1) for values in samples if len(values) > 1]
    found = [(variance, freedom) for variance, freedom in known if variance > 0]
    if len(found) < FEWEST_VARIANCES:
        return None
    variances, freedoms = (np.array(column, float) for column in zip(*found, strict=True))
    logs = np.log(variances) - special.digamma(freedoms / 2) + np.log(freedoms / 2)
    excess = float(np.var(logs, ddof=1) - np.mean(special.polygamma(1, freedoms / 2)))
    if excess <= 0:  # they differ by no more than chance explains
        return Prior(math.exp(np.mean(logs)), math.inf)
    half = _inverse_trigamma(excess)
    return Prior(math.exp(np.mean(logs) + special.digamma(half) - math.log(half)), 2 * half)


def _inverse_trigamma(value: float) -> float:
    """Return the number whose trigamma is ``value``, by Newton's method on its reciprocal (Smyth, 2004, appendix)."""
    found = 0.5 + 1 / value
    for _ in range(50):
        trigamma = float(special.polygamma(1, found))
        step = trigamma * (1 - trigamma / value) / float(special.polygamma(2, found))
        found += step
        if abs(step) < 1e-9 * found:
            break
    return found


def median(values: Sequence[float], confidence: float = 0.95) -> Estimate:
    """Return the median with the interval between two order statistics.

    The number of values below the true median is binomial with one half, whatever the distribution
    (Conover, Practical Nonparametric Statistics, section 3.2).
    """
    if not values:
        raise ValueError("expected at least one value; received none")
    ordered, count = sorted(values), len(values)
    rank = _rank(count, confidence)
    low, high = (ordered[rank], ordered[count - 1 - rank]) if rank >= 0 else (-math.inf, math.inf)
    return Estimate(statistics.median(ordered), low, high, count)


def hodges_lehmann(values: Sequence[float]) -> float:
    """Return the median of all pairwise means, each value paired with itself too (Hodges and Lehmann, 1963).

    Of more than `MOST_PAIRED` values, so many evenly spaced quantiles are paired: all pairs would not fit into memory.
    """
    if len(values) <= FEW_PAIRED:
        return statistics.median((a + b) / 2 for position, a in enumerate(values) for b in values[position:])
    ordered = np.asarray(values, np.float64)
    if len(ordered) > MOST_PAIRED:
        ordered = np.quantile(ordered, (np.arange(MOST_PAIRED) + 0.5) / MOST_PAIRED)
    first, second = np.triu_indices(len(ordered))
    return float(np.median((ordered[first] + ordered[second]) / 2))


def over_replicates(logs: Sequence[float], confidence: float = 0.95, prior: Prior | None = None) -> Estimate:
    """Return the exponential of the centre of ``logs``, logarithms of one value a replicate, with its interval.

    The centre is Hodges and Lehmann's. The interval is Student's over replicates: differences between processes and
    within one both spread these values, so it covers both. With a ``prior`` the variance is moderated. One value gives
    no bounds.
    """
    centre, count = hodges_lehmann(logs), len(logs)
    if count < 2:
        return Estimate(math.exp(centre), 0.0, math.inf, count)
    error, freedom = _error(logs, prior)
    half = _quantile((1 + confidence) / 2, freedom) * error
    return Estimate(math.exp(centre), math.exp(centre - half), math.exp(centre + half), count)


def t_test(values: Sequence[float], prior: Prior | None = None) -> float:
    """Return the two-sided p-value of ``values`` having the centre zero: Student's, around Hodges and Lehmann's centre.

    One with fewer than two values; zero if all are the same and not zero.
    """
    if len(values) < 2:
        return 1.0
    centre, (error, freedom) = hodges_lehmann(values), _error(values, prior)
    if error == 0:
        return float(centre == 0)
    return float(2 * special.stdtr(freedom, -abs(centre) / error))


def _error(values: Sequence[float], prior: Prior | None) -> tuple[float, float]:
    """Return the standard error of a centre, and its degrees of freedom."""
    variance, freedom = statistics.variance(values), len(values) - 1
    moderated, more = (variance, freedom) if prior is None else prior.moderated(variance, freedom)
    return math.sqrt(moderated / len(values)), more


def selected(p_values: Sequence[float], share: float = 0.05) -> tuple[int, float]:
    """Return how many of ``p_values`` are selected, and the confidence of the intervals that say the same.

    At most ``share`` of what is selected is expected to be false (Benjamini and Hochberg, 1995). An interval of that
    confidence excludes "no difference" just where the p-value is selected, and of the intervals that do, at most
    ``share`` are expected to miss (Benjamini and Yekutieli, 2005).
    """
    count = len(p_values)
    ordered = sorted(p_values)
    chosen = max((rank for rank, p in enumerate(ordered, start=1) if p <= rank * share / count), default=0)
    return chosen, 1 - share * max(1, chosen) / max(1, count)


def welch(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the two-sided p-value of two samples having one centre, with unequal variances (Welch, 1947).

    One if either has fewer than two values.
    """
    if min(len(first), len(second)) < 2:
        return 1.0
    error, freedom = _welch(first, second)
    centre = statistics.median(b - a for a in first for b in second)
    return float(centre == 0) if error == 0 else float(2 * special.stdtr(freedom, -abs(centre) / error))


def shift(first: Sequence[float], second: Sequence[float], confidence: float = 0.95) -> Estimate | None:
    """Return the ratio of ``second`` to ``first``, both logarithms, with its interval; None if either is empty.

    The centre is Hodges and Lehmann's, the median of all differences; the interval is Welch's. With one value on either
    side there are no bounds.
    """
    if not first or not second:
        return None
    centre = statistics.median(b - a for a in first for b in second)
    if min(len(first), len(second)) < 2:
        return Estimate(math.exp(centre), 0.0, math.inf, min(len(first), len(second)))
    error, freedom = _welch(first, second)
    half = _quantile((1 + confidence) / 2, freedom) * error if error else 0.0
    return Estimate(math.exp(centre), math.exp(centre - half), math.exp(centre + half), min(len(first), len(second)))


def _welch(first: Sequence[float], second: Sequence[float]) -> tuple[float, float]:
    """Return the standard error of a difference of two means, and its degrees of freedom (Satterthwaite, 1946)."""
    shares = [statistics.variance(values) / len(values) for values in (first, second)]
    total = sum(shares)
    below = sum(share**2 / (len(values) - 1) for share, values in zip(shares, (first, second), strict=True))
    return math.sqrt(total), total**2 / below if below else math.inf


@lru_cache(maxsize=4096)
def _rank(count: int, confidence: float) -> int:
    """Return the rank of the lower bound of a median's interval, below zero where there are too few values."""
    rank = max(0, math.ceil(special.bdtrik((1 - confidence) / 2, count, 0.5)))
    return rank - 1 if special.bdtr(rank, count, 0.5) > (1 - confidence) / 2 else rank


@lru_cache(maxsize=4096)
def _quantile(share: float, freedom: float) -> float:
    """Return Student's quantile; cached, since a calibration needs few of them many times."""
    return float(special.stdtrit(freedom, share))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return ``p_values`` adjusted so that any false one is below a level at most that often (Holm, 1979).

    The smallest is multiplied by their number, the next by one less, and none may be below the one before it.
    """
    adjusted, largest_yet = [1.0] * len(p_values), 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest_yet = max(largest_yet, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest_yet
    return adjusted


def half_width(deviation: float, count: int, alpha: float) -> float:
    """Return half the width of the interval from ``count`` values of this standard deviation at the level ``alpha``."""
    quantile = _quantile(1 - alpha / 2, count - 1)
    return quantile * deviation / math.sqrt(count)


def min_detectable_effect(values: Sequence[float], *, alpha: float, power: float) -> float:
    """Return the smallest shift that a test at ``alpha`` detects with this power, from as many values.

    The usual sum of two quantiles of Student's t, one for the test and one for the power
    (Cohen, Statistical Power Analysis, section 2.4).
    """
    return min_detectable(statistics.stdev(values), len(values), alpha=alpha, power=power)


def min_detectable(deviation: float, count: int, *, alpha: float, power: float) -> float:
    """Return the smallest shift that a test of ``count`` values of this standard deviation detects with this power."""
    quantiles = _quantile(1 - alpha / 2, count - 1) + _quantile(power, count - 1)
    return quantiles * deviation / math.sqrt(count)


def clopper_pearson(events: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the exact interval of a probability from events in trials (Clopper and Pearson, 1934)."""
    tail = (1 - confidence) / 2
    low = float(special.betaincinv(events, trials - events + 1, tail)) if events else 0.0
    high = float(special.betaincinv(events + 1, trials - events, 1 - tail)) if events < trials else 1.0
    return low, high


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that ``share`` (0 to 1) of ``values`` do not exceed: the nearest rank, an observed value."""
    if not values:
        raise ValueError("expected at least one value; received none")
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def largest(differences: Sequence[float]) -> float:
    """Return the largest difference; NaN if any is, which `max` may miss; zero of none."""
    return math.nan if any(map(math.isnan, differences)) else max(differences, default=0.0)


def slope(short: tuple[int, float], long: tuple[int, float]) -> float:
    """Return the seconds that one more repeat costs, from two (repeats, seconds)."""
    if long[0] <= short[0]:
        raise ValueError(f"expected the second length to be the larger; received {short[0]} and {long[0]}")
    return (long[1] - short[1]) / (long[0] - short[0])


# From so many values on, a mean over seeds drops the best and the worst.
TRIMMED = 3


def trimmed_mean(values: Sequence[float]) -> float:
    """Return the mean without the best and the worst, from `TRIMMED` values on (MLPerf's rule over seeds)."""
    kept = sorted(values)[1:-1] if len(values) >= TRIMMED else values
    return statistics.fmean(kept)


def prediction_half_width(values: Sequence[float], *, runs: int, level: float) -> float:
    """Return how far the mean of ``runs`` new values may lie from the mean of ``values``, with probability ``level``.

    Student's t for a future mean of a normal sample: t · s · sqrt(1/runs + 1/n)
    (Hahn and Meeker, Statistical Intervals, section 4.8).
    """
    count = len(values)
    quantile = _quantile((1 + level) / 2, count - 1)
    return quantile * statistics.stdev(values) * math.sqrt(1 / runs + 1 / count)


def _over(numerator: float, value: float) -> float:
    """Divide; infinite for a value at or below zero."""
    return numerator / value if value > 0 else math.inf
