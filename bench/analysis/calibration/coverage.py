"""Coverage: how often the interval of identical targets' ratio covers one, with and without moderated variances.

The ratio of identical targets is one. An interval of 95 % has to cover it in 95 of 100 draws of few replicates.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bench.analysis import stats
from bench.analysis.calibration.error_rates import BASE, HEAD, Key, Pool, Rate
from bench.analysis.stats import Estimate, Prior

DRAWS = 3_000
REPLICATES = (3, 6)

# Chooses replicates of the pool.
Draw = Callable[[random.Random, Pool, int], Sequence[int]]


@dataclass(frozen=True)
class Coverage:
    """How often intervals from so many replicates cover one: Student's, and with moderated variances.

    drawn     how the replicates of a draw were chosen
    narrower  the share by which the moderated interval's median width is below that of Student's
    """

    phase: str
    replicates: int
    drawn: str
    plain: Rate
    moderated: Rate
    narrower: float


def _at_random(draw: random.Random, pool: Pool, number: int) -> list[int]:
    span = draw.choices(pool.spans, weights=list(map(len, pool.spans)))[0]
    return draw.sample(span, number) if len(span) >= number else _at_random(draw, pool, number)


def _neighbouring(draw: random.Random, pool: Pool, number: int) -> Sequence[int]:
    starts = [(span, first) for span in pool.spans for first in range(len(span) - number + 1)]
    span, first = draw.choice(starts)
    return span[first : first + number]


DRAWN: dict[str, Draw] = {"at random": _at_random, "neighbours in time": _neighbouring}


def table(pool: Pool, *, draws: int = DRAWS, seed: int = 0) -> list[Coverage]:
    """Return the coverage of each phase; empty where the pool has too few replicates of one kind of machine."""
    if max(map(len, pool.spans), default=0) < max(REPLICATES):
        return []
    phases = list(dict.fromkeys(key[1] for key in pool.keys))
    return [
        _coverage(pool, [key for key in pool.keys if key[1] == phase], number, drawn, random.Random(seed), draws)
        for phase in sorted(phases, reverse=True)
        for number in REPLICATES
        for drawn in DRAWN
    ]


def _coverage(pool: Pool, keys: Sequence[Key], number: int, drawn: str, draw: random.Random, draws: int) -> Coverage:
    found = [pair for _ in range(draws) for pair in _intervals(pool, keys, DRAWN[drawn](draw, pool, number))]
    plain, moderated = ([pair[which] for pair in found] for which in (0, 1))
    one, other = (Rate(sum(not each.excludes(1) for each in some), len(some)) for some in (plain, moderated))
    return Coverage(keys[0][1], number, drawn, one, other, narrower=1 - _width(moderated) / _width(plain))


def _intervals(pool: Pool, keys: Sequence[Key], replicates: Sequence[int]) -> Iterator[tuple[Estimate, Estimate]]:
    """Yield the interval of each cell from ``replicates``, by itself and with the prior of all."""
    logs = [[pool.log_ratio(key, HEAD, index, BASE, index) for index in replicates] for key in keys]
    common: Prior | None = stats.prior(logs)
    for values in logs:
        yield stats.over_replicates(values), stats.over_replicates(values, prior=common)


def _width(estimates: Sequence[Estimate]) -> float:
    return statistics.median(one.high - one.low for one in estimates)
