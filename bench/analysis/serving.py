"""Serving: the rows of exported models, and which way to serve a recipe is the fastest, at what accuracy and cost."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass

from bench.analysis import accuracy
from bench.analysis.rows import BestPathRow, ExportRow, RunDocument, TimingRow, finite, once
from bench.plan import formats
from bench.records.schema import ExportedFormat, ExportsRecord
from models.recipes import Recipe


def rows(record: ExportsRecord, recipe: Recipe | None) -> Iterator[ExportRow]:
    """Yield the row of each format, then of those that the model does not have."""
    direction = recipe.direction if recipe else "max"
    for one in record.formats:
        yield _row(record, one, accuracy.exported(record, one, direction=direction))
    for name, reason in record.failed.items():
        yield ExportRow(
            recipe=record.recipe,
            target=record.target,
            metric=record.metric,
            format=name,
            answer="not supported",
            reason=reason,
        )


def _row(record: ExportsRecord, one: ExportedFormat, verdict: accuracy.Verdict) -> ExportRow:
    whole = [sum(parts) for parts in zip(one.import_s, one.load_s, one.first_prediction_s, strict=True)]
    return ExportRow(
        recipe=record.recipe,
        target=record.target,
        format=one.format,
        backend=one.backend,
        bytes=one.bytes,
        start_s=statistics.median(whole),
        start_s_low=min(whole),
        start_s_high=max(whole),
        import_s=statistics.median(one.import_s),
        load_s=statistics.median(one.load_s),
        first_prediction_s=statistics.median(one.first_prediction_s),
        metric=record.metric,
        expected=finite(record.figure),
        figure=finite(one.figure),
        prediction_difference=finite(one.prediction_difference),
        answer=verdict.answer,
        reason="" if verdict.answer == "passed" else f"{verdict.seen}, at most {verdict.limit}",
    )


@dataclass(frozen=True)
class Choice:
    """The fastest way to predict so many rows of a recipe, with what it takes.

    best    the path and its target, and how it compares with `predict` and with other targets
    timing  its seconds
    export  its format on disk and its start; None where that was not measured
    """

    best: BestPathRow
    timing: TimingRow
    export: ExportRow | None


def choices(document: RunDocument) -> list[Choice]:
    """Return the fastest way of each recipe that was exported, for the smallest and the largest batch."""
    exported = once(row.recipe for row in document.exports)
    found = [_choice(document, row) for row in document.best_paths if row.phase == "predict" and row.fastest]
    kept = [one for one in found if one is not None and one.best.recipe in exported]
    sizes = {one.best.batch_size for one in kept}
    ends = {min(sizes), max(sizes)} if sizes else set()
    return [one for one in kept if one.best.batch_size in ends]


def _choice(document: RunDocument, best: BestPathRow) -> Choice | None:
    timing = next((row for row in document.timed("predict") if _same(row, best)), None)
    return None if timing is None else Choice(best, timing, _export(document, best))


def _same(row: TimingRow, best: BestPathRow) -> bool:
    """Whether both are about one cell."""
    names = ("recipe", "path", "batch_size", "target")
    return all(getattr(row, name) == getattr(best, name) for name in names)


def _export(document: RunDocument, best: BestPathRow) -> ExportRow | None:
    """Return the format that ``best`` serves: that of its name, else Keras's own file on its backend."""
    backend = best.where.partition("-")[0]
    name = best.path if best.path in formats.NAMES else formats.KERAS.name
    mine = [row for row in document.exports if (row.recipe, row.format) == (best.recipe, name)]
    return next((row for row in mine if row.backend == backend), None)
