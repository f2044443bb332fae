"""The rows of a sweep: variations of a recipe over seeds, and which of them differ from it."""

from __future__ import annotations

import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from bench.analysis import stats
from bench.analysis.stats import Estimate
from bench.records import store
from bench.records.schema import FinishedPhase, ReferenceRecord
from bench.runner.training import sweep_timing
from models import variations
from models.recipes import Recipe

Answer = Literal["better", "worse", "no difference seen", "too few seeds"]

# Chance of at least one wrong "better" or "worse" in a whole table.
ALPHA = 0.05
# With two seeds, Student's t detects only the largest differences.
MINIMUM_SEEDS = 3


@dataclass(frozen=True)
class Row:
    """One variation on one backend, over its seeds.

    accuracies  what decides on the test data, one value a seed
    best        the best of each seed's validation; empty where nothing is held out
    gap         the same of the training data at the end, minus the test's, mean over seeds: how far it overfits
    difference  mean of the test minus the base's; None for the base itself
    p_value     Welch's, adjusted by Holm over the table's rows; None for the base
    train       seconds of a training step over the base's, from interleaved blocks; None where not timed
    predict     the same for a prediction of 32 reviews
    """

    recipe: Recipe
    backend: str
    accuracies: tuple[float, ...]
    best: tuple[float, ...]
    gap: float
    difference: float | None
    p_value: float | None
    answer: Answer | None
    train: Estimate | None = None
    predict: Estimate | None = None

    @property
    def mean(self) -> float:
        return statistics.fmean(self.accuracies)

    @property
    def deviation(self) -> float | None:
        """Sample standard deviation over seeds; None for one seed."""
        return statistics.stdev(self.accuracies) if len(self.accuracies) > 1 else None


def default_file(base: Recipe, over: Mapping[str, list[str]], also: Sequence[str]) -> Path:
    """Return the file of a sweep's trainings: named by what it varies, so that the same sweep resumes."""
    words = [base.name, *over, *also]
    return store.DEFAULT_FOLDER / "sweeps" / f"{re.sub(r'[^a-z0-9_]+', '-', '-'.join(words).lower())}.jsonl"


def recipes(base: Recipe, over: Mapping[str, list[str]], also: Sequence[Recipe] = ()) -> list[Recipe]:
    """Return ``base``, then every combination of ``over``, then ``also``; one that changes nothing is the base."""
    derived = [*(variations.grid(base, over) if over else ()), *also]
    distinct = [one for one in derived if not same(one, base)]
    return [base, *{one.name: one for one in distinct}.values()]


def same(one: Recipe, other: Recipe) -> bool:
    """Return whether two recipes train the same model on the same data in the same way, whatever their names."""
    unpublished = {"name": "", "published": (), "parameters": 0, "sentences": False}
    return replace(one, **unpublished) == replace(other, **unpublished)  # type: ignore[arg-type]


def rows(
    chosen: Sequence[Recipe], records: Sequence[ReferenceRecord], ratios: sweep_timing.Ratios | None = None
) -> list[Row]:
    """Return a row for each recipe, the first of which is the base, on each backend that trained it."""
    backends = dict.fromkeys(record.backend for record in records)
    found = [row for name in backends for row in _rows(chosen, [r for r in records if r.backend == name], name)]
    return [_timed(row, chosen[0], ratios or {}) for row in found]


def label(row: Row, base: Row) -> str:
    """Return the row's name in a table: what it changes."""
    return sweep_timing.changes(row.recipe, base.recipe)


def _rows(chosen: Sequence[Recipe], records: Sequence[ReferenceRecord], backend: str) -> list[Row]:
    every = {recipe: [r for r in records if r.recipe == recipe.name] for recipe in chosen}
    trained = {recipe: found for recipe, found in every.items() if found}
    base = _figures(chosen[0], every[chosen[0]])
    others = [_figures(recipe, found) for recipe, found in trained.items() if recipe is not chosen[0]]
    p_values = iter(stats.holm([stats.welch(values, base) if _enough(values, base) else 1.0 for values in others]))
    return [
        _row(recipe, backend, found, base, None if recipe is chosen[0] else next(p_values))
        for recipe, found in trained.items()
    ]


def _timed(row: Row, base: Recipe, ratios: sweep_timing.Ratios) -> Row:
    name = sweep_timing.changes(row.recipe, base)
    train, predict = (ratios.get((name, row.backend, phase)) for phase in ("train", "predict"))
    return replace(row, train=train, predict=predict)


def _row(
    recipe: Recipe, backend: str, trained: Sequence[ReferenceRecord], base: Sequence[float], p_value: float | None
) -> Row:
    accuracies, metric, better = _figures(recipe, trained), recipe.metric, max if recipe.direction == "max" else min
    curves = [phase.curves.get(f"val_{metric}", []) for record in trained for phase in record.phases.values()]
    ends = [_last(record).curves[metric][-1] for record in trained]
    difference = statistics.fmean(accuracies) - statistics.fmean(base) if base and p_value is not None else None
    return Row(
        recipe=recipe,
        backend=backend,
        accuracies=accuracies,
        best=tuple(better(curve) for curve in curves if curve),
        gap=statistics.fmean(end - value for end, value in zip(ends, accuracies, strict=True)),
        difference=difference,
        p_value=p_value,
        answer=None if p_value is None or difference is None else _answer(recipe, accuracies, base, p_value),
    )


def _figures(recipe: Recipe, trained: Sequence[ReferenceRecord]) -> tuple[float, ...]:
    """Return what decides of ``recipe`` on the test data, one value a seed."""
    return tuple(_last(record).tested[recipe.metric] for record in trained)


def _last(record: ReferenceRecord) -> FinishedPhase:
    """Return the phase whose model is tested."""
    return list(record.phases.values())[-1]


def _answer(recipe: Recipe, values: Sequence[float], base: Sequence[float], p_value: float) -> Answer:
    if not _enough(values, base):
        return "too few seeds"
    if p_value >= ALPHA:
        return "no difference seen"
    rises = statistics.fmean(values) > statistics.fmean(base)
    return "better" if rises == (recipe.direction == "max") else "worse"


def _enough(values: Sequence[float], base: Sequence[float]) -> bool:
    return min(len(values), len(base)) >= MINIMUM_SEEDS
