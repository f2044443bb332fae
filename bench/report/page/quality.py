"""The tables of what a published run learned: accuracy, equal work, serving, peers, time to accuracy."""

from __future__ import annotations

from bench.report.numbers import MISSING
from bench.report.page.rows import Published
from bench.report.page.table import PATH, RECIPE, Column, Table, field, target_column
from models.recipes import RECIPES


def accuracy(published: Published) -> Table:
    """Return published figures beside measured ones, with the band that passes."""
    several = len({row.path for row in published.accuracy}) > 1
    columns = (
        RECIPE,
        target_column(published),
        *([PATH] if several else []),
        field("figure", "figure"),
        field("published", "published", "figure"),
        field("measured", "measured", "figure"),
        field("difference", "difference", "signed"),
        Column("low", "passes from", "figure", lambda row: row.low if row.decides else None),
        Column("high", "to", "figure", lambda row: row.high if row.decides else None),
        Column("answer", "verdict", "text", lambda row: row.answer if row.decides else None),
        field("seeds", "seeds", "count"),
    )
    sources = {row.recipe: RECIPES[row.recipe].source for row in published.accuracy if row.recipe in RECIPES}
    notes = tuple(f"{name}: {source}" for name, source in sources.items())
    return Table("accuracy", "Accuracy", "published beside measured", columns, tuple(published.accuracy), notes)


def parity(published: Published) -> Table:
    """Return how far apart two targets are that start from equal weights."""
    columns = (
        RECIPE,
        field("targets", "targets"),
        field("predictions", "predictions", "exponent"),
        field("losses", "losses", "exponent"),
        field("answer", "verdict"),
    )
    caption = "the largest differences of predictions and of first losses, from equal weights"
    return Table("parity", "Equal work", caption, columns, tuple(published.parity))


def serving(published: Published) -> Table:
    """Return how far a saved model's scores are from its trainer's, on every backend."""
    columns = (
        RECIPE,
        target_column(published, "trained on"),
        field("served_on", "served on"),
        field("predictions", "predictions", "exponent"),
        field("answer", "verdict"),
    )
    caption = "the largest differences from the trainer's own scores of raw reviews"
    return Table("serving", "Trained here, served there", caption, columns, tuple(published.serving))


def peers(published: Published) -> Table:
    """Return what scikit-learn's models reach on the same encodings."""
    sizes = sorted({size for row in published.peers for size in row.predict_s})
    columns = (
        RECIPE,
        field("name", "model"),
        field("test_accuracy", "test accuracy", "figure"),
        field("roc_auc", "ROC AUC", "figure"),
        field("train_s", "train s", "significant"),
        *(_predicting(size) for size in sizes),
    )
    caption = "scikit-learn on the same encodings: which words a review has, without their order"
    return Table("peers", "Peers outside deep learning", caption, columns, tuple(published.peers))


def reached(published: Published) -> Table:
    """Return the seconds until 99 % of the best published accuracy."""
    columns = (
        RECIPE,
        target_column(published),
        PATH,
        Column("metric", "until", "text", lambda row: row.metric.replace("val_", "validation ")),
        field("accuracy", "reaches", "figure"),
        field("seconds", "seconds", "significant"),
        Column("epochs", "epochs trained", "count", lambda row: row.epochs),
        field("seeds", "seeds", "count"),
    )
    caption = "seconds of training, compilation included, until 99 % of the best published accuracy"
    notes = (f"{MISSING}: not reached in the epochs that were trained",)
    return Table("reached", "Time to accuracy", caption, columns, tuple(published.reached), notes)


def _predicting(size: int) -> Column:
    heading = f"{size} review{'s' * (size > 1)}, ms"
    return Column(f"predict_{size}", heading, "milliseconds", lambda row: row.predict_s.get(size))
