"""The ratio of two cells' seconds, from neighbouring blocks, with its interval."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from bench.analysis import stats
from bench.analysis.stats import Estimate, Prior
from bench.records.schema import Cell, Record, Sample, TimingRecord

Key = TypeVar("Key", bound=Hashable)
Group = TypeVar("Group", bound=Hashable)


def timings(records: Sequence[Record]) -> dict[Cell, list[TimingRecord]]:
    """Return the timings in ``records`` by their cell, in the order of arrival."""
    found: dict[Cell, list[TimingRecord]] = {}
    for record in records:
        if isinstance(record, TimingRecord):
            found.setdefault(record.cell, []).append(record)
    return found


def per_repeat_s(record: TimingRecord) -> dict[int, float]:
    """Return the seconds of one repeat in each turn.

    If a turn has two lengths (`fit`): the slope between them, which excludes the fixed cost of the call.
    If each call was timed by itself: the median call.
    """
    return {turn: _one_turn(samples) for turn, samples in _turns(record).items()}


def per_call_s(record: TimingRecord) -> list[float]:
    """Return the fixed cost of a call (the line's intercept), one value a turn; empty without two lengths."""
    turns = _turns(record).values()
    lines = [[(s.repeats, s.duration_s) for s in turn] for turn in turns if _has_two_lengths(turn)]
    return [short[1] - short[0] * stats.slope(short, long) for short, long in lines]


def log_seconds(records: Sequence[TimingRecord]) -> list[float]:
    """Return the logarithm of the median seconds of one repeat, one a replicate; without those that are not positive.

    A slope at or below zero, which noise can give, has no logarithm.
    """
    centres = [statistics.median(per_repeat_s(record).values()) for record in records]
    return [math.log(value) for value in centres if value > 0]


def seconds(records: Sequence[TimingRecord], prior: Prior | None = None) -> Estimate:
    """Return the seconds of one repeat of a cell over its replicates.

    With one replicate: the interval of the median within its process. Another process may differ by more.
    """
    if len(records) == 1:
        return stats.median(list(per_repeat_s(records[0]).values()))
    return stats.over_replicates(log_seconds(records) or [math.nan], prior=prior)


def ratio(
    records: Sequence[TimingRecord],
    others: Sequence[TimingRecord],
    *,
    confidence: float = 0.95,
    prior: Prior | None = None,
) -> Estimate | None:
    """Return the seconds of ``records`` over those of ``others``, from neighbouring blocks; None without any.

    Within a replicate the median over turns of the ratio of neighbouring blocks; over replicates, `over_replicates`.
    Both use logarithms, so that swapping the two gives the reciprocal. Blocks of different replicates are never
    compared.
    """
    found = _by_replicate(records, others)
    if not found:
        return None
    if len(found) == 1:
        return found[0]
    return stats.over_replicates([math.log(one.value) for one in found], confidence, prior)


@dataclass(frozen=True)
class Ratios:
    """The ratios of one table: pairs of cells, the first one's seconds over the second one's.

    Variances are moderated within a group, the pairs of one phase by the same two paths, and all pairs are judged
    together: two cells are told apart where the interval excludes one. Of those, at most the share ``alpha`` is
    expected to be equal (`stats.selected`).
    """

    pairs: Sequence[tuple[Cell, Cell]]
    timings: Mapping[Cell, Sequence[TimingRecord]]
    alpha: float = 0.05

    def estimate(self, pair: tuple[Cell, Cell]) -> Estimate | None:
        """Return the ratio of ``pair`` with the interval by which it is told apart; None if nothing was measured."""
        first, second = (self.timings[cell] for cell in pair)
        return ratio(first, second, confidence=self._confidence, prior=self._priors[_group(pair)])

    @cached_property
    def _logs(self) -> dict[tuple[Cell, Cell], list[float]]:
        return {pair: log_ratios(*(self.timings[cell] for cell in pair)) for pair in self.pairs}

    @cached_property
    def _priors(self) -> dict[tuple[str, ...], Prior | None]:
        return priors(self._logs, _group)

    @cached_property
    def _confidence(self) -> float:
        known = [(pair, logs) for pair, logs in self._logs.items() if len(logs) > 1]
        return stats.selected([stats.t_test(logs, self._priors[_group(pair)]) for pair, logs in known], self.alpha)[1]


def _group(pair: tuple[Cell, Cell]) -> tuple[str, ...]:
    return pair[0].phase, pair[0].path, pair[1].path


def priors(logs: Mapping[Key, Sequence[float]], group: Callable[[Key], Group]) -> dict[Group, Prior | None]:
    """Return the prior of each group of ``logs``, values of one cell or pair, one a replicate."""
    groups: dict[Group, list[Sequence[float]]] = {}
    for key, values in logs.items():
        groups.setdefault(group(key), []).append(values)
    return {name: stats.prior(samples) for name, samples in groups.items()}


def log_ratios(records: Sequence[TimingRecord], others: Sequence[TimingRecord]) -> list[float]:
    """Return the logarithm of the median ratio of neighbouring blocks, one a replicate that both have."""
    return [math.log(one.value) for one in _by_replicate(records, others)]


def _by_replicate(records: Sequence[TimingRecord], others: Sequence[TimingRecord]) -> list[Estimate]:
    partners = {(other.replicate, other.attempt): per_repeat_s(other) for other in others}
    pairs = [(r, partners.get((r.replicate, r.attempt))) for r in records]
    found = [_within(per_repeat_s(record), partner) for record, partner in pairs if partner]
    return [_middle(values) for values in found if values]


def _turns(record: TimingRecord) -> dict[int, list[Sample]]:
    """Return the blocks of each turn, without those of warm-up and of turns that were taken again."""
    found: dict[int, list[Sample]] = {}
    for sample in record.samples:
        if sample.counts:
            found.setdefault(sample.turn, []).append(sample)
    return found


def _one_turn(samples: list[Sample]) -> float:
    if _has_two_lengths(samples):
        short, long = ((s.repeats, s.duration_s) for s in samples)
        return stats.slope(short, long)
    sample = samples[0]
    return statistics.median(sample.calls_s) if sample.calls_s else sample.duration_s / sample.repeats


def _has_two_lengths(samples: list[Sample]) -> bool:
    return len(samples) == 2 and samples[1].repeats > samples[0].repeats


def _middle(ratios: Sequence[float]) -> Estimate:
    """Return the median of ``ratios`` on the logarithmic scale, with its interval; 0 to infinity if it has none."""
    found = stats.median([math.log(ratio) for ratio in ratios])
    return Estimate(math.exp(found.value), math.exp(found.low), math.exp(found.high), found.count)


def _within(first: dict[int, float], second: dict[int, float]) -> list[float]:
    """Return the ratios of turns that both have; slopes at or below zero, which noise can give, are left out."""
    both = [(first[turn], second[turn]) for turn in first if turn in second]
    return [a / b for a, b in both if a > 0 and b > 0]
