"""The judge: what a comparison's records allow to say of each cell, in three answers; it measures nothing.

A cell's ratio is estimated over replicates (`paired_ratio`). Whether it differs from one is asked of all deciding
cells together (Holm). Cells that the first batch leaves open may be settled by a second one, and a "slower" is
confirmed by a fresh batch before it fails anything; so is a control that fails before it voids the gate.
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

# The batches of a gate: replicates divided by how many one has. Those that confirm come after them.
FIRST, SETTLING = 0, 1

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
MOST_REPLICATES = 200


@dataclass(frozen=True)
class CellVerdict:
    """What can be said of one cell on one target against the same cell on its base.

    ratio       seconds over the base's: 1.05 is 5 % slower; None where nothing was measured on both
    smallest    the smallest ratio above one that would have been seen nine times out of ten
    needed      replicates that would settle it; None where it is settled, or no reasonable number would
    decides     whether the gate hangs on it
    confirmed   what a fresh batch said of a "slower"; None where none ran
    """

    cell: Cell
    base: Cell
    ratio: Estimate | None
    answer: Answer
    reason: str
    smallest: float
    needed: int | None
    decides: bool
    confirmed: Estimate | None = None


@dataclass(frozen=True)
class Control:
    """What the gate says of a pair of which it is known what it should say.

    again   whether it failed at first, and a fresh batch has the last word
    """

    name: Literal["itself", "extra work"]
    judged: CellVerdict
    held: bool
    again: bool = False


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
        return self._confirmed(self._first()) + self._judge(self._pairs(self._others, decides=False), decides=False)

    @cached_property
    def controls(self) -> list[Control]:
        """What is known beforehand: the base again is not slower or faster, the base with extra work is slower.

        By chance alone up to ``alpha`` of all gates may say otherwise: a control that fails is asked again.
        """
        fresh = self._controlled(dict.fromkeys(self._failing(), confirming(self.rule, settled=False)))
        return [
            replace(again, again=True) if not one.held and again.judged.ratio is not None else one
            for one, again in zip(self._controls_once, fresh, strict=True)
        ]

    @cached_property
    def _controls_once(self) -> list[Control]:
        """What the first batch says of the controls."""
        return self._controlled({})

    def _controlled(self, batches: Mapping[Cell, tuple[int, ...]]) -> list[Control]:
        """Judge the controls, each kind as one family, by the first batch or by that of ``batches``."""
        found = []
        for name, label in self.rule.controls.items():
            wanted = ("same", "unresolved") if name == "itself" else ("slower",)
            judged = self._judge(self._pairs([label], decides=True), decides=False, batches=batches)
            found += [Control(name, one, one.answer in wanted) for one in judged]
        return found

    def _failing(self) -> list[Cell]:
        """Return the cells of controls that the first batch fails."""
        return [control.judged.cell for control in self._controls_once if not control.held]

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
        return not (known >= set(self.rule.controls) and all(control.held for control in self.controls))

    def open(self) -> list[Cell]:
        """Return the cells that the first batch leaves open."""
        return [judged.cell for judged in self._once if judged.answer == "unresolved"]

    def flagged(self) -> list[Cell]:
        """Return the cells that are called slower and await their confirmation."""
        return [judged.cell for judged in self._first() if judged.answer == "slower"]

    def awaited(self) -> dict[int, list[Cell]]:
        """Return what each batch that confirms has to measure, by its number: slower cells, controls that fail."""
        found: dict[int, list[Cell]] = {}
        for cell in (*self.flagged(), *self._failing()):
            for number in self._confirming(cell):
                found.setdefault(number, []).append(cell)
        return dict(sorted(found.items()))

    def _confirming(self, cell: Cell) -> tuple[int, ...]:
        return confirming(self.rule, settled=cell in self.open())

    @cached_property
    def _once(self) -> list[CellVerdict]:
        """What the first batch says."""
        return self._looked({})

    def _first(self) -> list[CellVerdict]:
        """Judge before any confirmation: by the first batch, open cells by the one that settles as well."""
        if not self.rule.settle:
            return self._once
        return settled(self._once, self._looked(dict.fromkeys(self.open(), (FIRST, SETTLING))))

    def _looked(self, batches: Mapping[Cell, tuple[int, ...]]) -> list[CellVerdict]:
        return self._judge(
            self._pairs(self._others, decides=True), decides=True, batches=batches, alpha=self.rule.level
        )

    def _confirmed(self, first: list[CellVerdict]) -> list[CellVerdict]:
        """Let the fresh batch have the last word on each "slower"."""
        slower = [(one.cell, one.base) for one in first if one.answer == "slower"]
        if not self.rule.confirm:
            return first
        batches = {cell: self._confirming(cell) for cell, _ in slower}
        return confirmed(first, self._judge(slower, decides=True, batches=batches))

    def _judge(
        self,
        pairs: Sequence[Pair],
        *,
        decides: bool,
        batches: Mapping[Cell, tuple[int, ...]] | None = None,
        alpha: float | None = None,
    ) -> list[CellVerdict]:
        chosen = batches or {}
        logs = [self._log_ratios(cell, base, chosen.get(cell, (FIRST,))) for cell, base in pairs]
        return family(pairs, logs, margin=self.rule.margin, alpha=alpha or self.rule.alpha, decides=decides)

    def _log_ratios(self, cell: Cell, base: Cell, batches: tuple[int, ...]) -> list[float]:
        """Return the log-ratio of ``cell`` to ``base`` in each replicate of ``batches``."""
        records, others = (
            [record for record in self._timings.get(one, []) if record.replicate // self.rule.replicates in batches]
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
        found: dict[Cell, list[TimingRecord]] = {}
        for record in self.records:
            if isinstance(record, TimingRecord):
                found.setdefault(record.cell, []).append(record)
        return found


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
    judge = partial(_judged, margin=margin, alpha=alpha, strictest=alpha / max(1, len(pairs)), decides=decides)
    return [judge(cell, base, values, p) for (cell, base), values, p in zip(pairs, log_ratios, p_values, strict=True)]


def confirming(rule: ComparisonRecord, *, settled: bool) -> tuple[int, ...]:
    """Return the numbers of the batches that confirm a cell: as many as it took to call it slower."""
    if not rule.settle:
        return (FIRST + 1,)
    return (SETTLING + 1, SETTLING + 2) if settled else (SETTLING + 1,)


def settled(first: Sequence[CellVerdict], again: Sequence[CellVerdict]) -> list[CellVerdict]:
    """Return ``first``, its open cells as ``again`` judges them, by more replicates."""
    return [later if one.answer == "unresolved" else one for one, later in zip(first, again, strict=True)]


def confirmed(first: Sequence[CellVerdict], fresh: Sequence[CellVerdict]) -> list[CellVerdict]:
    """Return what is left of ``first`` once a fresh batch was asked about each "slower"."""
    again = {one.cell: one for one in fresh}
    return [_after(one, again[one.cell]) if one.cell in again else one for one in first]


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


def _judged(
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
    smallest = math.exp(stats.detectable(log_ratios, alpha=strictest, power=POWER))
    needed = _needed(estimate, log_ratios, margin, strictest) if found == "unresolved" else None
    return CellVerdict(cell, base, estimate, found, _reason(found, margin), smallest, needed, decides)


def _needed(estimate: Estimate, log_ratios: Sequence[float], margin: float, alpha: float) -> int | None:
    """Return how many replicates would settle a cell that goes on as it did, by whichever answer comes first."""
    centre, width = abs(math.log(estimate.value)), math.log(1 + margin)
    deviation = statistics.stdev(log_ratios)
    for count in range(len(log_ratios) + 1, MOST_REPLICATES + 1):
        same = centre + stats.half_width(deviation, count, 0.05) <= width
        if same or stats.half_width(deviation, count, alpha) < centre:
            return count
    return None


def _after(first: CellVerdict, fresh: CellVerdict) -> CellVerdict:
    """Return what is left of a "slower" once a fresh batch was asked."""
    if fresh.answer == "slower":
        return replace(first, confirmed=fresh.ratio, reason="a fresh batch confirms it")
    words = f"what was measured first said slower, a fresh batch says {fresh.answer}"
    return replace(first, answer="unresolved", confirmed=fresh.ratio, reason=words, needed=fresh.needed)


def _reason(found: Answer, margin: float) -> str:
    return {
        "same": f"the interval lies within {margin:.0%}",
        "slower": "the interval lies above one, and the margin within it or below",
        "faster": "the interval lies below one, and the margin within it or above",
        "unresolved": f"the interval is wider than {margin:.0%} and holds one, or may by chance",
    }[found]
