"""What the records of a run say to the search of a bisection: log-ratios of neighbouring blocks, by stage and process.

A replicate's number says to which stage of the search it belongs: the stages count in steps of `STRIDE`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import cast

from bench.analysis import paired_ratio
from bench.analysis.bisection.search import Key, Ratios, Search
from bench.analysis.bisection.step import Rule
from bench.records.schema import Cell, ComparisonRecord, FailureRecord, Record, TimingRecord

# The profile of a bisection's run.
PROFILE = "bisect"
STRIDE = 1_000  # a step has fewer processes

_PROCESS = re.compile(r", process (\d+)$")  # of a timing's identity


def operation(cell: Cell) -> Cell:
    """Return ``cell`` on its backend, whichever the label of its target: what a search calls a cell."""
    return cell.model_copy(update={"target": cell.where})


def replicate(stage: int, number: int) -> int:
    """Return the replicate of process ``number`` in a stage."""
    return STRIDE * stage + number


def search_of(rule: ComparisonRecord) -> Search:
    """Return the search that a run's rule describes: its sides are the candidates in their order."""

    def margin(key: Key) -> float:
        path = rule.path(cast(Cell, key))
        return path.margin if path else rule.margin

    decides = Rule(rule.margin, rule.alpha, rule.replicates)
    return Search(tuple(rule.sides), decides, together=lambda key: cast(Cell, key).where, margin=margin)


class Measured:
    """The evidence in ``records``."""

    def __init__(self, records: Sequence[Record]) -> None:
        self._records = records

    def ratios(self, stage: int, label: str, base: str) -> Ratios:
        """Return the log-ratios of ``label`` to ``base`` in the cells and processes of a stage that have both."""
        found: dict[Key, dict[int, float]] = {}
        for (number, key, name), record in self._timings.get(stage, {}).items():
            other = self._timings[stage].get((number, key, base))
            if name == label and other is not None:
                for value in paired_ratio.log_ratios([record], [other]):
                    found.setdefault(key, {})[number] = value
        return found

    def failures(self, stage: int, number: int) -> Mapping[str, str]:
        """Return why targets failed in a process of a stage."""
        return self._failures.get(replicate(stage, number), {})

    @cached_property
    def _timings(self) -> dict[int, dict[tuple[int, Cell, str], TimingRecord]]:
        found: dict[int, dict[tuple[int, Cell, str], TimingRecord]] = {}
        for record in self._records:
            if isinstance(record, TimingRecord):
                stage, number = divmod(record.replicate, STRIDE)
                found.setdefault(stage, {})[number, operation(record.cell), record.cell.label] = record
        return found

    @cached_property
    def _failures(self) -> dict[int, dict[str, str]]:
        found: dict[int, dict[str, str]] = {}
        for record in self._records:
            if isinstance(record, FailureRecord):
                for process in {int(known[1]) for one in record.lost if (known := _PROCESS.search(one))}:
                    found.setdefault(process, {})[record.target.partition("@")[2]] = record.reason
        return found
