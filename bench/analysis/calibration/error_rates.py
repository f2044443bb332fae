"""The error rates of the gate, from a pool of replicates: false alarms, and detected slowdowns.

The code that decides real gates decides simulated ones, a tier at a time. Each takes its processes from a stretch of
the pool, in the order of time and on one kind of machine; after the last replicate comes the first one. Gates that
share replicates are not independent, which the intervals ignore; gates that were run live are counted separately.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from scipy import stats as scipy_stats

from bench.analysis import paired_ratio, regression, stats
from bench.analysis.calibration import parallel
from bench.analysis.calibration.replicate_pool import PoolRecord
from bench.analysis.regression import Answer
from bench.analysis.rows import ComparisonRow
from bench.records.schema import Cell, ComparisonRecord

BASE, HEAD = "base", "head"
# Replicates that a stretch has to spare.
SPARE = 7
# pytest-benchmark's usual rule: the limit on the ratio of the means of all blocks.
MEAN_LIMIT = 1.05
MANN_WHITNEY_ALPHA = 0.05
# Replicates whose blocks these two rules pool.
POOLED = 7

# A cell without its target: recipe, phase, path, batch size and the backend with its device.
Key = tuple[str, str, str, int, str]


@dataclass(frozen=True)
class Rate:
    """Events in trials, with the exact interval of their probability."""

    events: int
    trials: int

    @property
    def share(self) -> float:
        return self.events / self.trials if self.trials else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        return stats.clopper_pearson(self.events, self.trials)


@dataclass(frozen=True)
class Pool:
    """Records by replicate, then by cell and label."""

    replicates: tuple[dict[tuple[Key, str], PoolRecord], ...]

    @classmethod
    def of(cls, records: Sequence[PoolRecord]) -> Pool:
        found: dict[int, dict[tuple[Key, str], PoolRecord]] = {}
        for record in records:
            found.setdefault(record.replicate, {})[key_of(record.cell), record.cell.label] = record
        return cls(tuple(found[number] for number in sorted(found)))

    @cached_property
    def keys(self) -> list[Key]:
        """The cells that every replicate has for both identical targets."""
        sets = [{key for key, name in one if name == HEAD and (key, BASE) in one} for one in self.replicates]
        return sorted(set.intersection(*sets)) if sets else []

    @cached_property
    def slowed(self) -> dict[str, list[Key]]:
        """The cells that some replicate has for each slowed target, by its label."""
        have = {(key, name) for one in self.replicates for key, name in one}
        labels = sorted({name for _, name in have} - {BASE, HEAD})
        return {name: [key for key in self.keys if (key, name) in have] for name in labels}

    @cached_property
    def machines(self) -> list[str]:
        """The kind of machine of each replicate, in words."""
        return [next(iter(one.values())).machine for one in self.replicates]

    @cached_property
    def spans(self) -> list[range]:
        """Ranges of neighbouring replicates of one kind of machine: no gate mixes machines."""
        groups = [len(list(same)) for _, same in itertools.groupby(self.machines)]
        ends = list(itertools.accumulate(groups))
        return [range(end - size, end) for end, size in zip(ends, groups, strict=True)]

    def having(self, key: Key, label: str) -> Pool:
        """Return the replicates that have ``label`` in the cell ``key``: later ones have no slowed targets."""
        chosen = tuple(index for index, one in enumerate(self.replicates) if (key, label) in one)
        if chosen not in self._parts:
            self._parts[chosen] = Pool(tuple(self.replicates[index] for index in chosen))
        return self._parts[chosen]

    def only(self, key: Key) -> Pool:
        """Return the replicates with the cell ``key`` alone, for rules that look at one cell at a time."""
        return Pool(tuple({name: one[name] for name in one if name[0] == key} for one in self.replicates))

    @cached_property
    def _parts(self) -> dict[tuple[int, ...], Pool]:
        return {tuple(range(len(self.replicates))): self}

    @cached_property
    def _pairs(self) -> dict[tuple[Key, str, int, str, int], float]:
        return {}

    def against_base(self, key: Key, label: str) -> list[float]:
        """Return the log-ratio of a target to the base in each replicate."""
        return [self.log_ratio(key, label, index, BASE, index) for index in range(len(self.replicates))]

    def log_ratio(self, key: Key, label: str, index: int, base: str, base_index: int) -> float:
        """Return the log-ratio of ``label`` in one replicate to ``base`` in the same or another one."""
        wanted = (key, label, index, base, base_index)
        if wanted not in self._pairs:
            one, other = self.replicates[index][key, label], self.replicates[base_index][key, base]
            (self._pairs[wanted],) = paired_ratio.log_ratios([one.timing(0)], [other.timing(0)])
        return self._pairs[wanted]


@dataclass(frozen=True)
class Trial:
    """One gate simulated from the pool: the replicates of its search, and those that confirm.

    swapped  whether head and base change places
    slowed   the cell whose head does extra work, and the label of that target; None for identical targets
    """

    search: tuple[int, ...]
    confirm: tuple[int, ...]
    swapped: bool = False
    slowed: tuple[Key, str] | None = None

    def labels(self, key: Key) -> tuple[str, str]:
        """Return the labels that stand for head and base in the cell ``key``."""
        if self.slowed is not None and self.slowed[0] == key:
            return self.slowed[1], BASE
        return (BASE, HEAD) if self.swapped else (HEAD, BASE)


Rule = Callable[[Pool, Trial], dict[Key, Answer]]


def trials(pool: Pool, *, replicates: int, count: int, seed: int = 0) -> list[Trial]:
    """Draw ``count`` gates in the order of time, each from a stretch that has some replicates to spare.

    Empty if no machine has enough neighbouring replicates for one gate.
    """
    draw = random.Random(seed)
    stretches = [stretch for span in pool.spans for stretch in _stretches(span, replicates)]
    if not stretches:
        return []
    found = []
    for _ in range(count):
        stretch = draw.choice(stretches)
        chosen = tuple(stretch[place] for place in sorted(draw.sample(range(len(stretch)), 2 * replicates)))
        found.append(Trial(chosen[:replicates], chosen[replicates:], swapped=draw.random() < 0.5))
    return found


def _stretches(span: range, replicates: int) -> list[tuple[int, ...]]:
    """Return a stretch from each replicate of ``span`` on, longer than a gate where the span is; none if it is shorter.

    It goes on from the first replicate after the last one. A gate stops after a few processes, so that it begins
    differently wherever its stretch does.
    """
    needed = 2 * replicates
    if len(span) < needed:
        return []
    ring, size = (*span, *span), min(len(span), needed + SPARE)
    return [ring[start : start + size] for start in range(len(span))]


def false_alarms(answered: Sequence[Mapping[Any, Answer]]) -> Rate:
    """Return how many whole gates of identical targets call any cell slower."""
    return Rate(sum("slower" in answers.values() for answers in answered), len(answered))


def unresolved(answered: Sequence[Mapping[Any, Answer]]) -> Rate:
    """Return how many cells of whole gates stay unresolved."""
    every = [answer for answers in answered for answer in answers.values()]
    return Rate(every.count("unresolved"), len(every))


def answers(pool: Pool, formed: Sequence[Trial], rule: Rule, *, label: str, key: Key) -> list[Answer]:
    """Return what each gate answers for the cell ``key`` of the slowed target ``label``."""
    asked = [replace(trial, slowed=(key, label)) for trial in formed]
    return parallel.each(lambda trial: rule(pool, trial)[key], asked)


def rate(answered: Sequence[Answer], wanted: Answer) -> Rate:
    """Return how many of the answers are ``wanted``."""
    return Rate(answered.count(wanted), len(answered))


def interleaved(settings: ComparisonRecord) -> Rule:
    """Return the rule of this suite's gate, confirmation included."""
    return lambda pool, trial: _decided(pool, trial, settings, shift=0)


def sequential(settings: ComparisonRecord) -> Rule:
    """Return the same rule for a head that is timed after the base instead of interleaved with it.

    The base's blocks are those of one replicate, the head's those of the next, minutes later.
    """
    return lambda pool, trial: _decided(pool, trial, settings, shift=1)


def used(pool: Pool, trial: Trial, settings: ComparisonRecord) -> dict[Key, int]:
    """Return how many processes of each side the search takes for each cell."""
    rows = _searched(pool, trial, settings, shift=0)
    return {key: row.processes or 0 for key, row in zip(pool.keys, rows, strict=True)}


def mean_rule(pool: Pool, trial: Trial) -> dict[Key, Answer]:
    """Return the answers of `--benchmark-compare-fail=mean:5%` on all blocks of the first round."""

    def decide(base: list[float], head: list[float]) -> Answer:
        return "slower" if sum(head) / len(head) > MEAN_LIMIT * sum(base) / len(base) else "same"

    return _pooled(pool, trial, decide)


def mann_whitney(pool: Pool, trial: Trial) -> dict[Key, Answer]:
    """Return the answers of a two-sided Mann-Whitney test at 5 %, with blocks pooled as if independent."""

    def decide(base: list[float], head: list[float]) -> Answer:
        found = scipy_stats.mannwhitneyu(head, base)
        if found.pvalue >= MANN_WHITNEY_ALPHA:
            return "same"
        return "slower" if found.statistic > len(head) * len(base) / 2 else "faster"

    return _pooled(pool, trial, decide)


def key_of(cell: Cell) -> Key:
    """Return ``cell`` without the label of its target."""
    return cell.recipe, cell.phase, cell.path, cell.batch_size, cell.where


def cell_of(key: Key, label: str) -> Cell:
    """Return the cell ``key`` on the target with this label."""
    recipe, phase, path, batch_size, where = key
    return Cell(recipe=recipe, phase=phase, path=path, batch_size=batch_size, target=f"{where}@{label}")  # type: ignore[arg-type]


def _decided(pool: Pool, trial: Trial, settings: ComparisonRecord, *, shift: int) -> dict[Key, Answer]:
    first = _searched(pool, trial, settings, shift=shift)
    flagged = [key for key, row in zip(pool.keys, first, strict=True) if row.answer == "slower"]
    fresh = _family(pool, trial, flagged, trial.confirm, settings, shift=shift, share=1.0)
    final = regression.confirmed(first, fresh)
    return {key: one.answer or "unresolved" for key, one in zip(pool.keys, final, strict=True)}


def _searched(pool: Pool, trial: Trial, settings: ComparisonRecord, *, shift: int) -> list[ComparisonRow]:
    share = regression.share_of(settings, len(pool.keys))
    return _family(pool, trial, pool.keys, trial.search, settings, shift=shift, share=share)


def _family(
    pool: Pool,
    trial: Trial,
    keys: Sequence[Key],
    replicates: tuple[int, ...],
    settings: ComparisonRecord,
    *,
    shift: int,
    share: float,
) -> list[ComparisonRow]:
    """Decide each cell from its replicates; with ``shift``, compared with the base of an earlier replicate."""
    pairs = [(cell_of(key, HEAD), cell_of(key, BASE)) for key in keys]
    logs = [_log_ratios(pool, trial, key, replicates, shift) for key in keys]
    known = [
        (settings.group(cell_of(key, HEAD)), _log_ratios(pool, trial, key, trial.search, shift)) for key in pool.keys
    ]
    return regression.family(pairs, logs, settings, known=known, share=share)


def _log_ratios(pool: Pool, trial: Trial, key: Key, replicates: tuple[int, ...], shift: int) -> list[float]:
    head, base = trial.labels(key)
    return [
        pool.log_ratio(key, head, index, base, replicates[(number - shift) % len(replicates)])
        for number, index in enumerate(replicates)
    ]


def _pooled(pool: Pool, trial: Trial, decide: Callable[[list[float], list[float]], Answer]) -> dict[Key, Answer]:
    found = {}
    for key in pool.keys:
        head, base = (
            [seconds for index in trial.search[:POOLED] for seconds in pool.replicates[index][key, label].positive_s]
            for label in trial.labels(key)
        )
        found[key] = decide(base, head)
    return found
