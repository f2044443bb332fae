"""The run of a bisection: build what the search asks for, measure it, and let the records decide what comes next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from bench.analysis.bisection import evidence, search
from bench.analysis.bisection.evidence import Measured, operation
from bench.analysis.bisection.search import Ask
from bench.analysis.bisection.step import Rule
from bench.plan import gate
from bench.plan.gate import TIERS, Gate
from bench.plan.steps import Startup, Step, Timing, step_cells
from bench.plan.targets import Target
from bench.records.schema import ComparisonRecord
from bench.records.store import Run
from bench.runner.bisection.candidates import Candidates
from bench.runner.run import ReadRecords, RunSpec
from datasets.errors import ExpectedError
from models.recipes import Recipe


@dataclass(frozen=True)
class Bisection:
    """What is searched in which cells.

    backends  a target of each backend, before a candidate's checkout or environment
    tiers     of the gate, whose cells are measured
    """

    recipes: Sequence[Recipe]
    backends: Sequence[Target]
    candidates: Candidates
    rule: Rule
    tiers: Sequence[str] = TIERS
    unusable: dict[str, str] = field(default_factory=dict)

    def run_spec(self, *, order_seed: int, resumed: Run | None = None) -> RunSpec:
        """Return the run; the ends are built at once, so that nothing is measured where one cannot be."""
        good, *_, bad = self.candidates.titles
        for label in (good, bad):
            self.candidates.target(self.backends[0], label)
        return RunSpec(
            recipes=self.recipes,
            targets=self.backends,
            profile=replace(gate.PROFILE, name=evidence.PROFILE),
            order_seed=order_seed,
            comparison=self.comparison(),
            fixed_passes=[],
            next_passes=self._passes,
            resumed=resumed,
        )

    def comparison(self) -> ComparisonRecord:
        """Return the rule and all candidates in their order, as the run records them before it measures."""
        planned = self._gate(self.backends)
        return gate.comparison(planned, self.candidates.titles, margin=self.rule.margin, alpha=self.rule.alpha)

    def _passes(self, read: ReadRecords) -> Iterator[list[Step]]:
        """Yield what the search asks for, until it asks for nothing, or twice for the same.

        The first question may be one of a resumed run, whose last process may lack cells.
        """
        asked: Ask | None = None
        wanted = evidence.search_of(self.comparison())
        while (ask := search.state(wanted, Measured(read())).ask) is not None and ask != asked:
            for number in range(0 if asked is None else ask.number, ask.number + 1):
                yield from self._steps(replace(ask, number=number))
            asked = ask

    def _steps(self, ask: Ask) -> Iterator[list[Step]]:
        """Yield a pass for each backend: the cells of ``ask`` in one fresh process of each of its targets.

        A candidate that cannot be built is alone in its pass, which keeps why.
        """
        targets = [self._target(backend, label) for backend in self.backends for label in ask.labels]
        for steps in self._timings(targets, evidence.replicate(ask.stage, ask.number), ask.keys):
            broken = [tuple(target for target in step.targets if target.unusable) for step in steps]
            yield [
                replace(step, targets=targets) if targets else step for step, targets in zip(steps, broken, strict=True)
            ]

    def _timings(
        self, targets: Sequence[Target], replicate: int, keys: Sequence[object] | None
    ) -> list[list[Timing | Startup]]:
        """Return the passes of one replicate in a gate's deciding cells, or in those of ``keys``."""
        planned = self._gate(targets)
        every = [cell for steps in planned.passes_of(replicate) for step in steps for cell in step_cells(step)]
        wanted = [cell for cell in every if keys is None or operation(cell) in keys]
        passes = planned.round(replicate, wanted)
        return [[step for step in steps if isinstance(step, Timing | Startup)] for steps in passes]

    def _gate(self, targets: Sequence[Target]) -> Gate:
        return Gate(self.recipes, targets, self.rule.most, self.tiers, controls=False, counters=False)

    def _target(self, backend: Target, label: str) -> Target:
        """Return the target of a candidate, or one that cannot start and says why."""
        try:
            if label not in self.unusable:
                return self.candidates.target(backend, label)
        except ExpectedError as error:
            self.unusable[label] = str(error)
        return replace(backend, label=label, unusable=self.unusable[label])
