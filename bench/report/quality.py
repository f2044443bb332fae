"""The tables of whether the work is right: accuracy, parity, time to accuracy; they decide nothing."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType

from bench.analysis.accuracy import Verdict
from bench.analysis.stats import largest
from bench.analysis.summary import AccuracyTimeRow, Summary
from bench.records.schema import ServingRecord
from bench.report.numbers import MISSING, figure, milliseconds, signed, significant
from bench.report.table import Column, section
from bench.report.words import curve, label, over_seeds, verdict
from models.recipes import RECIPES


def accuracy(summary: Summary) -> RenderableType | None:
    """Return the accuracy table: published beside measured, with the verdict and the source."""
    rows = summary.accuracy
    if not rows:
        return None
    sources = {name: number for number, name in enumerate(dict.fromkeys(row.recipe.name for row in rows), start=1)}
    columns = [
        Column("recipe", lambda row: row.recipe.name, key=True),
        Column("backend", lambda row: label(summary, row.target), key=True),
        Column("metric", lambda row: _short(row.figure)),
        Column("publ.", lambda row: figure(row.published), number=True),
        Column("meas.", lambda row: figure(row.measured), number=True),
        Column("diff.", lambda row: signed(row.difference), number=True),
        Column("verdict", lambda row: verdict(row.answer) if row.decides else MISSING, number=True),
        Column("src", lambda row: f"[{sources[row.recipe.name]}]", number=True),
    ]
    caption = over_seeds([row.seeds for row in rows])
    notes = [f"[{number}] {RECIPES[name].source}" for name, number in sources.items()]
    notes += [f"{row.recipe.name} {row.target}: {row.reason}" for row in rows if row.answer != "passed"]
    by_path = len({row.path for row in rows}) > 1
    group = (lambda row: f"trained by {row.path}") if by_path else None
    return section("Accuracy", caption, columns, rows, notes, tight=True, group=group)


def parity(summary: Summary) -> RenderableType | None:
    """Return the table of equal work: the same predictions and losses from the same weights."""
    if not summary.parity:
        return None
    columns = [
        Column("recipe", lambda row: row[0].recipe),
        Column("backends", lambda row: " = ".join(label(summary, name) for name in row[0].targets)),
        Column("predictions", lambda row: f"{row[0].prediction_difference:.1e}", number=True),
        Column("losses", lambda row: f"{largest(row[0].loss_differences):.1e}", number=True),
        Column("verdict", lambda row: verdict(row[1].answer), number=True),
    ]
    first = summary.parity[0][0]
    caption = f"from equal weights, largest differences of {first.reviews:,} predictions and {first.steps} losses"
    return section("Equal work", caption, columns, summary.parity, [])


def peers(summary: Summary) -> RenderableType | None:
    """Return what models outside deep learning reach on the same encodings."""
    columns = [
        Column("recipe", lambda row: row.recipe, key=True),
        Column("model", lambda row: row.name),
        Column("test acc.", lambda row: figure(row.test_accuracy), number=True),
        Column("ROC AUC", lambda row: figure(row.roc_auc), number=True),
        Column("train s", lambda row: significant(row.train_s), number=True),
        *(_predicting(size) for size in sorted({size for row in summary.peers for size in row.predict_s})),
    ]
    notes = ["on which words a review has, without their order; ms: a prediction of so many reviews, already encoded"]
    title, caption = "Peers outside deep learning", "scikit-learn, same encodings"
    return section(title, caption, columns, summary.peers, notes, tight=True)


def serving(summary: Summary) -> RenderableType | None:
    """Return how far the scores of saved models lie apart on every backend that serves them, the worst of recipes."""
    if not summary.serving:
        return None
    pairs: dict[tuple[str, str], list[tuple[ServingRecord, Verdict]]] = {}
    for record, answer in summary.serving:
        pairs.setdefault((record.target, record.served_on), []).append((record, answer))
    columns = [
        Column("trained on", lambda pair: label(summary, pair[0]), key=True),
        Column("served on", lambda pair: pair[1]),
        Column("recipes", lambda pair: str(len(pairs[pair])), number=True),
        Column("predictions", lambda pair: f"{_furthest(pairs[pair]):.1e}", number=True),
        Column("verdict", lambda pair: verdict(_worst(pairs[pair])), number=True),
    ]
    reviews = summary.serving[0][0].reviews
    caption = f"largest differences from the trainer's own scores of {reviews} raw reviews"
    return section("Trained here, served there", caption, columns, list(pairs), [])


def time_to_accuracy(summary: Summary) -> RenderableType | None:
    """Return the table of time to accuracy: seconds of training, compilation included, until a curve reaches it."""
    rows = summary.time_to_accuracy
    columns = [
        Column("recipe", lambda row: row.recipe, key=True),
        Column("until", lambda row: f"{curve(row.metric)} {figure(row.accuracy)}", key=True),
        Column("path", lambda row: row.path, key=True, hoist=True),
        Column("backend", lambda row: label(summary, row.target) + ("†" if row.struck else "")),
        Column("seconds", lambda row: _reached(row), number=True),
    ]
    caption = over_seeds([row.seeds for row in rows])
    return section("Time to accuracy", caption, columns, rows, ["99 % of the best published accuracy"])


def _predicting(reviews: int) -> Column:
    return Column(f"{reviews} ms", lambda row: milliseconds(row.predict_s[reviews]), number=True)


def _furthest(rows: Sequence[tuple[ServingRecord, Verdict]]) -> float:
    return largest([record.prediction_difference for record, _ in rows])


def _worst(rows: Sequence[tuple[ServingRecord, Verdict]]) -> str:
    return next((found.answer for _, found in rows if found.answer != "passed"), "passed")


def _short(figure_name: str) -> str:
    """Return a figure's name as it fits a column."""
    short = figure_name.replace("validation", "val.").replace("training ", "").replace(", epoch", " ep")
    return short if short.startswith("test") else short.replace("accuracy", "acc.")


def _reached(row: AccuracyTimeRow) -> str:
    return significant(row.seconds) if row.seconds is not None else f">{row.epochs} epoch{'s' * (row.epochs > 1)}"
