"""The report of a training: the highest point of each curve, the test, the model; it decides nothing."""

from __future__ import annotations

from pathlib import Path

from rich.console import Group, RenderableType
from rich.text import Text

from bench.records.schema import TestMetrics, TrainedModelRecord
from bench.report.numbers import MISSING, figure, significant
from bench.report.table import Column, section
from bench.report.words import curve
from models.recipes import Recipe

# The curves in their order, and whether the best value is the largest one.
CURVES = {"accuracy": max, "val_accuracy": max, "loss": min, "val_loss": min}


def render(record: TrainedModelRecord, recipe: Recipe, folder: Path | None) -> RenderableType:
    """Return everything that a reader of the source looks at after a training."""
    parts = [Text(record.summary), curves(record, recipe), tested(record, recipe), Text(f"\n{_saved(record, folder)}")]
    return Group(*[part for part in parts if part is not None])


def curves(record: TrainedModelRecord, recipe: Recipe) -> RenderableType | None:
    """Return the best point of each curve, its epoch, and where the curve ended."""
    rows = [
        (phase, name, values, CURVES[name])
        for phase, result in record.phases.items()
        for name, values in sorted(result.curves.items(), key=lambda item: [*CURVES].index(item[0]))
    ]
    columns = [
        Column("phase", lambda row: row[0], key=True),
        Column("curve", lambda row: curve(row[1])),
        Column("best", lambda row: figure(row[3](row[2])), number=True),
        Column("epoch", lambda row: str(1 + row[2].index(row[3](row[2]))), number=True),
        Column("last", lambda row: figure(row[2][-1]), number=True),
        Column("published", lambda row: _published(recipe, row[0], row[1], len(row[2])), number=True),
    ]
    seconds = {name: sum(result.epoch_s) for name, result in record.phases.items()}
    caption = ", ".join(
        f"{name}: {len(record.phases[name].epoch_s)} epochs in {significant(total)} s"
        for name, total in seconds.items()
    )
    notes = ["best: the highest accuracy, the lowest loss; published: the source's figure for the last epoch"]
    return section("Curves", caption, columns, rows, notes)


def tested(record: TrainedModelRecord, recipe: Recipe) -> RenderableType | None:
    """Return the test's figures, the published beside them, and what was called what."""
    last = list(record.phases)[-1]
    rows = [
        ("accuracy", figure(record.tested.accuracy), _published(recipe, last, "test_accuracy", None)),
        ("loss", figure(record.tested.loss), _published(recipe, last, "test_loss", None)),
        ("ROC AUC", figure(record.tested.roc_auc), MISSING),
        *((name, count, MISSING) for name, count in _counts(record.tested)),
    ]
    columns = [
        Column("test", lambda row: row[0]),
        Column("measured", lambda row: row[1], number=True),
        Column("published", lambda row: row[2], number=True),
    ]
    restored = recipe.phases[-1].restore_best
    notes = ["the weights of the epoch with the best validation accuracy were restored"] if restored else []
    return section("Test", f"{_reviews(record.tested):,} reviews", columns, rows, notes)


def _counts(found: TestMetrics) -> list[tuple[str, str]]:
    return [
        ("positive, called so", f"{found.true_positive:,}"),
        ("positive, called negative", f"{found.false_negative:,}"),
        ("negative, called so", f"{found.true_negative:,}"),
        ("negative, called positive", f"{found.false_positive:,}"),
    ]


def _reviews(found: TestMetrics) -> int:
    return found.true_positive + found.false_positive + found.true_negative + found.false_negative


def _published(recipe: Recipe, phase: str, metric: str, epoch: int | None) -> str:
    found = [one for one in recipe.published if (one.phase, one.metric) == (phase, metric)]
    values = [one.values[0] if epoch is None else one.at(epoch) for one in found]
    return figure(next((value for value in values if value is not None), None))


def _saved(record: TrainedModelRecord, folder: Path | None) -> str:
    if folder is None:
        return f"{record.parameters:,} parameters; nothing was saved: --save DIR keeps the model and its curves"
    return f'{record.parameters:,} parameters, saved in {folder}: python -m bench score {folder} "your text" uses it'
