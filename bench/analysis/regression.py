"""The verdicts of a comparison: each cell slower, faster, the same or unresolved.

A cell's ratio is estimated over replicates (`paired_ratio`), and all deciding cells are tested as one family (Holm).
Unresolved cells may be measured in a second round. A "slower" must be confirmed by a fresh round before it fails the
gate, and a failed control is re-measured once before it voids the gate.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Literal

from bench.analysis import accuracy, paired_ratio, stats
from bench.analysis.rows import ComparisonRow, CounterChangeRow, bounded, finite
from bench.analysis.stats import Estimate
from bench.records.schema import Cell, ComparisonRecord, CounterRecord, FailureRecord, Record, TimingRecord
from bench.records.store import Run

Answer = Literal["slower", "faster", "same", "unresolved"]

Pair = tuple[Cell, Cell]  # a cell and the same one of its base

# The rounds of a gate: a replicate's number divided by the replicates of a round. Confirming rounds follow.
FIRST_ROUND, SECOND_ROUND = 0, 1

# Deterministic counts: one more of any is a finding. A process's memory and its growth are not deterministic.
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
# The power used for the minimum detectable effect.
POWER = 0.9
# Stop projecting the sample size beyond this: the cell is too noisy here.
MAX_PROJECTED_REPLICATES = 200


@dataclass(frozen=True)
class Decision:
    """Everything that follows from a comparison's records; ``failures`` and ``lacks`` are what it did not measure."""

    rule: ComparisonRecord
    records: tuple[Record, ...]
    failures: tuple[FailureRecord, ...] = ()
    lacks: tuple[str, ...] = ()

    @cached_property
    def cells(self) -> list[ComparisonRow]:
        """Every cell of every target except the bases: deciding cells first, then the others."""
        return self._confirmed(self._before_confirmation()) + self._verdicts(
            self._pairs(self._others, decides=False), decides=False
        )

    @cached_property
    def controls(self) -> list[ComparisonRow]:
        """The base again must not be slower or faster, the base with extra work must be slower.

        By chance alone up to ``alpha`` of all gates fail that: a failed control is re-measured once.
        """
        fresh = self._control_results(
            dict.fromkeys(self._failed_controls(), confirmation_rounds(self.rule, settled=False))
        )
        return [
            again.model_copy(update={"remeasured": True}) if not one.passed and again.ratio is not None else one
            for one, again in zip(self._first_controls, fresh, strict=True)
        ]

    @cached_property
    def _first_controls(self) -> list[ComparisonRow]:
        """The controls by the first round."""
        return self._control_results({})

    def _control_results(self, rounds: Mapping[Cell, tuple[int, ...]]) -> list[ComparisonRow]:
        """Decide the controls, each kind as one family, by the first round or by those in ``rounds``."""
        found = []
        for name, label in self.rule.controls.items():
            wanted = ("same", "unresolved") if name == "itself" else ("slower",)
            rows = self._verdicts(self._pairs([label], decides=True), decides=False, rounds=rounds)
            found += [row.model_copy(update={"control": name, "passed": row.answer in wanted}) for row in rows]
        return found

    def _failed_controls(self) -> list[Cell]:
        """Return the cells of the controls that failed in the first round."""
        return [control.cell for control in self._first_controls if not control.passed]

    @cached_property
    def counter_changes(self) -> list[CounterChangeRow]:
        """Deterministic counters that differ from the base's."""
        counted = {record.cell: record.counters for record in self.records if isinstance(record, CounterRecord)}
        return [
            CounterChangeRow(cell=cell.name, counter=name, before=counted[base][name], after=counted[cell][name])
            for cell, base in self._based(list(counted), self._others)
            if base in counted
            for name in EXACT
            if counted[cell].get(name) != counted[base].get(name) and name in counted[base] and name in counted[cell]
        ]

    @property
    def void(self) -> bool:
        """Whether a control failed or is missing: then the gate's other answers mean nothing."""
        known = {row.control for row in self.controls}
        return not (known >= set(self.rule.controls) and all(row.passed for row in self.controls))

    def unresolved(self) -> list[Cell]:
        """Return the cells that the first round leaves unresolved."""
        return [verdict.cell for verdict in self._first_round if verdict.answer == "unresolved"]

    def flagged(self) -> list[Cell]:
        """Return the cells that are called slower before any confirmation."""
        return [verdict.cell for verdict in self._before_confirmation() if verdict.answer == "slower"]

    def confirmation_cells(self) -> dict[int, list[Cell]]:
        """Return the cells of each confirming round, by its number: slower cells and failed controls."""
        found: dict[int, list[Cell]] = {}
        for cell in (*self.flagged(), *self._failed_controls()):
            for number in self._confirmation_rounds(cell):
                found.setdefault(number, []).append(cell)
        return dict(sorted(found.items()))

    def _confirmation_rounds(self, cell: Cell) -> tuple[int, ...]:
        return confirmation_rounds(self.rule, settled=cell in self.unresolved())

    @cached_property
    def _first_round(self) -> list[ComparisonRow]:
        """The deciding cells by the first round."""
        return self._deciding_verdicts({})

    def _before_confirmation(self) -> list[ComparisonRow]:
        """Decide before any confirmation: by the first round, unresolved cells by both."""
        if not self.rule.settle:
            return self._first_round
        return settled(
            self._first_round, self._deciding_verdicts(dict.fromkeys(self.unresolved(), (FIRST_ROUND, SECOND_ROUND)))
        )

    def _deciding_verdicts(self, rounds: Mapping[Cell, tuple[int, ...]]) -> list[ComparisonRow]:
        return self._verdicts(
            self._pairs(self._others, decides=True), decides=True, rounds=rounds, alpha=self.rule.level
        )

    def _confirmed(self, first: list[ComparisonRow]) -> list[ComparisonRow]:
        """Confirm or withdraw each "slower" by its fresh round."""
        slower = self._based([one.cell for one in first if one.answer == "slower"], self._others)
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
    ) -> list[ComparisonRow]:
        chosen = rounds or {}
        logs = [self._log_ratios(cell, base, chosen.get(cell, (FIRST_ROUND,))) for cell, base in pairs]
        return family(pairs, logs, margin=self.rule.margin, alpha=alpha or self.rule.alpha, decides=decides)

    def _log_ratios(self, cell: Cell, base: Cell, rounds: tuple[int, ...]) -> list[float]:
        """Return the log-ratio of ``cell`` to ``base`` in each replicate of ``rounds``."""
        records, others = (
            [record for record in self._timings.get(one, []) if record.replicate // self.rule.replicates in rounds]
            for one in (cell, base)
        )
        return paired_ratio.log_ratios(records, others)

    def _pairs(self, labels: Sequence[str], *, decides: bool) -> list[Pair]:
        """Return the cells of the targets with these labels, each with its base's, in the order of arrival."""
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
    """Return the decision on ``run``; ValueError if it is no comparison."""
    rules = [record for record in run.records if isinstance(record, ComparisonRecord)]
    if not rules:
        raise ValueError(f"expected the records of a comparison; {run.header.run_id} is a run of {run.header.profile}")
    return Decision(rules[0], run.records, tuple(run.failures()), tuple(accuracy.incomplete(run)))


def family(
    pairs: Sequence[Pair], log_ratios: Sequence[Sequence[float]], *, margin: float, alpha: float, decides: bool
) -> list[ComparisonRow]:
    """Compare each cell with its base, all as one family, from one log-ratio a replicate."""
    p_values = stats.holm([stats.t_test(values) for values in log_ratios])
    decide_cell = partial(_verdict, margin=margin, alpha=alpha, strictest=alpha / max(1, len(pairs)), decides=decides)
    family = zip(pairs, log_ratios, p_values, strict=True)
    return [decide_cell(cell, values, p) for (cell, _), values, p in family]


def confirmation_rounds(rule: ComparisonRecord, *, settled: bool) -> tuple[int, ...]:
    """Return the rounds that confirm a cell: as many as it took to call it slower."""
    if not rule.settle:
        return (FIRST_ROUND + 1,)
    return (SECOND_ROUND + 1, SECOND_ROUND + 2) if settled else (SECOND_ROUND + 1,)


def settled(first: Sequence[ComparisonRow], again: Sequence[ComparisonRow]) -> list[ComparisonRow]:
    """Return ``first`` with its unresolved cells replaced by those of ``again``, which has more replicates."""
    return [later if one.answer == "unresolved" else one for one, later in zip(first, again, strict=True)]


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


def _verdict(
    cell: Cell,
    log_ratios: Sequence[float],
    p_value: float,
    *,
    margin: float,
    alpha: float,
    strictest: float,
    decides: bool,
) -> ComparisonRow:
    if len(log_ratios) < 2:
        why = "fewer than two replicates of both: one process is not enough"
        return ComparisonRow(**cell.model_dump(), answer="unresolved", reason=why, decides=decides)
    estimate = stats.over_replicates(log_ratios)
    found = answer(estimate, told_apart=p_value < alpha, margin=margin)
    return ComparisonRow(
        **cell.model_dump(),
        **bounded("ratio", estimate),
        processes=estimate.count,
        min_detectable=finite(math.exp(stats.min_detectable_effect(log_ratios, alpha=strictest, power=POWER))),
        needed=_needed(estimate, log_ratios, margin, strictest) if found == "unresolved" else None,
        answer=found,
        reason=_reason(found, margin),
        decides=decides,
    )


def _needed(estimate: Estimate, log_ratios: Sequence[float], margin: float, alpha: float) -> int | None:
    """Return how many replicates would resolve the cell if its estimate and spread stay as they are."""
    centre, width = abs(math.log(estimate.value)), math.log(1 + margin)
    deviation = statistics.stdev(log_ratios)
    for count in range(len(log_ratios) + 1, MAX_PROJECTED_REPLICATES + 1):
        same = centre + stats.half_width(deviation, count, 0.05) <= width
        if same or stats.half_width(deviation, count, alpha) < centre:
            return count
    return None


def _with_confirmation(first: ComparisonRow, fresh: ComparisonRow) -> ComparisonRow:
    """Return a "slower" with its confirmation, or unresolved without one."""
    found: dict[str, object] = {"confirmed": fresh.ratio, "confirmed_processes": fresh.processes}
    if fresh.answer == "slower":
        return first.model_copy(update={**found, "reason": "a fresh round confirms it"})
    words = f"slower at first, but a fresh round says {fresh.answer}"
    return first.model_copy(update={**found, "answer": "unresolved", "reason": words, "needed": fresh.needed})


def _reason(found: Answer, margin: float) -> str:
    return {
        "same": f"the interval lies within {margin:.0%}",
        "slower": "the interval lies above one and not within the margin",
        "faster": "the interval lies below one and not within the margin",
        "unresolved": f"the interval exceeds {margin:.0%} and a ratio of one cannot be excluded",
    }[found]
