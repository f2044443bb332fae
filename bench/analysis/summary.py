"""The summary of a run: the rows that every report shows, computed from its records alone."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from typing import Any

from bench import backends
from bench.analysis import accuracy, answers, best_path, gpus, paired_ratio, regression, roofline, serving, stats
from bench.analysis.accuracy import Verdict
from bench.analysis.regression import Decision
from bench.analysis.roofline import Peaks
from bench.analysis.rows import (
    AccuracyRow,
    AnswerRow,
    BaselineRow,
    BestPathRow,
    CounterRow,
    CurvesRow,
    ExportRow,
    FailureRow,
    HardwareRow,
    ParityRow,
    RunDocument,
    ServingRow,
    StartupRow,
    TimeToAccuracyRow,
    TimingRow,
    bounded,
    finite,
    once,
)
from bench.plan import paths, steps
from bench.plan.paths import FLOORS
from bench.plan.targets import Target
from bench.records import reference, store
from bench.records.schema import (
    BaselineRecord,
    Cell,
    CounterRecord,
    ExportsRecord,
    FailureRecord,
    GpuRecord,
    ParityRecord,
    PeaksRecord,
    PhaseResult,
    ReferenceRecord,
    ServingRecord,
    TargetRecord,
    TimingRecord,
    TrainingRecord,
)
from bench.records.store import Run
from models import layers, variations
from models.recipes import RECIPES, Recipe

# The share of the fastest path, where that is what others are compared with.
ONE = stats.Estimate(1.0, 1.0, 1.0, 1)
# A prediction whose scores stay on the device does less than the others.
RESIDENT = ("compiled resident",)

# MLPerf's early-stopping bound: from so many calls on the 99th percentile can be stated.
P99_CALLS = 662


@dataclass(frozen=True)
class Summary:
    """Everything that follows from a run's records; each table is computed when it is first asked for."""

    run: Run
    references: tuple[ReferenceRecord, ...]

    @cached_property
    def document(self) -> RunDocument:
        """All rows, with what they were measured on."""
        if self.run.is_comparison:
            return RunDocument(**self._header(), **_decided(self.decision), counters=self.counters)
        return RunDocument(
            **self._header(),
            accuracy=self.accuracy,
            parity=self.parity,
            serving=self.serving,
            exports=self.exports,
            baselines=self.baselines,
            answers=self.answers,
            best_paths=self.best_paths,
            timings=self.timing_rows,
            time_to_accuracy=self.time_to_accuracy,
            startup=self.startup,
            hardware=self.hardware,
            peaks=self.peaks.rows if self.peaks else [],
            gpus=gpus.rows(self._of(GpuRecord)),
            counters=self.counters,
            curves=self.curves,
        )

    @cached_property
    def recipes(self) -> dict[str, Recipe]:
        """The recipes of the suite, and those of the run that are not its own, by name."""
        return {recipe.name: recipe for recipe in self.run.header.recipes} | RECIPES

    @cached_property
    def _order(self) -> list[str]:
        """The names of recipes as every table has them: the suite's, the run's own, then what nobody knows."""
        own = (recipe.name for recipe in self.run.header.recipes)
        return order([*own, *sorted(cell.recipe for cell in self.timings)])

    @cached_property
    def unjudged(self) -> list[str]:
        """The recipes that were trained and whose accuracy nothing decides: neither a source nor reference seeds."""
        decided = {row.recipe for row in self.accuracy if row.decides}
        return [name for name in once(record.recipe for record in self._of(TrainingRecord)) if name not in decided]

    @cached_property
    def decision(self) -> Decision:
        """What a comparison decides; ValueError for any other run."""
        return regression.decide(self.run)

    @cached_property
    def targets(self) -> dict[str, TargetRecord]:
        """The first greeting of each target."""
        found: dict[str, TargetRecord] = {}
        for record in self._of(TargetRecord):
            found.setdefault(record.target, record)
        return found

    @cached_property
    def timings(self) -> dict[Cell, list[TimingRecord]]:
        """Every timed cell with its replicates."""
        return paired_ratio.timings(self.run.records)

    @cached_property
    def accuracy(self) -> list[AccuracyRow]:
        """Every figure, judged for each path of training by itself: one that learns too little is not averaged away."""
        return [row for path, group in self._trained for row in self._judged(path, *group)]

    @cached_property
    def parity(self) -> list[ParityRow]:
        return [
            ParityRow(
                recipe=record.recipe,
                targets=" = ".join(record.targets),
                predictions=finite(record.prediction_difference),
                losses=finite(stats.largest(record.loss_differences)) if record.steps else None,
                reviews=record.reviews,
                steps=record.steps,
                answer=verdict.answer,
                reason=accuracy.unjudged_losses(record),
            )
            for record, verdict in self._parity
        ]

    @cached_property
    def _parity(self) -> list[tuple[ParityRecord, Verdict]]:
        """Every comparison of targets from equal weights with its verdict, for the precision of its recipe."""
        known = {name: recipe.precision for name, recipe in self.recipes.items()}
        found = self._of(ParityRecord)
        return [(record, accuracy.parity(record, known.get(record.recipe, "float32"))) for record in found]

    @cached_property
    def serving(self) -> list[ServingRow]:
        """Every model that was saved, on every backend that served it."""
        return [
            ServingRow(
                recipe=record.recipe,
                target=record.target,
                served_on=record.served_on,
                predictions=finite(record.prediction_difference),
                reviews=record.reviews,
                answer=accuracy.serving(record).answer,
            )
            for record in self._of(ServingRecord)
        ]

    @cached_property
    def exports(self) -> list[ExportRow]:
        """Every format of every trained model, those that it does not have included."""
        found = sorted(self._of(ExportsRecord), key=lambda record: (self._order.index(record.recipe), record.target))
        return [row for record in found for row in serving.rows(record, self.recipes.get(record.recipe))]

    @cached_property
    def baselines(self) -> list[BaselineRow]:
        return [BaselineRow(**r.model_dump(exclude={"kind", "target"})) for r in self._of(BaselineRecord)]

    @cached_property
    def timing_rows(self) -> list[TimingRow]:
        """Training, prediction and vectorization: by recipe, batch size, path as listed, then target."""
        cells = [cell for phase in _DETAILS for cell in self._cells(phase)]
        return [self._timing(cell, self.timings[cell]) for cell in cells]

    @cached_property
    def best_paths(self) -> list[BestPathRow]:
        return best_path.find(self.timing_rows, self.timings)

    @cached_property
    def answers(self) -> list[AnswerRow]:
        """Which target is faster, by how much: as users call Keras, and by the fastest path of each."""
        return answers.find(self.timing_rows, self.best_paths, self.timings)

    @cached_property
    def startup(self) -> list[StartupRow]:
        found: dict[tuple[str, str], dict[str, float | None]] = {}
        for cell in self._cells("startup"):
            seconds = paired_ratio.seconds(self.timings[cell]).value
            found.setdefault((cell.recipe, cell.target), {})[f"{cell.path.replace(' ', '_')}_s"] = finite(seconds)
        return [StartupRow(recipe=recipe, target=target, **found_s) for (recipe, target), found_s in found.items()]

    @cached_property
    def peaks(self) -> Peaks | None:
        """What the machine reached at best, by anything that was tried."""
        return roofline.peaks(self._of(PeaksRecord))

    @cached_property
    def hardware(self) -> list[HardwareRow]:
        """One row for each recipe, phase and target, where peaks are known; prediction at its largest batch.

        Only the arithmetic of recipes that have a floor was counted.
        """
        if self.peaks is None:
            return []
        named = {name: variations.known(name) for name in once(cell.recipe for cell in self.timings)}
        counted = {name: _counted(recipe) for name, recipe in named.items() if recipe and paths.has_floor(recipe)}
        fastest: dict[tuple[str, str, str], TimingRow] = {}
        for row in self.timing_rows:
            key = (row.recipe, row.phase, row.target)
            known = fastest.get(key)
            if row.phase in roofline.PHASES and not row.is_floor and row.recipe in counted:
                fastest[key] = row if known is None or _beats(row, known) else known
        return [roofline.row(row, counted[row.recipe], self.peaks) for row in fastest.values()]

    @cached_property
    def counters(self) -> list[CounterRow]:
        return [CounterRow(**r.cell.model_dump(), counters=r.counters) for r in self._of(CounterRecord)]

    @cached_property
    def time_to_accuracy(self) -> list[TimeToAccuracyRow]:
        found = [self._time_to_accuracy(path, *group) for path, group in self._trained]
        return sorted((row for row in found if row is not None), key=lambda row: self._order.index(row.recipe))

    @cached_property
    def curves(self) -> list[CurvesRow]:
        """Every curve of the first seed on each path: seeds differ by less than a chart shows."""
        trained = self._of(TrainingRecord)
        first = min((record.seed for record in trained), default=0)
        return [
            CurvesRow(
                recipe=record.recipe,
                target=record.target,
                path=record.path,
                seed=record.seed,
                phase=name,
                curves={metric: [finite(value) for value in values] for metric, values in phase.curves.items()},
                epoch_s=[seconds for value in self._epoch_s(record, phase) if (seconds := finite(value)) is not None],
            )
            for record in trained
            if record.seed == first
            for name, phase in record.phases.items()
        ]

    @cached_property
    def failures(self) -> list[FailureRecord]:
        """The failures whose work was not measured later."""
        return self.run.failures()

    @cached_property
    def incomplete(self) -> list[str]:
        """What the run lacks besides its failures, in words."""
        return accuracy.incomplete(self.run)

    @cached_property
    def verdicts(self) -> list[Verdict]:
        """Every verdict of the run, failures of whole cells included."""
        return [
            *[accuracy.verdict(row) for row in self.accuracy if row.decides],
            *[verdict for _, verdict in self._parity],
            *[accuracy.serving(record) for record in self._of(ServingRecord)],
            *[
                accuracy.exported(record, one)
                for record in self._of(ExportsRecord)
                for one in record.formats
                if accuracy.is_exact(one)
            ],
            *accuracy.completeness(self.run),
        ]

    @cached_property
    def left_out(self) -> list[Cell]:
        """The cells that the run's profile leaves to the full one, of the recipes and targets that it has."""
        if self.run.header.profile not in steps.PROFILES:
            return []
        targets = [Target(t.facts.backend, t.facts.device) for t in self.targets.values()]  # type: ignore[arg-type]
        timed = {cell.recipe for cell in self.timings}
        recipes = [recipe for name, recipe in self.recipes.items() if name in timed]
        return steps.left_out(recipes, targets, steps.PROFILES[self.run.header.profile])

    @property
    def measured(self) -> int:
        """How many records hold a measurement."""
        return sum(isinstance(r, TrainingRecord | TimingRecord | ParityRecord) for r in self.run.records)

    def place(self, cell: Cell) -> tuple[int, int, int, int, str]:
        """Return where ``cell`` stands in every table of the run."""
        return place(cell, self._order)

    def excludes(self, cell: Cell) -> bool:
        """Whether ``cell`` counts in no comparison: its recipe learned something else on its target."""
        return cell.phase in ("train", "predict") and self._failed(cell.recipe, cell.target)

    def _of(self, kind: type[Any]) -> list[Any]:
        """Return the records of one kind."""
        return [record for record in self.run.records if isinstance(record, kind)]

    def _cells(self, phase: str) -> list[Cell]:
        """Return the cells of ``phase`` in the order of the tables."""
        return sorted((cell for cell in self.timings if cell.phase == phase), key=self.place)

    def _failed(self, recipe: str, target: str) -> bool:
        return any(row.answer == "failed" for row in self.accuracy if (row.recipe, row.target) == (recipe, target))

    @cached_property
    def _trained(self) -> list[tuple[str, tuple[Recipe, str, list[TrainingRecord]]]]:
        """The trainings by path, recipe and target."""
        trained = self._of(TrainingRecord)
        return [(path, group) for path in paths.names("train") for group in self._grouped(trained, path)]

    def _grouped(self, records: Sequence[TrainingRecord], path: str) -> list[tuple[Recipe, str, list[TrainingRecord]]]:
        """Group the trainings on ``path`` by recipe, in the order of the recipes, and target."""
        key: Callable[[TrainingRecord], tuple[int, str]] = lambda r: (self._order.index(r.recipe), r.target)  # noqa: E731
        chosen = [record for record in records if record.path == path and record.recipe in self.recipes]
        groups = groupby(sorted(chosen, key=key), key=key)
        return [(self.recipes[self._order[index]], target, list(group)) for (index, target), group in groups]

    def _judged(self, path: str, recipe: Recipe, target: str, trained: Sequence[TrainingRecord]) -> list[AccuracyRow]:
        epochs = {phase: len(result.epoch_s) for record in trained for phase, result in record.phases.items()}
        return accuracy.accuracy(
            recipe,
            target,
            self._backend(target),
            trained=trained,
            epochs=epochs,
            corpus=self.run.header.corpus,
            references=self.references,
            path=path,
        )

    def _unsupported(self) -> Iterator[FailureRow]:
        yield from _over_sizes(self.run.unsupported())
        yield from self._fallen_back()
        yield from self._only_predicting()

    def _only_predicting(self) -> Iterator[FailureRow]:
        """Yield what the backends that only predict leave out, once for each target."""
        for name, record in self.targets.items():
            if not backends.trains(record.facts.backend):
                reason = f"{backends.EVERY[record.facts.backend].title} only predicts in Keras"
                yield FailureRow(recipe="every", target=name, work="training", reason=reason)

    def _fallen_back(self) -> Iterator[FailureRow]:
        """Yield the trainings that `fit` did in place of the compiled loop, and why."""
        for record in self._of(TrainingRecord):
            for phase, result in record.phases.items():
                if result.fell_back:
                    work, reason = f"train to accuracy by {record.path}", f"{result.fell_back}; fit trained ({phase})"
                    yield FailureRow(recipe=record.recipe, target=record.target, work=work, reason=reason)

    def _backend(self, target: str) -> str:
        """Return the backend of ``target``: as it greeted, or by its name where that line is lost."""
        known = self.targets.get(target)
        return target.partition("-")[0] if known is None else known.facts.backend

    def _timing(self, cell: Cell, records: Sequence[TimingRecord]) -> TimingRow:
        group = cell.phase, cell.path
        seconds = paired_ratio.seconds(records, self._priors[group])
        return TimingRow(
            **cell.model_dump(),
            **bounded("seconds", seconds),
            **self._share(cell, records),
            processes=len(records),
            steady=all(record.steady for record in records),
            excluded=self.excludes(cell),
            joules=_joules(records),
            **_DETAILS[cell.phase](records, seconds),
        )

    def _share(self, cell: Cell, records: Sequence[TimingRecord]) -> dict[str, Any]:
        """Return the fields of the share of the floor's speed, or of the fastest path's where no floor is written."""
        if floors := self._floors(cell):
            prior = self._share_priors.get((cell.phase, cell.path))
            return bounded("floor_share", paired_ratio.ratio(floors, records, prior=prior))
        fastest = self._fastest.get((cell.recipe, cell.phase, cell.batch_size, cell.target))
        if fastest is None or cell.path in (*RESIDENT, *FLOORS):
            return {}
        share = ONE if fastest == cell else paired_ratio.ratio(self.timings[fastest], records)
        return {**bounded("floor_share", share), "share_of": fastest.path}

    @cached_property
    def _fastest(self) -> dict[tuple[str, str, int, str], Cell]:
        """The fastest path for each work of recipes that have no floor, as (recipe, phase, batch size, target).

        None where only one path was timed: it would be compared with itself.
        """
        # A user's floor may be written for one backend alone.
        without = {name for name, recipe in self.recipes.items() if recipe.floor or not paths.has_floor(recipe)}
        works: dict[tuple[str, str, int, str], list[Cell]] = {}
        for cell in self.timings:
            apart = cell.path in (*RESIDENT, *FLOORS)
            if cell.recipe in without and cell.phase in best_path.USUAL and not apart:
                works.setdefault((cell.recipe, cell.phase, cell.batch_size, cell.target), []).append(cell)
        first = {work: best_path.fastest(cells, self.timings) for work, cells in works.items() if len(cells) > 1}
        return {work: cell for work, cell in first.items() if cell is not None}

    def _floors(self, cell: Cell) -> list[TimingRecord]:
        """Return the records of the floor beside ``cell``; none for a floor itself."""
        if cell.path in FLOORS:
            return []
        return self.timings.get(cell.model_copy(update={"path": paths.floor_of(cell.phase, cell.path)}), [])

    @cached_property
    def _priors(self) -> dict[tuple[str, str], stats.Prior | None]:
        """The prior of the variances of seconds, by phase and path: those cells are alike."""
        logs = {cell: paired_ratio.log_seconds(records) for cell, records in self.timings.items()}
        return paired_ratio.priors(logs, lambda cell: (cell.phase, cell.path))

    @cached_property
    def _share_priors(self) -> dict[tuple[str, str], stats.Prior | None]:
        """The prior of the variances of shares of the floor, by phase and path."""
        beside = {cell: (records, self._floors(cell)) for cell, records in self.timings.items()}
        logs = {cell: paired_ratio.log_ratios(*pair) for cell, pair in beside.items() if pair[1]}
        return paired_ratio.priors(logs, lambda cell: (cell.phase, cell.path))

    def _time_to_accuracy(
        self, path: str, recipe: Recipe, target: str, trained: Sequence[TrainingRecord]
    ) -> TimeToAccuracyRow | None:
        metric, goal = recipe.target_metric, recipe.target_accuracy
        if goal is None:
            return None  # nothing is published of it
        trained_results = [(r, result) for r in trained for result in r.phases.values() if metric in result.curves]
        results = [result for _, result in trained_results]
        if not results:
            return None  # the phase that has this curve was left out
        epochs = [_epochs_until(result.curves[metric], goal) for result in results]
        reached = [number for number in epochs if number is not None]
        every = [
            sum(self._epoch_s(record, result)[:number])
            for (record, result), number in zip(trained_results, epochs, strict=True)
            if number is not None
        ]
        return TimeToAccuracyRow(
            recipe=recipe.name,
            target=target,
            path=path,
            metric=metric,
            accuracy=goal,
            seconds=finite(stats.trimmed_mean(every)) if len(every) == len(results) else None,
            seeds=len(results),
            epochs=len(results[0].epoch_s),
            excluded=self._failed(recipe.name, target),
            reached_epoch=stats.trimmed_mean(reached) if len(reached) == len(results) else None,
            computed=any(record.processors is not None for record in trained),
        )

    def _epoch_s(self, record: TrainingRecord, result: PhaseResult) -> list[float]:
        """Return the seconds of each epoch, as measured by a target that trained alone.

        Where targets trained side by side: the steps of an epoch times the seconds of one, NaN if that was not timed.
        """
        if record.processors is None:
            return result.epoch_s
        steps = [row for row in self.timing_rows if row.phase == "train" and row.path == record.path]
        known = [row.seconds for row in steps if (row.recipe, row.target) == (record.recipe, record.target)]
        each = (result.steps or math.nan) * (known[0] if known and known[0] else math.nan)
        return [each] * len(result.epoch_s)

    def _header(self) -> dict[str, Any]:
        """Return what all rows have in common."""
        header = self.run.header
        versions = {name: version for t in self.targets.values() for name, version in t.facts.versions.items()}
        return {
            "run_id": header.run_id,
            "started_at": header.started_at,
            "resumed_at": self.run.resumed_at,
            "profile": header.profile,
            "machine": header.machine,
            "devices": {name: record.facts.device_name for name, record in self.targets.items()},
            "commit": header.commit.revision if header.commit else None,
            "dirty": bool(header.commit and header.commit.dirty),
            "versions": dict(sorted(versions.items())),
            "corpus": header.corpus,
            "corpus_digest": header.corpus_digest,
            "command": header.command,
            "order_seed": header.order_seed,
            "seeds": sorted({record.seed for record in self._of(TrainingRecord)}),
            "steal_share": self.run.stolen,
            "outside_share": store.outside_share(self.run.records, header.machine.processors),
            "retaken": store.retaken(self.run.records),
            "incomplete": self.incomplete,
            "failures": [_failure(record) for record in self.failures],
            "unsupported": once([*self._unsupported()]),
        }


def _over_sizes(records: Sequence[FailureRecord]) -> Iterator[FailureRow]:
    """Yield a row for each path that cannot drive a model, with every number of rows for which that was tried."""
    found: dict[tuple[str, str, str, str], list[str]] = {}
    for record in records:
        path, _, last = record.work.rpartition(" ")
        work, size = (path, last) if last.isdecimal() else (record.work, "")
        found.setdefault((record.recipe, record.target, work, record.reason), []).append(size)
    for (recipe, target, work, reason), sizes in found.items():
        tried = f"{work} {', '.join(once(sizes))}".strip()
        yield FailureRow(recipe=recipe, target=target, work=tried, reason=reason)


def _failure(record: FailureRecord) -> FailureRow:
    return FailureRow(recipe=record.recipe, target=record.target, work=record.work, reason=record.reason)


def summarize(run: Run) -> Summary:
    """Return the summary of ``run``, compared with the reference seeds of its corpus."""
    header = run.header
    known = reference.known(header.corpus)
    here = [record for record in known if record.corpus_digest == header.corpus_digest]
    return Summary(run, (*here, *reference.load(run.folder / reference.RUN_FILE)))


def place(cell: Cell, recipes: Sequence[str]) -> tuple[int, int, int, int, str]:
    """Return where ``cell`` stands in every table: by recipe, phase, batch size, path as listed, then target.

    ``recipes`` have the order of the tables; a path that is not this suite's comes last.
    """
    own, phase, path = (
        _position(cell.recipe, recipes),
        _position(cell.phase, _ORDER),
        _position(cell.path, paths.names(cell.phase)),
    )
    return own, phase, cell.batch_size, path, cell.target


def order(own: Iterable[str]) -> list[str]:
    """Return the names of recipes in the order of every table: the suite's, then ``own``."""
    return once([*RECIPES, *own])


def _position(name: str, known: Sequence[str]) -> int:
    return known.index(name) if name in known else len(known)


def _decided(decision: Decision) -> dict[str, Any]:
    """Return the fields of a document that a comparison fills."""
    rule = decision.rule
    return {
        "sides": rule.sides,
        "margin": rule.margin,
        "alpha": rule.alpha,
        "replicates": rule.replicates,
        "fewest": rule.fewest,
        "void": decision.void,
        "comparisons": [*decision.cells, *decision.controls],
        "counter_changes": decision.counter_changes,
    }


def _training(records: Sequence[TimingRecord], seconds: stats.Estimate) -> dict[str, Any]:
    calls_s = [value for record in records for value in paired_ratio.per_call_s(record)]
    return {
        "reviews_per_s": finite(seconds.inverted(records[0].work["reviews"]).value),
        "first_step_s": min(records, key=lambda record: record.replicate).first_call_s,
        "call_s": statistics.median(calls_s) if calls_s else None,
        "after_s": max((s.after_s for r in records for s in r.samples if s.counts), default=0.0) or None,
    }


def _prediction(records: Sequence[TimingRecord], seconds: stats.Estimate) -> dict[str, Any]:
    del seconds
    calls = [call for r in records for s in r.samples if s.counts for call in s.calls_s or []]
    p50, p90, p95, p99 = (stats.percentile(calls, share) for share in (0.50, 0.90, 0.95, 0.99))
    return {
        "p50_s": p50,
        "p90_s": p90,
        "p95_s": p95,
        "p99_s": p99 if len(calls) >= P99_CALLS else None,
        "reviews_per_s": records[0].work["reviews"] / p50,
        "calls": len(calls),
    }


def _vectorization(records: Sequence[TimingRecord], seconds: stats.Estimate) -> dict[str, Any]:
    work = records[0].work
    return {
        "reviews_per_s": finite(seconds.inverted(work["reviews"]).value),
        "megabytes_per_s": finite(seconds.inverted(work["megabytes"]).value),
    }


# What the rows of a phase say beside seconds and shares, and the order of phases in every table.
def _joules(records: Sequence[TimingRecord]) -> float | None:
    """Return the energy of one review over every block that says it; a call's fixed cost is part of it."""
    known = [(s, r.work.get("reviews", 0.0)) for r in records for s in r.samples if s.energy_j is not None and s.counts]
    reviews = sum(sample.repeats * each for sample, each in known)
    return sum(sample.energy_j or 0.0 for sample, _ in known) / reviews if reviews else None


_DETAILS: dict[str, Callable[[Sequence[TimingRecord], stats.Estimate], dict[str, Any]]] = {
    "train": _training,
    "predict": _prediction,
    "vectorize": _vectorization,
}
_ORDER = ("startup", *_DETAILS)


def _counted(recipe: Recipe) -> Recipe:
    """Return ``recipe`` with the number of its parameters, which nobody published of a variation."""
    return replace(recipe, parameters=sum(layer.parameters for layer in layers.of(recipe)))


def _beats(row: TimingRow, known: TimingRow) -> bool:
    """Whether ``row`` is at a larger batch than ``known``, or the faster at the same one."""
    return (row.batch_size, -(row.seconds or 0.0)) > (known.batch_size, -(known.seconds or 0.0))


def _epochs_until(curve: Sequence[float], accuracy: float) -> int | None:
    return next((epoch for epoch, value in enumerate(curve, start=1) if value >= accuracy), None)
