"""The tables of how fast the work is: training, prediction, vectorization, startup, and the advice from them."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from bench.analysis.advice import Advice
from bench.analysis.summary import StartupRow, Summary
from bench.plan import paths
from bench.report.numbers import MISSING, milliseconds, significant, spread
from bench.report.table import Column, section
from bench.report.words import label, marks, recipe, replicates, share_of_floor, timing_notes


def training(summary: Summary) -> RenderableType | None:
    """Return the training table: throughput, step, share of the floor, first step."""
    columns = [
        Column("path", lambda row: row.cell.path, key=True),
        Column("batch", lambda row: str(row.cell.batch_size), key=True, number=True),
        Column("backend", lambda row: label(summary, row.cell.target) + marks(row)),
        Column("reviews/s", lambda row: significant(row.reviews_per_s.value), number=True),
        Column("ms/step", lambda row: milliseconds(row.seconds.value), number=True),
        Column("±", lambda row: spread(row.seconds), number=True),
        Column("floor", lambda row: share_of_floor(row), number=True),
        Column("first s", lambda row: significant(row.first_step_s), number=True),
    ]
    rows = summary.training
    notes = ["first: the first step, compilation included", *timing_notes(rows)]
    notes += _call_notes(summary) if rows else []
    return section("Training", replicates(rows), columns, rows, notes, group=recipe)


def prediction(summary: Summary) -> RenderableType | None:
    """Return the prediction table: percentiles of a call's latency."""
    rows = summary.prediction
    columns = [
        Column("reviews", lambda row: str(row.cell.batch_size), key=True, number=True),
        Column("path", lambda row: row.cell.path, key=True),
        Column("backend", lambda row: label(summary, row.cell.target) + marks(row)),
        Column("p50", lambda row: milliseconds(row.p50_s), number=True),
        Column("p90", lambda row: milliseconds(row.p90_s), number=True),
        Column("p95", lambda row: milliseconds(row.p95_s), number=True),
    ]
    if any(row.p99_s is not None for row in rows):
        columns.append(
            Column("p99", lambda row: MISSING if row.p99_s is None else milliseconds(row.p99_s), number=True)
        )
    columns += [
        Column("reviews/s", lambda row: significant(row.reviews_per_s), number=True),
        Column("floor", lambda row: share_of_floor(row), number=True),
    ]
    caption = f"latency of one call in ms, {min(row.calls for row in rows):,} calls or more each" if rows else ""
    return section("Prediction", caption, columns, rows, timing_notes(rows), group=recipe, tight=True)


def vectorization(summary: Summary) -> RenderableType | None:
    """Return the vectorization table."""
    columns = [
        Column("path", lambda row: row.cell.path, key=True),
        Column("backend", lambda row: label(summary, row.cell.target) + marks(row)),
        Column("reviews/s", lambda row: significant(row.reviews_per_s.value), number=True),
        Column("MB/s", lambda row: significant(row.megabytes_per_s.value), number=True),
        Column("±", lambda row: spread(row.seconds), number=True),
        Column("floor", lambda row: share_of_floor(row), number=True),
    ]
    rows = summary.vectorization
    caption = f"{rows[0].cell.batch_size:,} reviews a call; MB of raw text" if rows else ""
    return section("Vectorization", caption, columns, rows, timing_notes(rows), group=recipe)


def startup(summary: Summary) -> RenderableType | None:
    """Return the table of a fresh process: what a user waits for before the first result."""
    names = paths.names("startup")
    columns = [
        Column("recipe", lambda row: row.recipe, key=True),
        Column("backend", lambda row: label(summary, row.target)),
        *[Column(f"{name} s", _startup_cell(name), number=True) for name in names],
    ]
    return section("Startup", "a fresh process each", columns, summary.startup, [])


def advice(summary: Summary) -> RenderableType | None:
    """Return what the run itself recommends, one line each."""
    if not summary.advice:
        return None
    lines = [Text.assemble(("Advice", "bold"), (" — from this run's own ratios, on this machine", "dim"))]
    lines += [Text(_advice(summary, one)) for one in summary.advice]
    return Padding(Group(*lines), (1, 0, 0, 0), expand=False)


def _call_notes(summary: Summary) -> list[str]:
    calls = [row.call_s for row in summary.training if row.call_s is not None]
    return [f"fit: ms/step is its slope; calling it costs {1e3 * max(calls):.0f} ms at most beside"] if calls else []


def _startup_cell(name: str) -> Callable[[StartupRow], str]:
    return lambda row: significant(row.seconds[name].value) if name in row.seconds else MISSING


def _advice(summary: Summary, one: Advice) -> str:
    cell, times = one.cell, one.times
    what = "trains" if cell.phase == "train" else f"predicts {cell.batch_size} review{'s' * (cell.batch_size > 1)}"
    where = f"{cell.recipe} on {label(summary, cell.target)}"
    factor = f"{times.value:.1f} ({times.low:.1f} to {times.high:.1f})"
    return f"{where}: {cell.path!r} {what} {factor} times as fast as {one.usual!r}"
