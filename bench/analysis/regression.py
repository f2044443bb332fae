"""The verdicts of a comparison: each cell slower, faster, the same or unresolved.

A cell's ratio is estimated over replicates (`paired_ratio`). After each round of processes every open cell is looked at
again, at the level that `looks` gives to the look, until it is decided or the processes of the stage are used up. All
deciding cells share one level. A "slower" must be found again in a second stage, of fresh processes, before it fails
the gate; so must a control that failed before it takes answers back.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from bench.analysis import accuracy, paired_ratio, stats
from bench.analysis.gate import looks
from bench.analysis.rows import ComparisonRow, CounterChangeRow, FunctionChangeRow, bounded, finite
from bench.analysis.stats import Estimate, Prior
from bench.plan import counters
from bench.records import identity
from bench.records.schema import Cell, ComparisonRecord, CounterRecord, FailureRecord, Record, TimingRecord
from bench.records.store import Run

Answer = Literal["slower", "faster", "same", "unresolved"]

Pair = tuple[Cell, Cell]  # a cell and the same one of its base
Group = tuple[str, bool]  # cells whose variances are alike: `ComparisonRecord.group`

# The controls, as the rule names them.
Control = Literal["itself", "extra work"]
ITSELF: Control = "itself"
EXTRA_WORK: Control = "extra work"
# The stages of a gate: a replicate's number divided by the most processes of a stage.
SEARCH, CONFIRM = 0, 1

# Intervals cover the ratio this often, over all looks together.
COVERAGE = 0.95
# A change of calls is explained by this share of it, and by no more functions than a reader looks at.
EXPLAINED, MOST_FUNCTIONS = 0.8, 5
# The power used for the minimum detectable effect.
POWER = 0.9
# Stop projecting the sample size beyond this: the cell is too noisy here.
MAX_PROJECTED_REPLICATES = 200


@dataclass(frozen=True)
class Due:
    """What a gate measures next: one more process of each side for ``cells``, numbered ``replicate``."""

    replicate: int
    cells: list[Cell]


@dataclass(frozen=True)
class Decision:
    """Everything that follows from a comparison's records; ``failures`` and ``lacks`` are what it did not measure."""

    rule: ComparisonRecord
    records: tuple[Record, ...]
    failures: tuple[FailureRecord, ...] = ()
    lacks: tuple[str, ...] = ()

    @cached_property
    def cells(self) -> list[ComparisonRow]:
        """Every deciding cell of every target except the bases."""
        return [self._seen(row) for row in confirmed(self._searched, self._verdicts(self._flagged, CONFIRM))]

    @cached_property
    def controls(self) -> list[ComparisonRow]:
        """The base again must not be slower or faster, the base with extra work must be slower.

        By chance alone some gates fail that: a failed control is measured again in fresh processes.
        """
        found = []
        for name in self.rule.controls:
            fresh = {row.cell: row for row in self._verdicts(self._failed(name), CONFIRM)}
            for row in self._first_controls[name]:
                again = fresh.get(row.cell)
                decided = again is not None and again.ratio is not None
                found.append(_control(again, name, remeasured=True) if again and decided else row)
        return found

    @cached_property
    def counter_changes(self) -> list[CounterChangeRow]:
        """Counters that differ from the base's by more than they do by themselves."""
        counted = {record.cell: record for record in self.records if isinstance(record, CounterRecord)}
        return [
            change
            for cell, base in self._based(list(counted), self._others)
            if base in counted
            for change in _counter_changes(counted[cell], counted[base])
        ]

    @property
    def void(self) -> bool:
        """Whether the base differs from itself, or a control is missing: then the gate's answers mean nothing."""
        known = {row.control for row in self.controls}
        differs = any(row.control == ITSELF and not row.passed for row in self.controls)
        return differs or not known >= set(self.rule.controls)

    def due(self, asked: Collection[str] = ()) -> Due | None:
        """Return what is to be measured next; None once everything is decided, or as far as it can be.

        First the open cells, and controls whose extra work is not found yet; then the cells that came out slower and
        the controls that failed. ``asked`` has the identities of timings that were asked for already: what gave none is
        not asked for without end.
        """
        sensitive = self._first_controls.get(EXTRA_WORK, [])
        failed = [pair for name in self.rule.controls for pair in self._failed(name)]
        again = [*self._verdicts(self._flagged, CONFIRM), *self._verdicts(failed, CONFIRM)]
        return self._next(SEARCH, [*self._searched, *sensitive], asked) or self._next(CONFIRM, again, asked)

    def _next(self, stage: int, rows: Sequence[ComparisonRow], asked: Collection[str]) -> Due | None:
        """Return the next process for the open ones of ``rows``; None if none is open or all processes are used.

        Cells that lack an earlier process than others, since a run was cut, come first.
        """
        waiting: dict[int, list[Cell]] = {}
        for row in rows:
            if row.answer == "unresolved" and (replicate := self._untried(row.cell, stage, asked)) is not None:
                waiting.setdefault(replicate, []).append(row.cell)
        return Due(min(waiting), waiting[min(waiting)]) if waiting else None

    def _untried(self, cell: Cell, stage: int, asked: Collection[str]) -> int | None:
        """Return the first replicate of ``stage`` in which ``cell`` and its base were not measured, nor asked for.

        Those before the first look are planned from the start.
        """
        (pair,) = self._based([cell], [cell.label])
        most = self.rule.replicates
        numbers = range(self.rule.fewest, most) if stage == SEARCH else range(most, 2 * most)
        return next((number for number in numbers if not self._tried(pair, number, asked)), None)

    def _tried(self, pair: Pair, replicate: int, asked: Collection[str]) -> bool:
        names = {identity.timing(cell, replicate) for cell in pair}
        return names <= self._measured or not names.isdisjoint(asked)

    @cached_property
    def _measured(self) -> frozenset[str]:
        return frozenset(identity.timing(r.cell, r.replicate) for some in self._timings.values() for r in some)

    @cached_property
    def _searched(self) -> list[ComparisonRow]:
        """The deciding cells by the first stage."""
        return self._verdicts(self._pairs(self._others), SEARCH)

    @cached_property
    def _first_controls(self) -> dict[Control, list[ComparisonRow]]:
        """The controls by the first stage, each kind as one family."""
        return {
            name: [_control(row, name) for row in self._verdicts(self._pairs([label]), SEARCH)]
            for name, label in self.rule.controls.items()
        }

    @cached_property
    def _flagged(self) -> list[Pair]:
        """The cells that are called slower before any confirmation."""
        return self._based([row.cell for row in self._searched if row.answer == "slower"], self._others)

    def _failed(self, control: Control) -> list[Pair]:
        """Return the cells of a control that failed in the first stage."""
        cells = [row.cell for row in self._first_controls[control] if not row.passed]
        return self._based(cells, [self.rule.controls[control]])

    @cached_property
    def _blind(self) -> dict[str, str]:
        """The tiers in which 10 % more work was not found, each with a cell of it."""
        missed = [row for row in self.controls if row.control == EXTRA_WORK and not row.passed]
        return {row.tier: row.cell.name for row in missed}

    def _seen(self, row: ComparisonRow) -> ComparisonRow:
        """Return ``row``; its "same" is taken back where the control of its tier missed more work than that."""
        if row.answer != "same" or row.tier not in self._blind:
            return row
        why = f"it looks the same, but so did 10% more work in {self._blind[row.tier]}"
        return row.model_copy(update={"answer": "unresolved", "reason": why})

    def _verdicts(self, pairs: Sequence[Pair], stage: int) -> list[ComparisonRow]:
        """Decide ``pairs`` by the processes of one stage, those of a tier as one family."""
        found: dict[Cell, ComparisonRow] = {}
        for tier in self.rule.tiers:
            some = [pair for pair in pairs if self.rule.tier(pair[0]) == tier]
            logs = [self._log_ratios(pair, stage) for pair in some]
            share = 1.0 if stage == CONFIRM else share_of(self.rule, len(some))
            rows = family(some, logs, self.rule, known=self._spread, share=share)
            found |= {row.cell: row for row in rows}
        return [found[cell] for cell, _ in pairs]

    @cached_property
    def _spread(self) -> list[tuple[Group, list[float]]]:
        """The log-ratios of the first stage, controls included: they say how far such cells scatter."""
        labels = [*self._others, *self.rule.controls.values()]
        return [(self.rule.group(pair[0]), self._log_ratios(pair, SEARCH)) for pair in self._pairs(labels)]

    def _log_ratios(self, pair: Pair, stage: int) -> list[float]:
        """Return the log-ratio of a cell to its base in each replicate of ``stage``."""
        records, others = (
            [record for record in self._timings.get(one, []) if record.replicate // self.rule.replicates == stage]
            for one in pair
        )
        return paired_ratio.log_ratios(records, others)

    def _pairs(self, labels: Sequence[str]) -> list[Pair]:
        """Return the deciding cells of the targets with these labels, each with its base's, in the order of arrival."""
        return self._based([cell for cell in self._timings if self.rule.path(cell) is not None], labels)

    def _based(self, cells: Sequence[Cell], labels: Sequence[str]) -> list[Pair]:
        base = next(iter(self.rule.sides))
        return [
            (cell, cell.model_copy(update={"target": f"{cell.where}@{base}"})) for cell in cells if cell.label in labels
        ]

    @property
    def _others(self) -> list[str]:
        return list(self.rule.sides)[1:]

    @cached_property
    def _timings(self) -> dict[Cell, list[TimingRecord]]:
        return paired_ratio.timings(self.records)


def decide(run: Run) -> Decision:
    """Return the decision on ``run``; ValueError if it is no comparison."""
    rules = [record for record in run.records if isinstance(record, ComparisonRecord)]
    if not rules:
        raise ValueError(f"expected the records of a comparison; {run.header.run_id} is a run of {run.header.profile}")
    return Decision(rules[0], run.records, tuple(run.failures()), tuple(accuracy.incomplete(run)))


def family(
    pairs: Sequence[Pair],
    log_ratios: Sequence[Sequence[float]],
    rule: ComparisonRecord,
    *,
    known: Sequence[tuple[Group, Sequence[float]]],
    share: float,
) -> list[ComparisonRow]:
    """Decide each cell of a tier at the first look that says enough; one log-ratio a process.

    Each cell has ``share`` of the rule's level: see `share_of`; what confirms a cell that was found has all of it.
    Variances are moderated toward those of cells that are alike, by the log-ratios that are ``known`` of them so far.
    """
    rows = [_too_few(cell, values, rule) for (cell, _), values in zip(pairs, log_ratios, strict=True)]
    groups = [rule.group(cell) for cell, _ in pairs]
    for count in range(rule.fewest, rule.replicates + 1):
        due = [
            index
            for index, values in enumerate(log_ratios)
            if len(values) >= count and rows[index].answer == "unresolved"
        ]
        if not due:
            continue
        priors = _priors([(one, values[:count]) for one, values in known])
        for index in due:
            look = _Look(rule, count, share, priors[groups[index]])
            rows[index] = look.verdict(pairs[index][0], log_ratios[index][:count])
    return rows


def share_of(rule: ComparisonRecord, cells: int) -> float:
    """Return the share of the level of each of so many cells of a tier: the tiers share it, and the cells of each."""
    return 1 / len(rule.tiers) / max(1, cells)


def confirmed(first: Sequence[ComparisonRow], fresh: Sequence[ComparisonRow]) -> list[ComparisonRow]:
    """Return ``first`` with each "slower" confirmed or withdrawn by ``fresh``."""
    again = {one.cell: one for one in fresh}
    return [_with_confirmation(one, again[one.cell]) if one.cell in again else one for one in first]


def answer(estimate: Estimate, *, told_apart: bool, margin: float) -> Answer:
    """Return the answer from an interval, and whether the two are told apart.

    Same if the whole interval lies within the margin, even if it excludes one. Otherwise slower or faster if they are
    told apart, else unresolved.
    """
    if 1 / (1 + margin) <= estimate.low and estimate.high <= 1 + margin:
        return "same"
    if told_apart:
        return "slower" if estimate.value > 1 else "faster"
    return "unresolved"


@dataclass(frozen=True)
class _Look:
    """One look at a cell, after ``count`` processes; it has ``share`` of the rule's level."""

    rule: ComparisonRecord
    count: int
    share: float
    prior: Prior | None

    def level(self, whole: float) -> float:
        """Return the level of this look, so that all looks together have the level ``whole``."""
        return looks.at(self.rule.fewest, self.rule.replicates, whole, self.count)

    def verdict(self, cell: Cell, values: Sequence[float]) -> ComparisonRow:
        """Return the row of ``cell`` from its log-ratios so far."""
        about, level = _about(cell, self.rule), self.level(self.rule.alpha * self.share)
        margin = about["margin"]
        estimate = stats.over_replicates(values, 1 - self.level(1 - COVERAGE), self.prior)
        found = answer(estimate, told_apart=stats.t_test(values, self.prior) < level, margin=margin)
        return ComparisonRow(
            **about,
            **bounded("ratio", estimate),
            processes=estimate.count,
            min_detectable=finite(math.exp(stats.min_detectable_effect(values, alpha=level, power=POWER))),
            needed=_needed(estimate, values, margin, level) if found == "unresolved" else None,
            answer=found,
            reason=_reason(found, margin),
        )


def _priors(known: Sequence[tuple[Group, Sequence[float]]]) -> dict[Group, Prior | None]:
    """Return the prior of each group of log-ratios."""
    logs = dict(enumerate(known))
    return paired_ratio.priors({key: values for key, (_, values) in logs.items()}, lambda key: logs[key][0])


def _too_few(cell: Cell, values: Sequence[float], rule: ComparisonRecord) -> ComparisonRow:
    why = f"{len(values)} processes of both: the first look is after {rule.fewest}"
    return ComparisonRow(**_about(cell, rule), answer="unresolved", reason=why)


def _about(cell: Cell, rule: ComparisonRecord) -> dict[str, Any]:
    path = rule.path(cell)
    if path is None:
        raise ValueError(f"expected a cell that decides; {cell.name} does not")
    return {**cell.model_dump(), "decides": True, "tier": path.tier, "margin": path.margin}


def _control(row: ComparisonRow, name: str, *, remeasured: bool = False) -> ComparisonRow:
    """Return ``row`` as that of a control, whose answer is known beforehand."""
    wanted = ("same", "unresolved") if name == ITSELF else ("slower",)
    return row.model_copy(
        update={"decides": False, "control": name, "passed": row.answer in wanted, "remeasured": remeasured}
    )


def _counter_changes(record: CounterRecord, base: CounterRecord) -> list[CounterChangeRow]:
    """Return the counters of ``record`` that differ from those of ``base``; those that one of them lacks do not."""
    backend, path = record.cell.where.partition("-")[0], record.cell.path
    return [
        CounterChangeRow(
            cell=record.cell.name,
            counter=name,
            before=before,
            after=after,
            decides=rule.fails(backend, path, before, after),
            functions=_explained(record.functions, base.functions, counter=name),
        )
        for name, rule in counters.RULES.items()
        if name in record.counters and name in base.counters
        for before, after in [(base.counters[name], record.counters[name])]
        if rule.shown(backend, path, before, after)
    ]


def _explained(after: Mapping[str, float], before: Mapping[str, float], *, counter: str) -> list[FunctionChangeRow]:
    """Return the functions whose calls explain most of the difference of ``counter``, the largest first."""
    names = [name for name in after.keys() | before.keys() if counters.counts(counter, name)]
    found = [FunctionChangeRow(function=n, before=before.get(n, 0.0), after=after.get(n, 0.0)) for n in names]
    found.sort(key=lambda row: (-abs(row.after - row.before), row.function))
    sizes = [abs(row.after - row.before) for row in found]
    enough = next((n for n in range(len(sizes)) if sum(sizes[:n]) >= EXPLAINED * sum(sizes)), len(sizes))
    return found[: min(enough, MOST_FUNCTIONS)]


def _needed(estimate: Estimate, log_ratios: Sequence[float], margin: float, alpha: float) -> int | None:
    """Return how many replicates would resolve the cell if its estimate and spread stay as they are."""
    centre, width = abs(math.log(estimate.value)), math.log(1 + margin)
    deviation = statistics.stdev(log_ratios)
    for count in range(len(log_ratios) + 1, MAX_PROJECTED_REPLICATES + 1):
        same = centre + stats.half_width(deviation, count, 1 - COVERAGE) <= width
        if same or stats.half_width(deviation, count, alpha) < centre:
            return count
    return None


def _with_confirmation(first: ComparisonRow, fresh: ComparisonRow) -> ComparisonRow:
    """Return a "slower" with its confirmation, or unresolved without one."""
    found: dict[str, object] = {"confirmed": fresh.ratio, "confirmed_processes": fresh.processes}
    if fresh.answer == "slower":
        return first.model_copy(update={**found, "reason": "fresh processes confirm it"})
    words = f"slower at first, but fresh processes say {fresh.answer}"
    return first.model_copy(update={**found, "answer": "unresolved", "reason": words, "needed": fresh.needed})


def _reason(found: Answer, margin: float) -> str:
    return {
        "same": f"the interval lies within {margin:.0%}",
        "slower": "the interval lies above one and not within the margin",
        "faster": "the interval lies below one and not within the margin",
        "unresolved": f"the interval exceeds {margin:.0%} and a ratio of one cannot be excluded",
    }[found]
