"""The summary of a run: the rows that every report shows, computed from its records alone; it formats nothing."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any

from bench.analysis import accuracy, advice, paired_ratio, stats
from bench.analysis.accuracy import AccuracyCheck, Verdict
from bench.analysis.advice import Advice
from bench.analysis.stats import Estimate
from bench.plan import flops, paths, steps
from bench.plan.paths import FLOOR
from bench.plan.targets import Target
from bench.records import reference
from bench.records.schema import (
    BaselineRecord,
    Cell,
    CounterRecord,
    FailureRecord,
    ParityRecord,
    PeaksRecord,
    ReferenceRecord,
    ServingRecord,
    TargetRecord,
    TimingRecord,
    TrainingRecord,
)
from bench.records.store import Run
from models.recipes import RECIPES, Recipe

# MLPerf's early-stopping bound: from so many calls on the 99th percentile can be stated.
P99_CALLS = 662


@dataclass(frozen=True)
class TimedCell:
    """What every timed cell says of itself.

    seconds     of one repeat: a step, a call, or the vectorization of a batch
    floor       seconds of the floor over seconds of this cell, where both took turns: 1 is as fast as the floor
    replicates  processes in which it was timed
    struck      its recipe's accuracy failed on its target
    """

    cell: Cell
    seconds: Estimate
    floor: Estimate | None
    replicates: int
    steady: bool
    struck: bool

    @property
    def is_floor(self) -> bool:
        return self.cell.path == FLOOR


@dataclass(frozen=True)
class TrainingRow(TimedCell):
    """Training speed of one path. ``first_step_s`` includes compilation; ``call_s`` is what calling `fit` costs."""

    reviews_per_s: Estimate
    first_step_s: float
    call_s: float | None


@dataclass(frozen=True)
class AccuracyTimeRow:
    """Seconds of training until an accuracy curve first reached ``accuracy``; None where it did not."""

    recipe: str
    target: str
    path: str
    metric: str
    accuracy: float
    seconds: float | None
    seeds: int
    epochs: int
    struck: bool


@dataclass(frozen=True)
class PredictionRow(TimedCell):
    """Latency of one call with a batch of reviews; ``p99_s`` where so many calls allow it."""

    p50_s: float
    p90_s: float
    p95_s: float
    p99_s: float | None
    reviews_per_s: float
    calls: int


@dataclass(frozen=True)
class VectorizationRow(TimedCell):
    """Speed of turning reviews into a recipe's input; megabytes are of raw text."""

    reviews_per_s: Estimate
    megabytes_per_s: Estimate


@dataclass(frozen=True)
class StartupRow:
    """Seconds until a fresh process has done everything once, by path: import, build, first step, first prediction."""

    recipe: str
    target: str
    seconds: dict[str, Estimate]


@dataclass(frozen=True)
class HardwareRow:
    """How busy the fastest Keras path of a phase keeps the hardware: matrix products a second beside the peak."""

    cell: Cell
    gflops: float
    peak_gflops: float


@dataclass(frozen=True)
class Summary:
    """Everything a report says about a run."""

    run: Run
    references: tuple[ReferenceRecord, ...]

    @cached_property
    def targets(self) -> dict[str, TargetRecord]:
        """The first greeting of each target."""
        found: dict[str, TargetRecord] = {}
        for record in self.run.records:
            if isinstance(record, TargetRecord):
                found.setdefault(record.target, record)
        return found

    @cached_property
    def accuracy(self) -> list[AccuracyCheck]:
        """Every figure, judged for each path of training apart: one that learns too little is not averaged away."""
        return [found for path, group in self._trained for found in self._accuracy(path, *group)]

    @cached_property
    def _trained(self) -> list[tuple[str, tuple[Recipe, str, list[TrainingRecord]]]]:
        """The trainings by path, recipe and target."""
        trained = [r for r in self.run.records if isinstance(r, TrainingRecord)]
        return [(path, group) for path in paths.names("train") for group in _grouped(trained, path)]

    @cached_property
    def parity(self) -> list[tuple[ParityRecord, Verdict]]:
        return [(r, accuracy.parity(r)) for r in self.run.records if isinstance(r, ParityRecord)]

    @cached_property
    def serving(self) -> list[tuple[ServingRecord, Verdict]]:
        """Every model that was saved, on every backend that served it."""
        return [(r, accuracy.serving(r)) for r in self.run.records if isinstance(r, ServingRecord)]

    @cached_property
    def peers(self) -> list[BaselineRecord]:
        return [r for r in self.run.records if isinstance(r, BaselineRecord)]

    @cached_property
    def failures(self) -> list[FailureRecord]:
        return [r for r in self.run.records if isinstance(r, FailureRecord)]

    @cached_property
    def training(self) -> list[TrainingRow]:
        return [self._training(cell, records) for cell, records in self._cells("train")]

    @cached_property
    def prediction(self) -> list[PredictionRow]:
        return [self._prediction(cell, records) for cell, records in self._cells("predict")]

    @cached_property
    def vectorization(self) -> list[VectorizationRow]:
        return [self._vectorization(cell, records) for cell, records in self._cells("vectorize")]

    @cached_property
    def startup(self) -> list[StartupRow]:
        found: dict[tuple[str, str], dict[str, Estimate]] = {}
        for cell, records in self._cells("startup"):
            found.setdefault((cell.recipe, cell.target), {})[cell.path] = paired_ratio.seconds(records)
        return [StartupRow(recipe, target, seconds) for (recipe, target), seconds in found.items()]

    @cached_property
    def peaks(self) -> dict[str, PeaksRecord]:
        """What each target's machine reached in a large matrix product and a large copy."""
        return {r.target: r for r in self.run.records if isinstance(r, PeaksRecord)}

    @cached_property
    def hardware(self) -> list[HardwareRow]:
        """One row for each recipe, target and phase whose peak is known; prediction at its largest batch."""
        rows: list[TimedCell] = [*self.training, *self.prediction]
        fastest: dict[tuple[str, str, str], TimedCell] = {}
        for row in rows:
            key = (row.cell.recipe, row.cell.phase, row.cell.target)
            known = fastest.get(key)
            if not row.is_floor and row.cell.target in self.peaks and (known is None or _beats(row, known)):
                fastest[key] = row
        return [self._busy(row) for row in fastest.values()]

    @cached_property
    def counters(self) -> list[CounterRecord]:
        return [r for r in self.run.records if isinstance(r, CounterRecord)]

    @cached_property
    def advice(self) -> list[Advice]:
        """What the run itself recommends: the fastest path of each cell that is told apart from the usual one."""
        cells = [*self._cells("train"), *self._cells("predict")]
        return advice.find([(cell, records) for cell, records in cells if not self.struck(cell.recipe, cell.target)])

    @cached_property
    def time_to_accuracy(self) -> list[AccuracyTimeRow]:
        rows = [self._time_to_accuracy(path, *group) for path, group in self._trained]
        return sorted((row for row in rows if row is not None), key=lambda row: list(RECIPES).index(row.recipe))

    @cached_property
    def verdicts(self) -> list[Verdict]:
        """Every verdict of the run, failures of whole cells included."""
        found = (
            [check.verdict for check in self.accuracy if check.decides]
            + [v for _, v in self.parity]
            + [v for _, v in self.serving]
        )
        return found + accuracy.completeness(self.run.records)

    @cached_property
    def left_out(self) -> list[Cell]:
        """The cells that the run's profile leaves to the full one, of the recipes and targets that it has."""
        cells = [r.cell for r in self.run.records if isinstance(r, TimingRecord)]
        if self.run.header.profile not in steps.PROFILES:
            return []
        targets = [Target(t.facts.backend, t.facts.device) for t in self.targets.values()]  # type: ignore[arg-type]
        recipes = [recipe for name, recipe in RECIPES.items() if any(cell.recipe == name for cell in cells)]
        return steps.left_out(recipes, targets, steps.PROFILES[self.run.header.profile])

    @property
    def measured(self) -> int:
        """How many records hold a measurement."""
        return sum(isinstance(r, TrainingRecord | TimingRecord | ParityRecord) for r in self.run.records)

    def strikes(self, cell: Cell) -> bool:
        """Whether ``cell`` is struck out of every comparison: its recipe learned something else on its target."""
        return cell.phase in ("train", "predict") and self.struck(cell.recipe, cell.target)

    def struck(self, recipe: str, target: str) -> bool:
        return any(c.answer == "failed" for c in self.accuracy if (c.recipe.name, c.target) == (recipe, target))

    def _accuracy(
        self, path: str, recipe: Recipe, target: str, trained: Sequence[TrainingRecord]
    ) -> list[AccuracyCheck]:
        epochs = {phase: len(result.epoch_s) for record in trained for phase, result in record.phases.items()}
        found = accuracy.accuracy(
            recipe,
            target,
            self.targets[target].facts.backend,
            trained=trained,
            epochs=epochs,
            corpus=self.run.header.corpus,
            references=self.references,
        )
        return [dataclasses.replace(one, path=path) for one in found]

    @cached_property
    def timings(self) -> dict[Cell, list[TimingRecord]]:
        """Every timed cell with its replicates."""
        found: dict[Cell, list[TimingRecord]] = {}
        for record in self.run.records:
            if isinstance(record, TimingRecord):
                found.setdefault(record.cell, []).append(record)
        return found

    def _cells(self, phase: str) -> list[tuple[Cell, list[TimingRecord]]]:
        """Return the cells of ``phase`` with their replicates: by recipe, batch size, path as listed, then target."""
        found = {cell: records for cell, records in self.timings.items() if cell.phase == phase}
        return [(cell, found[cell]) for cell in sorted(found, key=place)]

    def _timed(self, cell: Cell, records: Sequence[TimingRecord]) -> dict[str, Any]:
        """Return the fields of a `TimedCell`."""
        floors = self.timings.get(cell.model_copy(update={"path": FLOOR}))
        return {
            "cell": cell,
            "seconds": paired_ratio.seconds(records),
            "floor": paired_ratio.ratio(floors, records) if floors and cell.path != FLOOR else None,
            "replicates": len(records),
            "steady": all(record.steady for record in records),
            "struck": self.strikes(cell),
        }

    def _busy(self, row: TimedCell) -> HardwareRow:
        count = flops.step_flops if row.cell.phase == "train" else flops.prediction_flops
        gflops = count(RECIPES[row.cell.recipe], row.cell.batch_size) / row.seconds.value / 1e9
        return HardwareRow(row.cell, gflops, max(self.peaks[row.cell.target].product_gflops))

    def _training(self, cell: Cell, records: Sequence[TimingRecord]) -> TrainingRow:
        timed = self._timed(cell, records)
        calls_s = [value for record in records for value in paired_ratio.per_call_s(record)]
        return TrainingRow(
            **timed,
            reviews_per_s=timed["seconds"].inverted(records[0].work["reviews"]),
            first_step_s=min(records, key=lambda record: record.replicate).first_call_s,
            call_s=statistics.median(calls_s) if calls_s else None,
        )

    def _prediction(self, cell: Cell, records: Sequence[TimingRecord]) -> PredictionRow:
        calls = [call for r in records for s in r.samples if not s.warmup for call in s.calls_s or []]
        p50, p90, p95, p99 = (stats.percentile(calls, share) for share in (0.50, 0.90, 0.95, 0.99))
        return PredictionRow(
            **self._timed(cell, records),
            p50_s=p50,
            p90_s=p90,
            p95_s=p95,
            p99_s=p99 if len(calls) >= P99_CALLS else None,
            reviews_per_s=records[0].work["reviews"] / p50,
            calls=len(calls),
        )

    def _vectorization(self, cell: Cell, records: Sequence[TimingRecord]) -> VectorizationRow:
        timed, work = self._timed(cell, records), records[0].work
        return VectorizationRow(
            **timed,
            reviews_per_s=timed["seconds"].inverted(work["reviews"]),
            megabytes_per_s=timed["seconds"].inverted(work["megabytes"]),
        )

    def _time_to_accuracy(
        self, path: str, recipe: Recipe, target: str, trained: Sequence[TrainingRecord]
    ) -> AccuracyTimeRow | None:
        metric = recipe.target_metric
        results = [result for r in trained for result in r.phases.values() if metric in result.curves]
        if not results:
            return None  # the phase that has this curve was left out
        reached = [_seconds_until(r.curves[metric], r.epoch_s, recipe.target_accuracy) for r in results]
        every = [seconds for seconds in reached if seconds is not None]
        return AccuracyTimeRow(
            recipe=recipe.name,
            target=target,
            path=path,
            metric=metric,
            accuracy=recipe.target_accuracy,
            seconds=stats.trimmed_mean(every) if len(every) == len(reached) else None,
            seeds=len(results),
            epochs=len(results[0].epoch_s),
            struck=self.struck(recipe.name, target),
        )


def summarize(run: Run) -> Summary:
    """Return the summary of ``run``, held against the reference seeds of its corpus."""
    header = run.header
    known = reference.load(reference.path(header.corpus))
    return Summary(run, tuple(r for r in known if r.corpus_digest == header.corpus_digest))


def place(cell: Cell) -> tuple[int, int, int, int, str]:
    """Return where ``cell`` stands in every table: by recipe, phase, batch size, path as listed, then target.

    Recipes that are not this suite's come last.
    """
    recipes, phases, names = list(RECIPES), ("startup", "train", "predict", "vectorize"), paths.names(cell.phase)
    own = recipes.index(cell.recipe) if cell.recipe in RECIPES else len(recipes)
    return own, phases.index(cell.phase), cell.batch_size, names.index(cell.path), cell.target


def _beats(row: TimedCell, known: TimedCell) -> bool:
    """Whether ``row`` is at a larger batch than ``known``, or the faster at the same one."""
    return (row.cell.batch_size, -row.seconds.value) > (known.cell.batch_size, -known.seconds.value)


def _grouped(records: Sequence[TrainingRecord], path: str) -> list[tuple[Recipe, str, list[TrainingRecord]]]:
    """Group the trainings on ``path`` by recipe, in the order of the recipes, and target."""
    order = list(RECIPES)
    key: Callable[[TrainingRecord], tuple[int, str]] = lambda r: (order.index(r.recipe), r.target)  # noqa: E731
    chosen = [record for record in records if record.path == path]
    groups = groupby(sorted(chosen, key=key), key=key)
    return [(RECIPES[order[index]], target, list(group)) for (index, target), group in groups]


def _seconds_until(curve: Sequence[float], epoch_s: Sequence[float], accuracy: float) -> float | None:
    for epoch, value in enumerate(curve, start=1):
        if value >= accuracy:
            return sum(epoch_s[:epoch])
    return None
