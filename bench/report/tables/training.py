"""Tables of trainings: one model's curves and test, variations of a recipe, what each model is given of a review."""

from __future__ import annotations

import statistics
import textwrap
from collections.abc import Callable, Sequence
from typing import Any

from bench.analysis.stats import Estimate
from bench.plan.gate import PREDICT_REVIEWS
from bench.records.schema import TestMetrics, TrainedModelRecord
from bench.report.tables import words
from bench.report.tables.columns import Column, Table, figure, signed, significant, table
from bench.runner.sample import Encoded
from bench.runner.training.sweep import ALPHA, Row, label
from bench.runner.training.sweep_timing import REPLICATES
from models.recipes import Recipe

# The curves in their order; those of a user's other metrics follow.
CURVES = ("accuracy", "val_accuracy", "loss", "val_loss")
# Names of Keras's losses and errors, which end so: "price_mae", "kind_loss".
FALLING = ("loss", "mae", "mse", "mape", "msle", "error")


def _best(recipe: Recipe, name: str) -> Callable[[Sequence[float]], float]:
    """Return which value of a curve is the best: what decides says so itself, of the others losses and errors fall."""
    if name.removeprefix("val_") == recipe.metric:
        return min if recipe.direction == "min" else max
    return min if name.endswith(FALLING) else max


SWEEP_NOTES = (
    "test: mean accuracy on the test reviews over n seeds, and its SD; val.: the best on held-out reviews",
    f"difference from the first row: Welch's t over seeds, Holm's correction over rows, {ALPHA:.0%} a table",
    "gap: training accuracy at the end minus test accuracy, how far it overfits",
)
SWEEP_TIMED = (
    f"step, predict: seconds of a training step and of a prediction of {PREDICT_REVIEWS} reviews over the first row's, "
    f"in turns, {REPLICATES} processes of each; ~ where the 95% interval reaches 1"
)
ANSWERS = {"no difference seen": "~", "too few seeds": "?", "better": "better", "worse": "worse"}

SHOWN_IDS = 4
SHOWN_WORDS = 22


def curves(record: TrainedModelRecord, recipe: Recipe) -> Table:
    """Return the best point of each curve, its epoch, and where the curve ended."""
    rows = [
        (phase, name, values, _best(recipe, name))
        for phase, result in record.phases.items()
        for name, values in sorted(result.curves.items(), key=lambda item: _place(item[0]))
    ]
    columns = (
        Column("phase", "phase", value=lambda row: row[0], merge=True),
        Column("curve", "curve", value=lambda row: words.curve(row[1])),
        Column("best", "best", "figure", lambda row: row[3](row[2])),
        Column("epoch", "epoch", "count", lambda row: 1 + row[2].index(row[3](row[2]))),
        Column("last", "last", "figure", lambda row: row[2][-1]),
        _published(lambda row: published(recipe, row[0], row[1], len(row[2]))) if recipe.published else None,
    )
    caption = ", ".join(
        f"{name}: {len(result.epoch_s)} epochs in {significant(sum(result.epoch_s))} s"
        for name, result in record.phases.items()
    )
    notes = ["best: the highest accuracy, the lowest loss"]
    notes += ["published: the source's figure for the last epoch"] if recipe.published else []
    return table("curves", "Curves", caption, columns, rows, "; ".join(notes))


def _published(value: Callable[[Any], float | None]) -> Column:
    return Column("published", "published", "figure", value)


def _place(curve: str) -> int:
    """Return where a curve stands: accuracy and loss first, then what else a user's model reports."""
    return [*CURVES, curve].index(curve)


def tested(record: TrainedModelRecord, recipe: Recipe) -> Table:
    """Return the test's figures, the published ones beside them, and the confusion matrix."""
    last = list(record.phases)[-1]
    found, counts = record.phases[last].tested, _confusion(record.tested)
    rows = [
        *((name, figure(value), published(recipe, last, f"test_{name}", None)) for name, value in found.items()),
        *([("ROC AUC", figure(record.tested.roc_auc), None)] if record.tested else []),
        *((f"{name.replace('_', ' ')}s", f"{count:,}", None) for name, count in counts.items()),
    ]
    columns = (
        Column("test", "test", value=lambda row: row[0]),
        Column("measured", "measured", "right", lambda row: row[1]),
        _published(lambda row: row[2]) if recipe.published else None,
    )
    restored = "the weights of the epoch with the best validation accuracy were restored"
    caption = f"{sum(counts.values()):,} reviews" if counts else ""
    return table("test", "Test", caption, columns, rows, restored if recipe.phases[-1].restore_best else None)


def _confusion(found: TestMetrics | None) -> dict[str, int]:
    if found is None:
        return {}
    names = ("true_positive", "false_negative", "true_negative", "false_positive")
    return {name: getattr(found, name) for name in names}


def published(recipe: Recipe, phase: str, metric: str, epoch: int | None) -> float | None:
    """Return the published figure of ``metric`` at ``epoch``, or of the phase where None; None where there is none."""
    found = [one for one in recipe.published if (one.phase, one.metric) == (phase, metric)]
    values = [one.values[0] if epoch is None else one.at(epoch) for one in found]
    return next((value for value in values if value is not None), None)


def sweep(rows: Sequence[Row]) -> Table:
    """Return a row for each variation on one backend, the first being the base."""
    base = rows[0]
    timed = any(row.train or row.predict for row in rows)
    columns = (
        Column("variation", "variation", value=lambda row: label(row, base)),
        Column("mean", "test", "figure"),
        Column("deviation", "SD", "figure"),
        Column("seeds", "n", "count", lambda row: len(row.accuracies)),
        Column("difference", "diff.", "signed"),
        Column("answer", " ", "answer", lambda row: ANSWERS.get(row.answer)),
        Column("best", "val.", "figure", lambda row: statistics.fmean(row.best) if row.best else None),
        Column("gap", "gap", "right", lambda row: signed(row.gap, 3)),
        Column("train", "step", "right", lambda row: _times(row.train)) if timed else None,
        Column("predict", "predict", "right", lambda row: _times(row.predict)) if timed else None,
    )
    title = f"{base.recipe.name} and its variations"
    return table("sweep", title, f"on {base.backend}", columns, rows, *SWEEP_NOTES, SWEEP_TIMED if timed else None)


def _times(ratio: Estimate | None) -> str | None:
    """Return a ratio of seconds, and whether it can be told from one; the base over itself has no interval."""
    if ratio is None:
        return None
    return f"{ratio.value:.2f}x" + (" ~" if ratio.low <= 1 <= ratio.high and ratio.low < ratio.high else "")


def encodings(rows: Sequence[Encoded]) -> Table:
    """Return what each recipe's model is given of one review."""
    columns = (
        Column("recipe", "recipe"),
        Column("row", "row", value=lambda r: f"multi-hot {r.width:,}" if r.form == "multi_hot" else f"{r.width} ids"),
        Column("ids", "ids", value=lambda row: ids(row)),
        Column("words", "reads as", value=lambda row: shortened(row.words, SHOWN_WORDS)),
        Column("lost", "lost", "right", lambda row: f"{row.lost:.0%}"),
    )
    note = "lost: tokens that do not reach the model, cut off or unknown to its vocabulary"
    return table("encodings", "What each model is given", "", columns, rows, note)


def ids(row: Encoded) -> str:
    """Return the first ids, and how many more there are."""
    more = len(row.ids) - SHOWN_IDS
    return " ".join(map(str, row.ids[:SHOWN_IDS])) + (f" +{more}" if more > 0 else "")


def shortened(text: str, width: int) -> str:
    return textwrap.shorten(text, width, placeholder=" …")
