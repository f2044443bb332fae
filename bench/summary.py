"""The summary of a run: the rows that every report shows, computed from its records alone; it formats nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from bench import check, reference, stats
from bench.check import AccuracyCheck, Verdict
from bench.record import (
    FailureRecord,
    ParityRecord,
    ReferenceRecord,
    TargetRecord,
    TimingRecord,
    TrainingRecord,
)
from bench.stats import Estimate
from bench.store import Run
from models.recipes import RECIPES, Recipe


@dataclass(frozen=True)
class TrainingRow:
    """Training speed of one path. ``first_step_s`` includes compilation; ``struck`` where accuracy failed."""

    recipe: str
    target: str
    path: str
    batch_size: int
    reviews_per_s: Estimate
    step_s: Estimate
    first_step_s: float
    steady: bool
    struck: bool


@dataclass(frozen=True)
class AccuracyTimeRow:
    """Seconds of training until an accuracy curve first reached ``accuracy``; None where it did not."""

    recipe: str
    target: str
    metric: str
    accuracy: float
    seconds: float | None
    epochs: int
    struck: bool


@dataclass(frozen=True)
class PredictionRow:
    """Latency of one call with ``batch_size`` reviews."""

    recipe: str
    target: str
    path: str
    batch_size: int
    p50_s: float
    p90_s: float
    p95_s: float
    reviews_per_s: float
    calls: int
    steady: bool
    struck: bool


@dataclass(frozen=True)
class VectorizationRow:
    """Speed of turning reviews into a recipe's input; megabytes are of raw text."""

    recipe: str
    target: str
    path: str
    batch_size: int
    reviews_per_s: Estimate
    megabytes_per_s: Estimate
    steady: bool


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
        groups = _grouped([r for r in self.run.records if isinstance(r, TrainingRecord)])
        return [found for recipe, target, trained in groups for found in self._accuracy(recipe, target, trained)]

    @cached_property
    def parity(self) -> list[tuple[ParityRecord, Verdict]]:
        return [(r, check.parity(r)) for r in self.run.records if isinstance(r, ParityRecord)]

    @cached_property
    def failures(self) -> list[FailureRecord]:
        return [r for r in self.run.records if isinstance(r, FailureRecord)]

    @cached_property
    def training(self) -> list[TrainingRow]:
        return [self._training(r) for r in self._timings("train")]

    @cached_property
    def prediction(self) -> list[PredictionRow]:
        return [self._prediction(r) for r in self._timings("predict")]

    @cached_property
    def vectorization(self) -> list[VectorizationRow]:
        return [_vectorization(r) for r in self._timings("vectorize")]

    @cached_property
    def time_to_accuracy(self) -> list[AccuracyTimeRow]:
        groups = _grouped([r for r in self.run.records if isinstance(r, TrainingRecord)])
        return [row for group in groups if (row := self._time_to_accuracy(*group)) is not None]

    @cached_property
    def verdicts(self) -> list[Verdict]:
        """Every verdict of the run, failures of whole cells included."""
        found = [check.verdict for check in self.accuracy if check.decides] + [verdict for _, verdict in self.parity]
        return found + check.completeness(self.run.records)

    @property
    def measured(self) -> int:
        """How many records hold a measurement."""
        return sum(isinstance(r, TrainingRecord | TimingRecord | ParityRecord) for r in self.run.records)

    def _struck(self, recipe: str, target: str) -> bool:
        return any(c.answer == "failed" for c in self.accuracy if (c.recipe.name, c.target) == (recipe, target))

    def _accuracy(self, recipe: Recipe, target: str, trained: Sequence[TrainingRecord]) -> list[AccuracyCheck]:
        epochs = {phase: len(result.epoch_s) for record in trained for phase, result in record.phases.items()}
        return check.accuracy(
            recipe,
            target,
            self.targets[target].facts.backend,
            trained=trained,
            epochs=epochs,
            corpus=self.run.header.corpus,
            references=self.references,
        )

    def _timings(self, phase: str) -> Iterator[TimingRecord]:
        """Yield the timings of ``phase`` by recipe, then path, then batch size, then target."""
        found = [r for r in self.run.records if isinstance(r, TimingRecord) and r.cell.phase == phase]
        order = list(RECIPES)
        yield from sorted(
            found, key=lambda r: (order.index(r.cell.recipe), r.cell.path, r.cell.batch_size, r.cell.target)
        )

    def _training(self, record: TimingRecord) -> TrainingRow:
        cell, step_s = record.cell, stats.median(per_repeat_s(record))
        return TrainingRow(
            recipe=cell.recipe,
            target=cell.target,
            path=cell.path,
            batch_size=cell.batch_size,
            reviews_per_s=step_s.inverted(record.work["reviews"]),
            step_s=step_s,
            first_step_s=record.first_call_s,
            steady=record.steady,
            struck=self._struck(cell.recipe, cell.target),
        )

    def _prediction(self, record: TimingRecord) -> PredictionRow:
        cell = record.cell
        calls = [call for s in record.samples if not s.warmup for call in s.calls_s or []]
        p50, p90, p95 = (stats.percentile(calls, share) for share in (0.50, 0.90, 0.95))
        return PredictionRow(
            recipe=cell.recipe,
            target=cell.target,
            path=cell.path,
            batch_size=cell.batch_size,
            p50_s=p50,
            p90_s=p90,
            p95_s=p95,
            reviews_per_s=record.work["reviews"] / p50,
            calls=len(calls),
            steady=record.steady,
            struck=self._struck(cell.recipe, cell.target),
        )

    def _time_to_accuracy(
        self, recipe: Recipe, target: str, trained: Sequence[TrainingRecord]
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
            metric=metric,
            accuracy=recipe.target_accuracy,
            seconds=stats.trimmed_mean(every) if len(every) == len(reached) else None,
            epochs=len(results[0].epoch_s),
            struck=self._struck(recipe.name, target),
        )


def summarize(run: Run) -> Summary:
    """Return the summary of ``run``, held against the reference seeds of its corpus."""
    header = run.header
    known = reference.load(reference.path(header.corpus))
    return Summary(run, tuple(r for r in known if r.corpus_digest == header.corpus_digest))


def per_repeat_s(record: TimingRecord) -> list[float]:
    """Return the seconds of one repeat, one value a turn.

    Where a turn holds two lengths (`fit`), the slope between them: the fixed cost of the call falls out.
    """
    measured = [s for s in record.samples if not s.warmup]
    values = []
    for _, group in groupby(measured, key=lambda s: s.turn):
        blocks = [(s.repeats, s.duration_s) for s in group]
        values.append(stats.slope(*blocks) if len(blocks) == 2 else blocks[0][1] / blocks[0][0])
    return values


def _vectorization(record: TimingRecord) -> VectorizationRow:
    cell, batch_s = record.cell, stats.median(per_repeat_s(record))
    return VectorizationRow(
        recipe=cell.recipe,
        target=cell.target,
        path=cell.path,
        batch_size=cell.batch_size,
        reviews_per_s=batch_s.inverted(record.work["reviews"]),
        megabytes_per_s=batch_s.inverted(record.work["megabytes"]),
        steady=record.steady,
    )


def _grouped(records: Sequence[TrainingRecord]) -> list[tuple[Recipe, str, list[TrainingRecord]]]:
    """Group trainings by recipe, in the order of the recipes, and target."""
    order = list(RECIPES)
    key: Callable[[TrainingRecord], tuple[int, str]] = lambda r: (order.index(r.recipe), r.target)  # noqa: E731
    groups = groupby(sorted(records, key=key), key=key)
    return [(RECIPES[order[index]], target, list(group)) for (index, target), group in groups]


def _seconds_until(curve: Sequence[float], epoch_s: Sequence[float], accuracy: float) -> float | None:
    for epoch, value in enumerate(curve, start=1):
        if value >= accuracy:
            return sum(epoch_s[:epoch])
    return None
