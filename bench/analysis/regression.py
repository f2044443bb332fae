"""The verdict: what a comparison's records allow to say of each cell, in three answers; it measures nothing.

A cell's ratio is estimated over replicates (`paired_ratio`). Whether it differs from one is asked of all deciding
cells together (Holm). Cells that the first round leaves open may be settled by a second one, and a "slower" is
confirmed by a fresh round before it fails anything; so is a control that fails before it voids the gate.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Literal

from bench.analysis import paired_ratio, stats
from bench.analysis.stats import Estimate
from bench.records.schema import Cell, ComparisonRecord, CounterRecord, FailureRecord, Record, TimingRecord
from bench.records.store import Run

Answer = Literal["slower", "faster", "same", "unresolved"]

Pair = tuple[Cell, Cell]  # a cell and the same one of its base

# The rounds of a gate: replicates divided by how many one has. Those that confirm come after them.
FIRST_ROUND, SECOND_ROUND = 0, 1

# Counts that do not wobble: one more of any is a finding. Memory of the process and its growth do wobble.
EXACT = (
    "compilations",
    "recompilations",
    "traces",
    "retraces",
    "graph_operations",
    "program_flops",
    "program_bytes",
    "program_temporary_bytes",
)
# How surely an effect is seen that is called the smallest one.
POWER = 0.9
# Nobody waits for more replicates than this: the cell is too noisy here.
MAX_PROJECTED_REPLICATES = 200


@dataclass(frozen=True)
class CellVerdict:
    """What can be said of one cell on one target against the same cell on its base.

    ratio       seconds over the base's: 1.05 is 5 % slower; None where nothing was measured on both
    min_detectable  the smallest ratio above one that would have been seen nine times out of ten
    needed      replicates that would settle it; None where it is settled, or no reasonable number would
    decides     whether the gate hangs on it
    confirmed   what a fresh round said of a "slower"; None where none ran
    """

    cell: Cell
    base: Cell
    ratio: Estimate | None
    answer: Answer
    reason: str
    min_detectable: float
    needed: int | None
    decides: bool
    confirmed: Estimate | None = None


@dataclass(frozen=True)
class Control:
    """What the gate says of a pair of which it is known what it should say.

    remeasured   whether it failed at first, and a fresh round has the last word
    """

    name: Literal["itself", "extra work"]
    verdict: CellVerdict
    passed: bool
    remeasured: bool = False


@dataclass(frozen=True)
class Count:
    """One exact counter of one cell that differs from the base's."""

    cell: Cell
    base: str
    counter: str
    before: float
    after: float

    @property
    def worse(self) -> bool:
        return self.after > self.before


@dataclass(frozen=True)
class Decision:
    """Everything that a comparison's records say."""

    rule: ComparisonRecord
    records: tuple[Record, ...]

    @cached_property
    def cells(self) -> list[CellVerdict]:
        """Every cell of every compared target but the bases: deciding ones first, then those beside."""
        return self._confirmed(self._before_confirmation()) + self._verdicts(
            self._pairs(self._others, decides=False), decides=False
        )

    @cached_property
    def controls(self) -> list[Control]:
        """What is known beforehand: the base again is not slower or faster, the base with extra work is slower.

        By chance alone up to ``alpha`` of all gates may say otherwise: a control that fails is asked again.
        """
        fresh = self._control_results(
            dict.fromkeys(self._failed_controls(), confirmation_rounds(self.rule, settled=False))
        )
        return [
            replace(again, remeasured=True) if not one.passed and again.verdict.ratio is not None else one
            for one, again in zip(self._first_controls, fresh, strict=True)
        ]

    @cached_property
    def _first_controls(self) -> list[Control]:
        """What the first round says of the controls."""
        return self._control_results({})

    def _control_results(self, rounds: Mapping[Cell, tuple[int, ...]]) -> list[Control]:
        """Judge the controls, each kind as one family, by the first round or by that of ``rounds``."""
        found = []
        for name, label in self.rule.controls.items():
            wanted = ("same", "unresolved") if name == "itself" else ("slower",)
            verdicts = self._verdicts(self._pairs([label], decides=True), decides=False, rounds=rounds)
            found += [Control(name, one, one.answer in wanted) for one in verdicts]
        return found

    def _failed_controls(self) -> list[Cell]:
        """Return the cells of controls that the first round fails."""
        return [control.verdict.cell for control in self._first_controls if not control.passed]

    @cached_property
    def counts(self) -> list[Count]:
        """Exact counters that differ from the base's."""
        counted = {record.cell: record.counters for record in self.records if isinstance(record, CounterRecord)}
        return [
            Count(cell, base.target, name, counted[base][name], counted[cell][name])
            for cell, base in self._based(list(counted), self._others)
            if base in counted
            for name in EXACT
            if counted[cell].get(name) != counted[base].get(name) and name in counted[base] and name in counted[cell]
        ]

    @property
    def failures(self) -> list[FailureRecord]:
        return [record for record in self.records if isinstance(record, FailureRecord)]

    @property
    def void(self) -> bool:
        """Whether a control did not come out as it had to: then the gate's other answers mean nothing."""
        known = {control.name for control in self.controls}
        return not (known >= set(self.rule.controls) and all(control.passed for control in self.controls))

    def unresolved(self) -> list[Cell]:
        """Return the cells that the first round leaves open."""
        return [verdict.cell for verdict in self._first_round if verdict.answer == "unresolved"]

    def flagged(self) -> list[Cell]:
        """Return the cells that are called slower and await their confirmation."""
        return [verdict.cell for verdict in self._before_confirmation() if verdict.answer == "slower"]

    def confirmation_cells(self) -> dict[int, list[Cell]]:
        """Return what each round that confirms has to measure, by its number: slower cells, controls that fail."""
        found: dict[int, list[Cell]] = {}
        for cell in (*self.flagged(), *self._failed_controls()):
            for number in self._confirmation_rounds(cell):
                found.setdefault(number, []).append(cell)
        return dict(sorted(found.items()))

    def _confirmation_rounds(self, cell: Cell) -> tuple[int, ...]:
        return confirmation_rounds(self.rule, settled=cell in self.unresolved())

    @cached_property
    def _first_round(self) -> list[CellVerdict]:
        """What the first round says."""
        return self._deciding_verdicts({})

    def _before_confirmation(self) -> list[CellVerdict]:
        """Judge before any confirmation: by the first round, open cells by the one that settles as well."""
        if not self.rule.settle:
            return self._first_round
        return settled(
            self._first_round, self._deciding_verdicts(dict.fromkeys(self.unresolved(), (FIRST_ROUND, SECOND_ROUND)))
        )

    def _deciding_verdicts(self, rounds: Mapping[Cell, tuple[int, ...]]) -> list[CellVerdict]:
        return self._verdicts(
            self._pairs(self._others, decides=True), decides=True, rounds=rounds, alpha=self.rule.level
        )

    def _confirmed(self, first: list[CellVerdict]) -> list[CellVerdict]:
        """Let the fresh round have the last word on each "slower"."""
        slower = [(one.cell, one.base) for one in first if one.answer == "slower"]
        if not self.rule.confirm:
            return first
        rounds = {cell: self._confirmation_rounds(cell) for cell, _ in slower}
        return confirmed(first, self._verdicts(slower, decides=True, rounds=rounds))

    def _verdicts(
        self,
        pairs: Sequence[Pair],
        *,
        decides: bool,
        rounds: Mapping[Cell, tuple[int, ...]] | None = None,
        alpha: float | None = None,
    ) -> list[CellVerdict]:
        chosen = rounds or {}
        logs = [self._log_ratios(cell, base, chosen.get(cell, (FIRST_ROUND,))) for cell, base in pairs]
        return family(pairs, logs, margin=self.rule.margin, alpha=alpha or self.rule.alpha, decides=decides)

    def _log_ratios(self, cell: Cell, base: Cell, rounds: tuple[int, ...]) -> list[float]:
        """Return the log-ratio of ``cell`` to ``base`` in each replicate of ``rounds``."""
        records, others = (
            [record for record in self._timings.get(one, []) if record.replicate // self.rule.replicates in rounds]
            for one in (cell, base)
        )
        return [math.log(value) for value in paired_ratio.ratios(records, others)]

    def _pairs(self, labels: Sequence[str], *, decides: bool) -> list[Pair]:
        """Return the cells of targets so labelled, each with its base's, in the order of their arrival."""
        deciding = {tuple(pair) for pair in self.rule.deciding}
        cells = [cell for cell in self._timings if ((cell.phase, cell.path) in deciding) == decides]
        return self._based(cells, labels)

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
    """Return what the records of ``run``, a comparison, say; ValueError where it is none."""
    rules = [record for record in run.records if isinstance(record, ComparisonRecord)]
    if not rules:
        raise ValueError(f"expected the records of a comparison; {run.header.run_id} is a run of {run.header.profile}")
    return Decision(rules[0], run.records)


def family(
    pairs: Sequence[Pair], log_ratios: Sequence[Sequence[float]], *, margin: float, alpha: float, decides: bool
) -> list[CellVerdict]:
    """Answer for each cell against its base, all of them as one family, from one log-ratio a replicate."""
    p_values = stats.holm([stats.t_test(values) for values in log_ratios])
    decide_cell = partial(_verdict, margin=margin, alpha=alpha, strictest=alpha / max(1, len(pairs)), decides=decides)
    family = zip(pairs, log_ratios, p_values, strict=True)
    return [decide_cell(cell, base, values, p) for (cell, base), values, p in family]


def confirmation_rounds(rule: ComparisonRecord, *, settled: bool) -> tuple[int, ...]:
    """Return the numbers of the rounds that confirm a cell: as many as it took to call it slower."""
    if not rule.settle:
        return (FIRST_ROUND + 1,)
    return (SECOND_ROUND + 1, SECOND_ROUND + 2) if settled else (SECOND_ROUND + 1,)


def settled(first: Sequence[CellVerdict], again: Sequence[CellVerdict]) -> list[CellVerdict]:
    """Return ``first``, its open cells as ``again`` judges them, by more replicates."""
    return [later if one.answer == "unresolved" else one for one, later in zip(first, again, strict=True)]


def confirmed(first: Sequence[CellVerdict], fresh: Sequence[CellVerdict]) -> list[CellVerdict]:
    """Return what is left of ``first`` once a fresh round was asked about each "slower"."""
    again = {one.cell: one for one in fresh}
    return [_with_confirmation(one, again[one.cell]) if one.cell in again else one for one in first]


def answer(estimate: Estimate, p_value: float, *, margin: float, alpha: float) -> Answer:
    """Return what an interval and an adjusted p-value allow to say.

    Same where the whole interval lies within the margin, whether or not one is in it: such a difference matters to
    nobody. Otherwise slower or faster where one is out of the question, and unresolved where it is not.
    """
    if 1 / (1 + margin) <= estimate.low and estimate.high <= 1 + margin:
        return "same"
    if p_value < alpha:
        return "slower" if estimate.value > 1 else "faster"
    return "unresolved"


def _verdict(
    cell: Cell,
    base: Cell,
    log_ratios: Sequence[float],
    p_value: float,
    *,
    margin: float,
    alpha: float,
    strictest: float,
    decides: bool,
) -> CellVerdict:
    if len(log_ratios) < 2:
        why = "fewer than two replicates of both: nothing can be told from one process"
        return CellVerdict(cell, base, None, "unresolved", why, math.inf, None, decides)
    estimate = stats.over_replicates([math.exp(value) for value in log_ratios])
    found = answer(estimate, p_value, margin=margin, alpha=alpha)
    min_detectable = math.exp(stats.min_detectable_effect(log_ratios, alpha=strictest, power=POWER))
    needed = _needed(estimate, log_ratios, margin, strictest) if found == "unresolved" else None
    return CellVerdict(cell, base, estimate, found, _reason(found, margin), min_detectable, needed, decides)


def _needed(estimate: Estimate, log_ratios: Sequence[float], margin: float, alpha: float) -> int | None:
    """Return how many replicates would settle a cell that goes on as it did, by whichever answer comes first."""
    centre, width = abs(math.log(estimate.value)), math.log(1 + margin)
    deviation = statistics.stdev(log_ratios)
    for count in range(len(log_ratios) + 1, MAX_PROJECTED_REPLICATES + 1):
        same = centre + stats.half_width(deviation, count, 0.05) <= width
        if same or stats.half_width(deviation, count, alpha) < centre:
            return count
    return None


def _with_confirmation(first: CellVerdict, fresh: CellVerdict) -> CellVerdict:
    """Return what is left of a "slower" once a fresh round was asked."""
    if fresh.answer == "slower":
        return replace(first, confirmed=fresh.ratio, reason="a fresh round confirms it")
    words = f"what was measured first said slower, a fresh round says {fresh.answer}"
    return replace(first, answer="unresolved", confirmed=fresh.ratio, reason=words, needed=fresh.needed)


def _reason(found: Answer, margin: float) -> str:
    return {
        "same": f"the interval lies within {margin:.0%}",
        "slower": "the interval lies above one, and the margin within it or below",
        "faster": "the interval lies below one, and the margin within it or above",
        "unresolved": f"the interval is wider than {margin:.0%} and holds one, or may by chance",
    }[found]
