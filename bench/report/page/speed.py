"""The tables of how fast a published run was: best paths, training, prediction, vectorization, startup, hardware."""

from __future__ import annotations

from typing import Any

from bench.report.charts.step import PARTS
from bench.report.page.rows import Published, TimedRow
from bench.report.page.table import (
    FLOOR_NOTE,
    MARKS,
    PATH,
    RECIPE,
    SECONDS,
    SHARES,
    SPREAD_NOTE,
    Column,
    Table,
    Value,
    field,
    interval,
    label,
    target_column,
    work,
)


def best(published: Published) -> Table:
    """Return the fastest path for each piece of work, and by how much."""
    columns = (
        RECIPE,
        Column("work", "work", "text", lambda row: work(row.phase, row.batch_size)),
        target_column(published),
        PATH,
        field("reviews_per_s", "reviews/s", "significant"),
        field("times", "× the other's best", "significant"),
        Column("times_interval", "95 % interval", "text", lambda row: interval(row.times_low, row.times_high)),
        Column("answer", "told apart", "text", _answer),
        field("over_usual", "× the usual path", "significant"),
        field("usual", "usual path"),
    )
    notes = (
        "the fastest of what was measured; ratios are of neighbouring blocks in the same processes",
        "each interval stands for itself: of twenty, about one misses",
    )
    caption = "the fastest way to drive Keras for each piece of work"
    return Table("best", "Which backend, which path", caption, columns, tuple(published.best), notes)


def training(published: Published) -> Table:
    """Return the throughput of training steps by path."""
    columns = (
        RECIPE,
        PATH,
        field("batch_size", "batch", "count"),
        target_column(published),
        field("reviews_per_s", "reviews/s", "significant"),
        field("seconds", "ms/step", "milliseconds"),
        *SECONDS,
        *SHARES,
        field("first_step_s", "first step s", "significant"),
        field("processes", "processes", "count"),
        MARKS,
    )
    notes = (FLOOR_NOTE, SPREAD_NOTE, "first step: compilation included")
    return Table("training", "Training", "throughput by path", columns, _timings(published, "train"), notes)


def step(published: Published) -> Table:
    """Return where the time of a step by `fit` goes."""
    columns = (
        RECIPE,
        field("target", "backend"),
        field("part", "part of a step"),
        field("share", "share", "percent"),
        Column("ms", "ms", "significant", lambda row: row["milliseconds"]),
    )
    notes = ("from shares of the floor; a part that noise would make negative counts as nothing",)
    title = "Where a step's time goes"
    return Table("step", title, "one training step by `fit`", columns, tuple(parts(published)), notes)


def parts(published: Published) -> list[dict[str, Any]]:
    """Return where a training step by `fit` goes, a row for each recipe, target and part, as shares of the step.

    From shares of the floor, which took turns: the floor's own work, what Keras's compiled program adds to it, and
    what `fit` adds to that. A part below nothing, which noise can give, counts as nothing.
    """
    steps = {(row.recipe, row.target, row.path): row for row in published.timed if row.phase == "train"}
    found: list[dict[str, Any]] = []
    for (recipe, target, path), row in steps.items():
        compiled = steps.get((recipe, target, "compiled loop"))
        if path != "fit" or not (row.share and row.seconds and compiled and compiled.share):
            continue
        floor, reached = min(1.0, row.share), min(1.0, row.share / compiled.share)
        ends = (0.0, floor, max(floor, reached), 1.0)
        for number, name in enumerate(PARTS):
            part = ends[number + 1] - ends[number]
            found.append(
                {"recipe": recipe, "target": label(published, target), "part": name, "order": number}
                | {"share": part, "milliseconds": 1e3 * part * row.seconds, "start": ends[number]}
            )
    return found


def prediction(published: Published) -> Table:
    """Return the latency of one call by path."""
    p99 = any(row.p99_s is not None for row in published.timed)
    columns = (
        RECIPE,
        field("batch_size", "reviews", "count"),
        PATH,
        target_column(published),
        field("p50_s", "p50 ms", "milliseconds"),
        field("p90_s", "p90 ms", "milliseconds"),
        field("p95_s", "p95 ms", "milliseconds"),
        *([field("p99_s", "p99 ms", "milliseconds")] if p99 else []),
        *SECONDS,
        field("reviews_per_s", "reviews/s", "significant"),
        *SHARES,
        field("calls", "calls", "count"),
        field("processes", "processes", "count"),
        MARKS,
    )
    return Table(
        "prediction",
        "Prediction",
        "latency of one call",
        columns,
        _timings(published, "predict"),
        (FLOOR_NOTE, SPREAD_NOTE),
    )


def vectorization(published: Published) -> Table:
    """Return the throughput of reading raw text by path."""
    columns = (
        RECIPE,
        PATH,
        target_column(published),
        field("reviews_per_s", "reviews/s", "significant"),
        field("megabytes_per_s", "MB/s", "significant"),
        *SECONDS,
        *SHARES,
        field("processes", "processes", "count"),
        MARKS,
    )
    rows = _timings(published, "vectorize")
    notes = ("floor: filling the memory of the result, which reading text never comes near", SPREAD_NOTE)
    caption = f"{rows[0].batch_size:,} reviews a call; MB of raw text" if rows else ""
    return Table("vectorization", "Vectorization", caption, columns, rows, notes)


def startup(published: Published) -> Table:
    """Return what a fresh process waits for."""
    columns = (RECIPE, target_column(published), PATH, field("seconds", "seconds", "significant"))
    return Table("startup", "Startup", "a fresh process each", columns, tuple(published.startup))


def hardware(published: Published) -> Table:
    """Return how far from busy the machine is."""
    columns = (
        RECIPE,
        Column("work", "work", "text", lambda row: work(row.phase, row.batch_size)),
        PATH,
        target_column(published),
        field("gflops", "GFLOP/s", "significant"),
        field("peak_gflops", "peak GFLOP/s", "significant"),
        Column("busy", "share", "percent", lambda row: row.gflops and row.peak_gflops and row.gflops / row.peak_gflops),
    )
    caption = "matrix products a second beside what a large one reaches here"
    return Table("hardware", "Hardware", caption, columns, tuple(published.hardware))


def _answer(row: Any) -> Value:
    if row.times_low is None:
        return None
    return "yes" if row.times_low > 1 else "no"


def _timings(published: Published, phase: str) -> tuple[TimedRow, ...]:
    return tuple(row for row in published.timed if row.phase == phase)
