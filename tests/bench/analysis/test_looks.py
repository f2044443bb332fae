"""The levels of repeated looks: together they reject a true hypothesis as often as they say, by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from bench.analysis.gate import looks

FIRST, LAST, LEVEL = 3, 14, 0.05
SIMULATED = 40_000


def test_one_look_has_the_whole_level() -> None:
    assert looks.levels(5, 5, 0.05) == (pytest.approx(0.05, rel=1e-6),)


def test_many_looks_have_less_each_and_more_than_equal_shares() -> None:
    """Looks at the same data are correlated, so that Bonferroni's share would be too strict."""
    found = looks.levels(FIRST, LAST, LEVEL)
    assert len(found) == LAST - FIRST + 1
    assert all(LEVEL / len(found) < level < LEVEL for level in found)


@pytest.mark.parametrize("spread", ["known", "estimated"])
def test_the_looks_together_keep_the_level(spread: str) -> None:
    """Of sums of normal values about one in twenty crosses; Student's test of few values comes near enough."""
    draw = np.random.default_rng(0).normal(size=(SIMULATED, LAST))
    rejected = np.zeros(SIMULATED, bool)
    for count in range(FIRST, LAST + 1):
        values, level = draw[:, :count], looks.at(FIRST, LAST, LEVEL, count)
        if spread == "known":
            p = 2 * special.ndtr(-np.abs(values.mean(axis=1)) * np.sqrt(count))
        else:
            t = values.mean(axis=1) / (values.std(axis=1, ddof=1) / np.sqrt(count))
            p = 2 * special.stdtr(count - 1, -np.abs(t))
        rejected |= p < level
    assert rejected.mean() == pytest.approx(LEVEL, abs=0.004 if spread == "known" else 0.012)


def test_the_usual_level_at_every_look_would_be_wrong_too_often() -> None:
    """What the method is for: twelve looks at 5 % each reject a true hypothesis one time in six or more."""
    draw = np.random.default_rng(1).normal(size=(SIMULATED, LAST))
    counts = np.arange(1, LAST + 1)
    p = 2 * special.ndtr(-np.abs(draw.cumsum(axis=1)) / np.sqrt(counts))
    assert (p[:, FIRST - 1 :] < LEVEL).any(axis=1).mean() > 0.15
