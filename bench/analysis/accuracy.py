"""Check the accuracy, parity, serving and completeness of a run; each check is a verdict with its reason."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bench import PROGRAM
from bench.analysis import stats
from bench.analysis.rows import AccuracyRow, finite
from bench.plan import formats
from bench.plan.formats import EVERY_FORMAT
from bench.records import reference, store
from bench.records.schema import (
    ExportedFormat,
    ExportsRecord,
    ParityRecord,
    ReferenceRecord,
    ServingRecord,
    TrainingRecord,
)
from bench.records.store import Run
from models.recipes import Published, Recipe

Answer = Literal["passed", "failed", "unresolved"]

# How often a correct backend may fail an accuracy check by chance.
FALSE_ALARM = 0.001

# Float32 resolves 1.2e-7, and another order of summation costs a few of these: up to 2e-7 was measured, for
# predictions (absolute) and for losses (relative). A wrongly summed gradient shows as 1e-4 and more.
PREDICTION_TOLERANCE = 1e-5
LOSS_TOLERANCE = 1e-5
# In sixteen bits a backend rounds where another does not: a value of bfloat16 has 8 bits, which resolve 4e-3 of it.
ROUNDED_TOLERANCE = 2e-2


# How many of the first losses must agree, by what lets correct backends part (`ParityRecord.parts`); None for all.
COMPARED: dict[str, int | None] = {"": None, "embedding": 1, "random": 0}
PARTED = {
    "": "",
    "embedding": "later losses are not judged: TensorFlow updates Keras's Embedding otherwise (models/embedding.py)",
    "random": "losses are not judged: a layer draws random numbers, which differ between backends",
}
# The answer to a figure that decides nothing.
SHOWN: tuple[Answer, str] = ("passed", "shown for comparison, not decisive")


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
class Figure:
    """A number that is compared with the source: a metric of a phase, at an epoch or after the phase."""

    phase: str
    metric: str
    epoch: int | None
    published: float | None
    tolerance: float | None = None

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
            found += [
                (figure if recipe.family == "own" else _on(corpus, figure), decides) for figure, decides in chosen
            ]
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
    path: str = "fit",
) -> list[AccuracyRow]:
    """Check every figure of ``recipe`` on ``target`` over the seeds in ``trained``; figures that do not decide pass.

    A deciding figure that a seed lacks fails: what was not measured is never left empty. Where nothing is published of
    the recipe, a figure decides by reference seeds alone, and is only shown without any.
    """
    rows = []
    for figure, decides in figures(recipe, epochs, corpus=corpus):
        values = [_value(record, figure) for record in trained]
        found = [value for value in values if value is not None]
        lacking = len(found) < len(values)
        if lacking and not decides:
            continue
        expected = reference.distribution(
            list(references),
            recipe=recipe.name,
            backend=backend,
            phase=figure.phase,
            metric=figure.metric,
            epoch=figure.epoch,
        )
        judged = decides and (lacking or expected is not None or bool(recipe.published))
        seen = [math.nan] if lacking else found
        rows.append(_row(recipe, figure, seen, expected, decides=judged, target=target, path=path))
    return rows


def verdict(row: AccuracyRow) -> Verdict:
    """Return the verdict on one deciding figure."""
    limit = _limit(row.low, row.high)
    seen = "nothing" if row.measured is None else f"{row.measured:.4f}"
    return Verdict("accuracy", row.recipe, row.target, seen, limit, row.answer, row.reason)


def parity(record: ParityRecord, precision: str = "float32") -> Verdict:
    """Check that two targets compute the same from the same weights, losses as far as correct backends do."""
    exact = precision == "float32"
    most, most_loss = (PREDICTION_TOLERANCE, LOSS_TOLERANCE) if exact else (ROUNDED_TOLERANCE, ROUNDED_TOLERANCE)
    worst_loss, counting = stats.largest(record.loss_differences), record.loss_differences[: COMPARED[record.parts]]
    agree = math.isfinite(worst_loss) and all(loss <= most_loss for loss in counting)
    passed = record.prediction_difference <= most and agree
    open_ = unjudged_losses(record, most_loss)
    return Verdict(
        rule="parity",
        recipe=record.recipe,
        target=" = ".join(record.targets),
        seen=f"predictions {record.prediction_difference:.1e}" + (f", losses {worst_loss:.1e}" if record.steps else ""),
        limit=f"{most:.0e}, {most_loss:.0e}",
        answer="passed" if passed else "failed",
        reason=f"{record.reviews} predictions{_losses(record)} from equal weights"
        + ("" if passed else " differ by more than summation order explains")
        + (f"; {open_}" if open_ else ""),
    )


def _losses(record: ParityRecord) -> str:
    """Return which losses were compared, in words: none with a backend that only predicts."""
    return f" and the first {record.steps} losses" if record.steps else ""


def unjudged_losses(record: ParityRecord, most: float = LOSS_TOLERANCE) -> str:
    """Return why losses differ by more than ``most`` that are not judged; nothing where all agree."""
    return "" if stats.largest(record.loss_differences) <= most else PARTED[record.parts]


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


def is_exact(one: ExportedFormat) -> bool:
    """Whether a format computes in float32; one that this release does not know is taken for such a format."""
    return one.format not in EVERY_FORMAT or EVERY_FORMAT[one.format].exact


def exported(record: ExportsRecord, one: ExportedFormat, *, direction: str = "max") -> Verdict:
    """Check a format of a model: predictions in float32 agree with Keras's; of one in int8, the figure does."""
    worse = _worse(record.figure, one.figure, direction)
    if is_exact(one):
        seen, limit = f"{one.prediction_difference:.1e}", f"{formats.PREDICTION_TOLERANCE:.0e}"
        passed = one.prediction_difference <= formats.PREDICTION_TOLERANCE  # NaN fails
    else:
        seen, limit = f"{record.metric} worse by {worse:.1%}", f"{formats.FIGURE_TOLERANCE:.0%}"
        passed = worse <= formats.FIGURE_TOLERANCE
    return Verdict(
        "serving",
        record.recipe,
        f"{record.target} by {one.format} on {one.backend}",
        seen,
        limit,
        "passed" if passed else "failed",
        "as good as the model in Keras" if passed else "worse than the model in Keras",
    )


def _worse(before: float | None, after: float | None, direction: str) -> float:
    """Return by which share of it a figure became worse; nothing where it is not known."""
    if before is None or after is None or before == 0:
        return 0.0
    return (before - after if direction == "max" else after - before) / abs(before)


def completeness(run: Run) -> list[Verdict]:
    """Return a failing verdict for each failure, for what was planned and not measured, and for each damaged line."""
    found = [
        Verdict("completeness", r.recipe, r.target, "nothing", r.work, "failed", f"{r.reason} (log: {r.log})")
        for r in run.failures()
    ]
    return found + [Verdict("completeness", "", "", "nothing", "", "failed", reason) for reason in incomplete(run)]


def incomplete(run: Run) -> list[str]:
    """Return what ``run`` lacks besides its failures, in words: its end, planned work, lines that are damaged."""
    return [*unfinished(run), *(f"damaged: {words}" for words in damaged(run))]


def unfinished(run: Run) -> list[str]:
    """Return in one line that ``run`` did not come to its end, or lacks work that no failure explains."""
    explained = {work for failure in (*run.failures(), *run.unsupported()) for work in failure.lost}
    missing = [work for work in run.missing() if work not in explained]
    if run.finished and not missing:
        return []
    how = "its records lack" if run.finished else "it was interrupted, or is still being measured, and lacks"
    what = f"{pieces(len(missing))}, first {missing[0]}" if missing else "its end"
    return [f"unfinished: {how} {what}; --resume {run.header.run_id} measures what is missing"]


def damaged(run: Run) -> list[str]:
    """Return the damaged lines of ``run`` in words: those that are of no use, then those that were edited."""
    return [*unusable(run), *edited(run)]


def unusable(run: Run) -> list[str]:
    """Return each line of ``run`` that cannot be read, or repeats another."""
    return [str(damage) for damage in run.open_damage if damage.reason != store.EDITED]


def edited(run: Run) -> list[str]:
    """Return the first line of ``run`` that was edited, and how many more were."""
    found = [damage for damage in run.open_damage if damage.reason == store.EDITED]
    more = f", and {len(found) - 1} more" if len(found) > 1 else ""
    return [f"{damage}{more}" for damage in found[:1]]


def pieces(number: int) -> str:
    """Return so many pieces of work in words."""
    return f"{number} piece{'s' * (number != 1)} of work"


def _value(record: TrainingRecord, figure: Figure) -> float | None:
    result = record.phases.get(figure.phase)
    return None if result is None else reference.figure(result, figure.metric, figure.epoch)


def _row(
    recipe: Recipe,
    figure: Figure,
    values: Sequence[float],
    expected: reference.Distribution | None,
    *,
    decides: bool,
    **where: str,
) -> AccuracyRow:
    measured = stats.trimmed_mean(values)
    low, high = _band(recipe, figure, expected, runs=len(values))
    answer, reason = _answer(measured, low, high, direction=recipe.direction) if decides else SHOWN
    mean = None if expected is None else expected.mean
    base = figure.published if figure.published is not None else mean
    return AccuracyRow(
        **where,
        recipe=recipe.name,
        figure=figure.name,
        published=figure.published,
        expected=mean,
        measured=finite(measured),
        difference=None if base is None else finite(measured - base),
        seeds=len(values),
        low=low,
        high=high,
        answer=answer,
        reason=reason,
        decides=decides,
    )


def _band(
    recipe: Recipe, figure: Figure, expected: reference.Distribution | None, *, runs: int
) -> tuple[float | None, float | None]:
    """Return the lowest and the highest value that pass; None for an end that nothing limits, or that nobody knows.

    The band reaches from the published figure to the mean of the reference seeds, whichever is lower, and is
    widened on both sides by the spread of a correct backend's seeds: the source ran once, on another release.
    A user's tolerance says how much worse than expected a figure may be; a better one passes.
    """
    if figure.published is not None and figure.tolerance is not None:
        best = recipe.direction == "max"
        return (figure.published - figure.tolerance, None) if best else (None, figure.published + figure.tolerance)
    if expected is None:
        return None, None
    width = stats.prediction_half_width(expected.values, runs=runs, level=1 - FALSE_ALARM)
    ends = [expected.mean] if figure.published is None else [figure.published, expected.mean]
    return min(ends) - width, max(ends) + width


def _answer(measured: float, low: float | None, high: float | None, *, direction: str) -> tuple[Answer, str]:
    if math.isnan(measured):
        return "failed", "no number: the training diverged or gave no such figure"
    if low is None and high is None:
        return "unresolved", f"no reference seeds were measured for this corpus and backend: run `{PROGRAM} reference`"
    missed, leaks = "the published figure is not reached", "suspiciously good, look for a data leak"
    if low is not None and measured < low:
        return "failed", f"{measured:.4f} is below {low:.4f}: {missed if direction == 'max' else leaks}"
    if high is not None and measured > high:
        return "failed", f"{measured:.4f} is above {high:.4f}: {leaks if direction == 'max' else missed}"
    return "passed", "within the band"


def _limit(low: float | None, high: float | None) -> str:
    """Return in words what passes."""
    if low is None or high is None:
        return next((f"{name} {end:.4f}" for name, end in (("from", low), ("to", high)) if end is not None), "none")
    return f"{low:.4f} to {high:.4f}"


def _published(recipe: Recipe, phase: str) -> list[tuple[Figure, bool]]:
    if not recipe.published:  # what decides, of the last phase
        decides = Figure(phase, f"test_{recipe.metric}", None, None)
        return [(decides, True)] if phase == recipe.phases[-1].name else []
    return [(_figure(published), published.decides) for published in recipe.published if published.phase == phase]


def _figure(published: Published) -> Figure:
    once = published.metric.startswith(("test_", "best_"))
    epoch = None if once else (published.epoch or len(published.values))
    return Figure(published.phase, published.metric, epoch, published.values[-1], published.tolerance)


def _curve(recipe: Recipe, phase: str, epoch: int) -> tuple[Figure, bool]:
    """Return the figure for a phase that was cut short after ``epoch``: its accuracy curve at that epoch."""
    metric = f"val_{recipe.metric}" if recipe.phase(phase).held_out else recipe.metric
    values = [p.at(epoch) for p in recipe.published if (p.phase, p.metric) == (phase, metric)]
    known = [value for value in values if value is not None]
    return Figure(phase, metric, epoch, known[0] if known else None), True


def _on(corpus: str, figure: Figure) -> Figure:
    return figure if corpus == "imdb" else Figure(figure.phase, figure.metric, figure.epoch, None)
