"""Tables of whether the work is right: accuracy, equal work, serving, classical baselines, time to accuracy."""

from __future__ import annotations

from bench.analysis.rows import AccuracyRow, BaselineRow, ExportRow, RunDocument, TimeToAccuracyRow, once
from bench.report.tables import words
from bench.report.tables.columns import Column, Table, figure, significant, table
from models.recipes import RECIPES

RECIPE = Column("recipe", "recipe", merge=True)
UNJUDGED = "nothing is published and no reference seeds are known, so it is shown for comparison and decides nothing"


def target(document: RunDocument, heading: str = "backend", key: str = "target", *, merge: bool = False) -> Column:
    """Return the column of the target named in ``key``."""
    return Column(key, heading, value=lambda row: words.label(document, getattr(row, key)), merge=merge, hoist=True)


def accuracy(document: RunDocument) -> Table:
    """Return published figures beside measured ones, with the band that passes."""
    rows = document.accuracy
    several = len({row.path for row in rows}) > 1
    by_path = Column("path", "path", value=lambda row: f"trained by {row.path}")
    columns = (
        RECIPE,
        target(document, merge=True),
        Column("figure", "metric", value=_figure),
        Column("published", "published", "figure", short="publ."),
        Column("measured", "measured", "figure", short="meas."),
        Column("difference", "difference", "signed", short="diff."),
        Column("low", "passes from", "figure", lambda row: row.low if row.decides else None, wide=True),
        Column("high", "to", "figure", lambda row: row.high if row.decides else None, wide=True),
        Column("answer", "verdict", "answer", lambda row: row.answer if row.decides else None),
        Column("seeds", "seeds", "count", wide=True),
    )
    sources = [f"{name}: {RECIPES[name].source}" for name in once(row.recipe for row in rows) if name in RECIPES]
    unjudged = words.unjudged(document)
    sources += [f"{', '.join(unjudged)}: {UNJUDGED}"] if unjudged else []
    reasons = [f"{row.recipe} {row.target}: {row.reason}" for row in rows if row.answer != "passed" and row.reason]
    caption = words.over_seeds([row.seeds for row in rows])
    group = by_path if several else None
    return table("accuracy", "Accuracy", caption, columns, rows, *sources, *reasons, group=group)


def _figure(row: AccuracyRow) -> str:
    """Return a figure's name as it fits a column."""
    short = row.figure.replace("validation", "val.").replace("training ", "").replace(", epoch", " ep")
    return short if short.startswith("test") else short.replace("accuracy", "acc.")


def parity(document: RunDocument) -> Table:
    """Return how far apart two targets are that start from equal weights."""
    columns = (
        RECIPE,
        Column("targets", "backends", value=lambda row: _backends(document, row.targets)),
        Column("predictions", "predictions", "exponent"),
        Column("losses", "losses", "exponent"),
        Column("answer", "verdict", "answer"),
    )
    caption = "from equal weights, largest differences of predictions and of first losses"
    known = [row for row in document.parity if row.reviews]
    if known:
        caption = f"from equal weights, largest differences of {known[0].reviews:,} predictions"
        steps = max(row.steps or 0 for row in known)  # a backend that only predicts has none
        caption += f" and {steps} losses" if steps else ""
    reasons = [f"{row.recipe}: {row.reason}" for row in document.parity if row.reason]
    return table("parity", "Equal work", caption, columns, document.parity, *reasons)


def _backends(document: RunDocument, targets: str) -> str:
    return " = ".join(words.label(document, name) for name in targets.split(" = "))


def serving(document: RunDocument) -> Table:
    """Return how far a saved model's scores are from its trainer's own, on every backend that serves it."""
    columns = (
        RECIPE,
        target(document, "trained on", merge=True),
        Column("served_on", "served on"),
        Column("predictions", "predictions", "exponent"),
        Column("answer", "verdict", "answer"),
    )
    many = next((f" of {row.reviews:,} raw reviews" for row in document.serving if row.reviews), " of raw reviews")
    caption = f"largest differences from the trainer's own scores{many}"
    return table("serving", "Cross-backend serving", caption, columns, document.serving)


START = (
    "start: a fresh process imports what runs the model, loads it and predicts one row, the median of three processes "
    "and their range"
)


def exports(document: RunDocument) -> Table:
    """Return the formats of each trained model: accuracy, size and start-up."""
    rows = document.exports
    metric = ", ".join(once(row.metric for row in rows))
    columns = (
        Column("format", "format", merge=True),
        Column("backend", "by", value=lambda row: words.TITLES.get(row.backend)),
        Column("figure", metric, "figure"),
        Column("prediction_difference", "difference", "exponent", short="differs"),
        Column("bytes", "size", "significant", lambda row: row.bytes and row.bytes / 1e6, unit="MB"),
        Column("start_s", "start", "right", lambda row: row.start_s, _start, unit="s", note=START),
        Column("import_s", "import", "significant", unit="s", wide=True),
        Column("load_s", "load", "significant", unit="s", wide=True),
        Column("first_prediction_s", "first prediction", "significant", unit="s", wide=True),
        Column("answer", "verdict", "answer"),
    )
    reasons = once(f"{row.format} of {row.recipe}: {row.reason}" for row in rows if row.reason)
    expected = once(
        f"{row.recipe} trained on {words.label(document, row.target)}: {row.metric} {figure(row.expected)} in Keras"
        for row in rows
        if row.expected is not None
    )
    caption = "a trained model in each format, against the model in Keras in float32"
    return table("exports", "Formats", caption, columns, rows, "; ".join(expected), *reasons, group=RECIPE)


def _start(row: ExportRow) -> str:
    ends = (
        ""
        if row.start_s_low is None or row.start_s_high is None
        else (f" ({significant(row.start_s_low, 2)}–{significant(row.start_s_high, 2)})")
    )
    return f"{significant(row.start_s or 0.0, 2)}{ends}"


def baselines(document: RunDocument) -> Table:
    """Return what scikit-learn's linear models reach on the same encodings."""
    sizes = sorted({size for row in document.baselines for size in row.predict_s})
    columns = (
        RECIPE,
        Column("name", "model"),
        Column("test_accuracy", "test accuracy", "figure", short="test acc."),
        Column("roc_auc", "ROC AUC", "figure"),
        Column("train_s", "train", "significant", unit="s"),
        *map(_predicting, sizes),
    )
    note = "ms: a prediction of so many reviews, already encoded as which words a review has, without their order"
    caption = "scikit-learn on the same encodings"
    return table("baselines", "Classical baselines", caption, columns, document.baselines, note)


MEASURED = "seconds of training, compilation included, until 99% of the best published accuracy"
COMPUTED = (
    "epochs until 99% of the best published accuracy, and their seconds by the steps timed below: the backends "
    "trained side by side, on a share of the processors each"
)


def _predicting(size: int) -> Column:
    def seconds(row: BaselineRow) -> float | None:
        return row.predict_s.get(size)

    return Column(f"predict_{size}", str(size), "milliseconds", seconds, unit="ms")


def time_to_accuracy(document: RunDocument) -> Table:
    """Return the seconds until 99 % of the best published accuracy."""
    rows = document.time_to_accuracy
    columns = (
        RECIPE,
        Column("until", "until", value=_until, merge=True),
        Column("path", "path", merge=True, hoist=True),
        Column("target", "backend", value=lambda row: words.label(document, row.target) + "†" * row.excluded),
        Column("reached_epoch", "epochs", "significant") if any(row.reached_epoch for row in rows) else None,
        Column("seconds", "seconds", "significant", lambda row: row.seconds or _unreached(row)),
        Column("seeds", "seeds", "count", wide=True),
    )
    computed = any(row.computed for row in rows)
    notes = (COMPUTED if computed else MEASURED,)
    caption = words.over_seeds([row.seeds for row in rows])
    return table("time_to_accuracy", "Time to accuracy", caption, columns, rows, *notes)


def _until(row: TimeToAccuracyRow) -> str:
    return f"{words.curve(row.metric)} {row.accuracy:.4f}"


def _unreached(row: TimeToAccuracyRow) -> str:
    return f">{row.epochs} epoch{'s' * (row.epochs > 1)}"
