"""Check the accuracy, parity, serving and completeness of a run; each check is a verdict with its reason."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bench.analysis import stats
from bench.records import reference
from bench.records.schema import FailureRecord, ParityRecord, Record, ReferenceRecord, ServingRecord, TrainingRecord
from models.recipes import Published, Recipe

Answer = Literal["passed", "failed", "unresolved"]

# How often a correct backend may fail an accuracy check by chance.
FALSE_ALARM = 0.001

# Float32 resolves 1.2e-7, and another order of summation costs a few of these: up to 2e-7 was measured, for
# predictions (absolute) and for losses (relative). A wrongly summed gradient shows as 1e-4 and more.
PREDICTION_TOLERANCE = 1e-5
LOSS_TOLERANCE = 1e-5


@dataclass(frozen=True)
class Verdict:
    """A rule, the measured value, its limit, the answer and its reason."""

    rule: Literal["accuracy", "parity", "serving", "completeness"]
    recipe: str
    target: str
    seen: str
    limit: str
    answer: Answer
    reason: str


@dataclass(frozen=True)
class AccuracyCheck:
    """One figure of one recipe on one target, over the seeds of a run.

    published  None if the source states none for the epoch that was reached
    expected   mean over the reference seeds; None if no reference was measured on this corpus
    band       lowest and highest value that pass
    decides    whether the verdict depends on it; other figures are only shown, and pass
    path       the path of the phase `train` that trained it
    """

    recipe: Recipe
    target: str
    figure: str
    published: float | None
    expected: float | None
    measured: float
    seeds: int
    band: tuple[float, float] | None
    answer: Answer
    reason: str
    decides: bool = True
    path: str = "fit"

    @property
    def difference(self) -> float | None:
        """Measured minus published, or minus the reference's mean if nothing is published."""
        base = self.published if self.published is not None else self.expected
        return None if base is None else self.measured - base

    @property
    def verdict(self) -> Verdict:
        limit = "none" if self.band is None else f"{self.band[0]:.4f} to {self.band[1]:.4f}"
        return Verdict(
            "accuracy", self.recipe.name, self.target, f"{self.measured:.4f}", limit, self.answer, self.reason
        )


@dataclass(frozen=True)
class Figure:
    """A number that is compared with the source: a metric of a phase, at an epoch or after the phase."""

    phase: str
    metric: str
    epoch: int | None
    published: float | None

    @property
    def name(self) -> str:
        words = self.metric.replace("val_", "validation ").replace("_", " ")
        words = f"training {words}" if self.metric in ("accuracy", "loss") else words
        return words if self.epoch is None else f"{words}, epoch {self.epoch}"


def figures(recipe: Recipe, trained: dict[str, int], *, corpus: str) -> list[tuple[Figure, bool]]:
    """Return the figures that a run with these epochs is compared with, and whether each decides.

    A complete phase is compared with the recipe's published figures, one that was cut short with its curve at the
    last epoch. Only the real reviews have published values.
    """
    found = []
    for phase in recipe.phases:
        if phase.name in trained:
            whole = trained[phase.name] == phase.epochs
            chosen = _published(recipe, phase.name) if whole else [_curve(recipe, phase.name, trained[phase.name])]
            found += [(_on(corpus, figure), decides) for figure, decides in chosen]
    return found


def accuracy(
    recipe: Recipe,
    target: str,
    backend: str,
    *,
    trained: Sequence[TrainingRecord],
    epochs: dict[str, int],
    corpus: str,
    references: Sequence[ReferenceRecord],
) -> list[AccuracyCheck]:
    """Check every figure of ``recipe`` on ``target`` over the seeds in ``trained``; figures that do not decide pass.

    A deciding figure that a seed lacks fails: what was not measured is never left empty.
    """
    checks = []
    for figure, decides in figures(recipe, epochs, corpus=corpus):
        values = [_value(record, figure) for record in trained]
        found = [value for value in values if value is not None]
        if len(found) < len(values) and not decides:
            continue
        expected = reference.distribution(
            list(references),
            recipe=recipe.name,
            backend=backend,
            phase=figure.phase,
            metric=figure.metric,
            epoch=figure.epoch,
        )
        seen = found if len(found) == len(values) else [math.nan]
        checks.append(_check(recipe, target, figure, seen, expected, decides=decides))
    return checks


def parity(record: ParityRecord) -> Verdict:
    """Check that two targets compute the same from the same weights."""
    worst_loss = stats.largest(record.loss_differences)
    passed = record.prediction_difference <= PREDICTION_TOLERANCE and worst_loss <= LOSS_TOLERANCE
    return Verdict(
        rule="parity",
        recipe=record.recipe,
        target=" = ".join(record.targets),
        seen=f"predictions {record.prediction_difference:.1e}, losses {worst_loss:.1e}",
        limit=f"{PREDICTION_TOLERANCE:.0e}, {LOSS_TOLERANCE:.0e}",
        answer="passed" if passed else "failed",
        reason=f"{record.reviews} predictions and the first {record.steps} losses from equal weights"
        + ("" if passed else " differ by more than summation order explains"),
    )


def serving(record: ServingRecord) -> Verdict:
    """Check cross-backend serving: a model's scores are those that its own backend gives."""
    difference = record.prediction_difference
    passed = difference <= PREDICTION_TOLERANCE  # NaN fails
    return Verdict(
        "serving",
        record.recipe,
        f"{record.target} served on {record.served_on}",
        f"{difference:.1e}",
        f"{PREDICTION_TOLERANCE:.0e}",
        "passed" if passed else "failed",
        "the scores agree" if passed else "the scores differ by more than rounding explains",
    )


def completeness(records: Sequence[Record]) -> list[Verdict]:
    """Return a failing verdict for each piece of work that failed."""
    return [
        Verdict("completeness", r.recipe, r.target, "nothing", r.work, "failed", f"{r.reason} (log: {r.log})")
        for r in records
        if isinstance(r, FailureRecord)
    ]


def _value(record: TrainingRecord, figure: Figure) -> float | None:
    result = record.phases.get(figure.phase)
    return None if result is None else reference.figure(result, figure.metric, figure.epoch)


def _check(
    recipe: Recipe,
    target: str,
    figure: Figure,
    values: Sequence[float],
    expected: reference.Distribution | None,
    *,
    decides: bool,
) -> AccuracyCheck:
    measured = stats.trimmed_mean(values)
    band = None if expected is None else _band(figure.published, expected, runs=len(values))
    answer, reason = _answer(measured, band, decides=decides)
    return AccuracyCheck(
        recipe=recipe,
        target=target,
        figure=figure.name,
        published=figure.published,
        expected=None if expected is None else expected.mean,
        measured=measured,
        seeds=len(values),
        band=band,
        answer=answer,
        reason=reason,
        decides=decides,
    )


def _band(published: float | None, expected: reference.Distribution, *, runs: int) -> tuple[float, float]:
    """Return the lowest and the highest value that pass.

    The band reaches from the published figure to the mean of the reference seeds, whichever is lower, and is
    widened on both sides by the spread of a correct backend's seeds: the source ran once, on another release.
    """
    width = stats.prediction_half_width(expected.values, runs=runs, level=1 - FALSE_ALARM)
    ends = [expected.mean] if published is None else [published, expected.mean]
    return min(ends) - width, max(ends) + width


def _answer(measured: float, band: tuple[float, float] | None, *, decides: bool) -> tuple[Answer, str]:
    if not decides:
        return "passed", "shown for comparison, not decisive"
    if math.isnan(measured):
        return "failed", "no number: the training diverged or gave no such figure"
    if band is None:
        return "unresolved", "no reference seeds were measured for this corpus and backend: run `bench reference`"
    if measured < band[0]:
        return "failed", f"{measured:.4f} is below {band[0]:.4f}: the published figure is not reached"
    if measured > band[1]:
        return "failed", f"{measured:.4f} is above {band[1]:.4f}: suspiciously high, look for a data leak"
    return "passed", "within the band"


def _published(recipe: Recipe, phase: str) -> list[tuple[Figure, bool]]:
    return [(_figure(published), published.decides) for published in recipe.published if published.phase == phase]


def _figure(published: Published) -> Figure:
    once = published.metric.startswith(("test_", "best_"))
    epoch = None if once else (published.epoch or len(published.values))
    return Figure(published.phase, published.metric, epoch, published.values[-1])


def _curve(recipe: Recipe, phase: str, epoch: int) -> tuple[Figure, bool]:
    """Return the figure for a phase that was cut short after ``epoch``: its accuracy curve at that epoch."""
    metric = "val_accuracy" if recipe.phase(phase).held_out else "accuracy"
    values = [p.at(epoch) for p in recipe.published if (p.phase, p.metric) == (phase, metric)]
    known = [value for value in values if value is not None]
    return Figure(phase, metric, epoch, known[0] if known else None), True


def _on(corpus: str, figure: Figure) -> Figure:
    return figure if corpus == "imdb" else Figure(figure.phase, figure.metric, figure.epoch, None)
