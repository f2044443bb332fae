"""One look of a bisection: what the log-ratios of a few processes say of two targets, or of one between two.

A look answers good, bad or between only where Student's t-test says so at its level; else it is unresolved. Every
look of a bisection has its share of one level (`Rule`), since a search that looks often errs often.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from bench.analysis import stats
from bench.analysis.stats import Estimate, Prior

Answer = Literal["good", "bad", "between", "unresolved"]
Side = Literal["good", "bad"]

# The first look needs a variance that is more than a guess.
FIRST_LOOK = 3
# A proof's interval is what a reader takes away: it rests on so many processes at least.
FIRST_PROOF = 5
# Candidates that may stay unresolved before the interval is the answer: each takes as many processes as are allowed.
MOST_UNRESOLVED = 3
# A candidate lies between two ends where both parts are told apart and the smaller one has this share of the whole:
# less is a change by the way, which is no reason to search for two.
SMALLER_PART = 0.2
# Earlier steps say nothing of one whose variance is so many times theirs: a busy minute, or a commit that is noisy.
MOST_SCATTER = 4.0


@dataclass(frozen=True)
class Rule:
    """How a bisection decides.

    margin  ends within it are the same
    alpha   how often a whole search may go a wrong way
    most    processes of each target in a step, at most; of the ends twice as many
    """

    margin: float
    alpha: float
    most: int

    @property
    def looks(self) -> int:
        """The looks at a step, one after each process from the third on."""
        return max(1, self.most - FIRST_LOOK + 1)

    @property
    def most_of_ends(self) -> int:
        """The processes of each end, at most: many cells share one level, and without ends there is no search."""
        return 2 * self.most

    def ends_level(self) -> float:
        """Return the level of a look at two ends: none of them may call identical ones slower."""
        return self.alpha / (self.most_of_ends - FIRST_LOOK + 1)

    def level(self, candidates: int, cells: int) -> float:
        """Return the level of a look at one of ``cells``, where ``candidates`` may be the culprit.

        Halving takes log2 of them steps, and some more candidates may be tried in vain. Bonferroni over steps, looks
        and cells.
        """
        steps = math.ceil(math.log2(max(2, candidates))) + MOST_UNRESOLVED
        return self.alpha / (steps * self.looks * cells)


# What `bench bisect` takes where nothing else is said, and what is calibrated.
DEFAULT_RULE = Rule(margin=0.02, alpha=0.05, most=16)


@dataclass(frozen=True)
class Look:
    """What a look says of a candidate: its answer, and the end that it is nearer to."""

    answer: Answer
    nearer: Side


def p_value_of(values: Sequence[float], prior: Prior | None = None) -> float:
    """Return the two-sided p-value of ``values`` having the centre zero."""
    return _p_value(tuple(values), _fitting(prior, values))


def estimate(values: Sequence[float], prior: Prior | None = None) -> Estimate:
    """Return the ratio whose logarithms are ``values``, with its 95 % interval."""
    return _estimate(tuple(values), _fitting(prior, values))


def above_zero(values: Sequence[float], prior: Prior | None = None) -> float:
    """Return the one-sided p-value of ``values`` having a centre above zero."""
    p_value = p_value_of(values, prior)
    return p_value / 2 if stats.hodges_lehmann(values) > 0 else 1 - p_value / 2


def clearness(values: Sequence[float], prior: Prior | None) -> float:
    """Return how many standard deviations the centre lies above zero: the more, the fewer processes a cell needs.

    The ``prior`` of all cells keeps a cell from the front whose few values happen to lie close together.
    """
    variance = statistics.variance(values)
    moderated = variance if prior is None else prior.moderated(variance, len(values) - 1)[0]
    return stats.hodges_lehmann(values) / math.sqrt(moderated) if moderated else math.inf


def place(from_good: Sequence[float], to_bad: Sequence[float], *, level: float, prior: Prior | None = None) -> Look:
    """Return where a candidate lies between two ends.

    ``from_good`` has the logarithm of its seconds over the good end's, ``to_bad`` that of the bad end's over its, one a
    process. It is bad where it is told apart from good and nearer to bad; good the other way round.
    """
    after_good, before_bad = stats.hodges_lehmann(from_good), stats.hodges_lehmann(to_bad)
    nearer: Side = "bad" if after_good >= before_bad else "good"
    slower, faster = (above_zero(values, prior) < level for values in (from_good, to_bad))
    if slower and faster and min(after_good, before_bad) >= SMALLER_PART * (after_good + before_bad):
        return Look("between", nearer)
    if slower if nearer == "bad" else faster:
        return Look(nearer, nearer)
    return Look("unresolved", nearer)


def pooled(samples: Sequence[Sequence[float]]) -> Prior | None:
    """Return what the scatter of earlier steps says of the next one's; None where there is none.

    A cell's processes scatter alike in each step, whichever commits they measure.
    """
    parts = [(_variance(tuple(values)), len(values) - 1) for values in samples if len(values) > 1]
    freedom = sum(part for _, part in parts)
    squares = sum(variance * part for variance, part in parts)
    return Prior(squares / freedom, freedom) if squares > 0 else None


# A replay asks the same of all steps before the last one.
_remembered = lru_cache(maxsize=1 << 14)


@_remembered
def _p_value(values: tuple[float, ...], prior: Prior | None) -> float:
    return stats.t_test(values, prior)


@_remembered
def _estimate(values: tuple[float, ...], prior: Prior | None) -> Estimate:
    return stats.over_replicates(values, prior=prior)


@_remembered
def _variance(values: tuple[float, ...]) -> float:
    return statistics.variance(values)


def _fitting(prior: Prior | None, values: Sequence[float]) -> Prior | None:
    """Return ``prior`` unless ``values`` scatter so much more that it would hide it."""
    fits = prior is not None and len(values) > 1 and _variance(tuple(values)) <= MOST_SCATTER * prior.variance
    return prior if fits else None
