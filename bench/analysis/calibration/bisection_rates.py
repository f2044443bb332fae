"""How often a bisection finds the culprit: histories that are simulated with noise from the pool.

The code that searches real histories searches these. One cell becomes slower at one commit, all others stay as they
are. A history takes the pool's replicates in the order of time from a random one on. The pool has two identical
targets in a replicate and a candidate needs three, so the log-ratio to the bad end is turned from two replicates: it
has their variance, and the correlation of -1/2 with the log-ratio to the good end that sharing the candidate gives.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from bench.analysis.bisection import search
from bench.analysis.bisection.search import Ask, Conclusion, Ratios, Search, State
from bench.analysis.bisection.step import Rule
from bench.analysis.calibration import parallel
from bench.analysis.calibration.error_rates import BASE, HEAD, Key, Pool, Rate

COMMITS = 64
SHARES = (0.03, 0.05, 0.10)
HISTORIES = 100
# A history walks through one machine's replicates and begins again at their end: fewer would be the same ones often.
FEWEST = 40

Outcome = Literal["exact", "interval", "wrong", "none"]


@dataclass
class History:
    """One simulated history: from the commit ``culprit`` on, ``slowed`` takes ``change`` more (a logarithm)."""

    pool: Pool
    slowed: Key
    culprit: int
    change: float
    sign: int
    walks: tuple[list[int], list[int]]
    processes: int = 0
    measured: dict[tuple[int, str, str], dict[search.Key, dict[int, float]]] = field(default_factory=dict)

    @classmethod
    def drawn(cls, pool: Pool, share: float, draw: random.Random) -> History:
        """Draw a culprit, a cell and the replicates."""
        span = draw.choice([span for span in pool.spans if len(span) >= FEWEST])
        starts = draw.sample(range(len(span)), 2)
        one, other = ([*span[start:], *span[:start]] for start in starts)
        culprit, sign = draw.randint(1, COMMITS), draw.choice((-1, 1))
        return cls(pool, draw.choice(pool.keys), culprit, math.log1p(share), sign, (one, other))

    def ratios(self, stage: int, label: str, base: str) -> Ratios:
        return self.measured.get((stage, label, base), {})

    def failures(self, _stage: int, _number: int) -> Mapping[str, str]:
        return {}

    def measure(self, ask: Ask) -> None:
        """Measure one process of each target."""
        noises = [self._noise(walk) for walk in self.walks]
        self.processes += len(ask.labels)
        for key in ask.keys or self.pool.keys:
            one, other = (noise[key] for noise in noises)
            turned = (one, math.sqrt(3) / 2 * other - one / 2)
            for label, base, noise in zip(ask.labels[1:], ask.labels, turned, strict=False):
                change = self.change * (self._is_slow(label) - self._is_slow(base)) if key == self.slowed else 0.0
                self.measured.setdefault((ask.stage, label, base), {}).setdefault(key, {})[ask.number] = change + noise

    def outcome(self, found: Conclusion) -> Outcome:
        """Return whether a search found the culprit; none where it says that it did not."""
        if found.ending not in ("found", "interval"):
            return "none"
        if str(self.culprit) not in found.culprits:
            return "wrong"
        return "exact" if found.ending == "found" else "interval"

    def _noise(self, walk: list[int]) -> dict[search.Key, float]:
        index = walk.pop(0)
        walk.append(index)
        return {key: self.sign * self.pool.log_ratio(key, HEAD, index, BASE, index) for key in self.pool.keys}

    def _is_slow(self, label: str) -> bool:
        return int(label) >= self.culprit


@dataclass(frozen=True)
class BisectionRate:
    """How searches of histories with one share of more work ended, and the processes and steps that each took."""

    share: float
    exact: Rate
    interval: Rate
    wrong: Rate
    none: Rate
    processes: tuple[int, ...]
    steps: tuple[int, ...]


def table(pool: Pool, rule: Rule, *, histories: int = HISTORIES, seed: int = 0) -> list[BisectionRate]:
    """Return how often the culprit is found at each share; empty where no machine has enough replicates."""
    if max(map(len, pool.spans), default=0) < FEWEST:
        return []
    return [_rate(pool, rule, share, histories, random.Random(seed)) for share in SHARES]


def searched(history: History, rule: Rule) -> State:
    """Search a history to its end."""
    wanted = Search(tuple(map(str, range(COMMITS + 1))), rule, together=_backend)
    while (found := search.state(wanted, history)).ask is not None:
        history.measure(found.ask)
    return found


def _ended(history: History, rule: Rule) -> tuple[Outcome | None, int, int]:
    """Return how the search of ``history`` ended, and its processes and steps."""
    state = searched(history, rule)
    return history.outcome(state.conclusion) if state.conclusion else None, history.processes, len(state.steps)


def _rate(pool: Pool, rule: Rule, share: float, histories: int, draw: random.Random) -> BisectionRate:
    made = [History.drawn(pool, share, draw) for _ in range(histories)]
    ended = parallel.each(lambda number: _ended(made[number], rule), range(histories))
    outcomes = [outcome for outcome, _, _ in ended]
    rates = {name: Rate(outcomes.count(name), histories) for name in ("exact", "interval", "wrong", "none")}
    _, processes, steps = zip(*ended, strict=True)
    return BisectionRate(share, **rates, processes=processes, steps=steps)


def _backend(key: search.Key) -> object:
    return key[-1] if isinstance(key, tuple) else key
