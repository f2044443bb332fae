"""What a bisection found, from the records of its run: its steps as rows, and the culprit with its change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from bench.analysis.bisection import search
from bench.analysis.bisection.evidence import PROFILE, Measured, search_of
from bench.analysis.bisection.search import CellStep, Conclusion, State, Step
from bench.analysis.rows import Row, bounded
from bench.records.schema import Cell, ComparisonRecord
from bench.records.store import Run


class BisectionRow(Row):
    """One cell in one step of a bisection.

    change  seconds of ``label`` over those of the good end, or of the parent in a proof
    left    seconds of the bad end over those of ``label``
    """

    step: int
    kind: str
    label: str
    title: str
    recipe: str
    operation: str
    backend: str
    change: float | None = None
    change_low: float | None = None
    change_high: float | None = None
    left: float | None = None
    left_low: float | None = None
    left_high: float | None = None
    processes: int
    answer: str
    reason: str = ""


@dataclass(frozen=True)
class Result:
    """A bisection, finished or not."""

    run: Run
    rule: ComparisonRecord

    @cached_property
    def state(self) -> State:
        return search.state(search_of(self.rule), Measured(self.run.records))

    @property
    def conclusion(self) -> Conclusion:
        """How it ended; ``failed`` where it did not, such as a run that was interrupted."""
        if self.state.conclusion is not None:
            return self.state.conclusion
        reason = "its last step measured nothing" if self.run.finished else "it was interrupted: --resume continues it"
        return Conclusion("failed", reason=reason)

    @property
    def change(self) -> CellStep | None:
        """What the culprit changed in the clearest cell, by fresh processes; None without a proved culprit."""
        if self.conclusion.ending != "found":
            return None
        return self.state.steps[-1].cells[0]

    @property
    def processes(self) -> int:
        """The fresh processes of a target that all steps took."""
        targets = {"candidate": 3}
        return sum(step.processes * targets.get(step.kind, 2) for step in self.state.steps)

    @cached_property
    def rows(self) -> list[BisectionRow]:
        """The steps in their order, a row for each cell that the search measured; all cells where none was slower."""
        return [row for number, step in enumerate(self.state.steps, 1) for row in self._rows(number, step)]

    def title(self, label: str) -> str:
        """Return the title of a commit; nothing for a release, which its label says."""
        words = self.rule.sides.get(label, "")
        return "" if words == label else words

    def _rows(self, number: int, step: Step) -> Iterator[BisectionRow]:
        kept = [cell for cell in step.cells if self._shown(step, cell)]
        common: dict[str, Any] = {
            "step": number,
            "kind": step.kind,
            "label": step.label,
            "title": self.title(step.label),
            "processes": step.processes,
            "reason": step.reason,
        }
        if step.answer in ("skipped", "failed") or not kept:
            yield BisectionRow(**common, recipe="", operation="", backend="", answer=step.answer)
            return
        for each in kept:
            key = cast(Cell, each.key)
            yield BisectionRow(
                **common,
                recipe=key.recipe,
                operation=key.operation,
                backend=key.where,
                **bounded("change", each.from_good),
                **(bounded("left", each.to_bad) if each.to_bad else {}),
                answer=each.answer,
            )

    def _shown(self, step: Step, cell: CellStep) -> bool:
        """Whether a cell of the ends is one of those that the search measured."""
        later = [one for one in self.state.steps if one.kind == "ends again"]
        return step.kind != "ends" or not later or cell.key in {one.key for one in later[0].cells}


def of(run: Run) -> Result:
    """Return what the bisection ``run`` found; ValueError if it is none."""
    rules = [record for record in run.records if isinstance(record, ComparisonRecord)]
    if run.header.profile != PROFILE or not rules:
        raise ValueError(f"expected the records of a bisection; {run.header.run_id} is a run of {run.header.profile}")
    return Result(run, rules[0])
