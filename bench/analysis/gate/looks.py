"""Repeated looks at growing evidence: the level of each, so that all of them together keep to one level.

Looking after each round of processes, and stopping at the first that says enough, would be wrong more often than one
look is. Alpha spending (Lan and DeMets, 1983) gives each look a share of the level. The shares follow Pocock's
function, which spends early: most cells are clear after few processes. The levels are those of sums of normal
increments, and are applied to Student's test (Jennison and Turnbull, Group Sequential Methods, sections 7.2 and 4.4).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import special

# Points of the grid on which the density of a sum is kept: an odd number, for Simpson's rule.
POINTS = 401
# No bound lies further out than so many standard deviations.
FURTHEST = 12.0


@lru_cache(maxsize=512)
def levels(first: int, last: int, level: float) -> tuple[float, ...]:
    """Return the two-sided level of each look, after ``first`` values, one more, and so on to ``last``.

    With these, the probability that any look rejects a true hypothesis is ``level``.
    """
    counts = range(first, last + 1)
    spent = [0.0, *(_spent(count / last, level) for count in counts)]
    found, density = [], None
    for count, share in zip(counts, np.diff(spent), strict=True):
        bound = _bound(density, count, first, share)
        found.append(2 * float(special.ndtr(-bound / math.sqrt(count))))
        density = _continued(density, bound, first)
    return tuple(found)


def at(first: int, last: int, level: float, count: int) -> float:
    """Return the level of the look after ``count`` values."""
    return levels(first, last, level)[count - first]


def _spent(share: float, level: float) -> float:
    """Return how much of ``level`` is spent once ``share`` of the values is there (Lan and DeMets, 1983, alpha_2)."""
    return level * math.log(1 + (math.e - 1) * share)


@dataclass(frozen=True)
class _Density:
    """The density of a sum that has crossed no bound, with the weights of Simpson's rule in it."""

    sums: np.ndarray
    weighed: np.ndarray


def _bound(density: _Density | None, count: int, first: int, share: float) -> float:
    """Return the bound that the sum of ``count`` values crosses first with the probability ``share``."""
    low, high = 0.0, FURTHEST * math.sqrt(count)
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _crosses(density, middle, first) > share else (low, middle)
    return (low + high) / 2


def _crosses(density: _Density | None, bound: float, first: int) -> float:
    """Return the probability that the next sum lies outside of the bound."""
    if density is None:
        return 2 * float(special.ndtr(-bound / math.sqrt(first)))
    outside = special.ndtr(-bound - density.sums) + special.ndtr(density.sums - bound)
    return float(outside @ density.weighed)


def _continued(density: _Density | None, bound: float, first: int) -> _Density:
    """Return the density of the sum after the look, where it stays within the bound."""
    sums = np.linspace(-bound, bound, POINTS)
    if density is None:
        values = np.exp(-(sums**2) / (2 * first)) / math.sqrt(2 * math.pi * first)
    else:
        steps = sums[:, None] - density.sums
        values = np.exp(-(steps**2) / 2) @ density.weighed / math.sqrt(2 * math.pi)
    simpson = np.resize([2.0, 4.0], POINTS)
    simpson[0] = simpson[-1] = 1.0
    return _Density(sums, values * simpson * (sums[1] - sums[0]) / 3)
