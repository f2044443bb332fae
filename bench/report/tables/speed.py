"""Tables of how fast the work is: best paths, training, prediction, vectorization, startup, parts of a step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bench.analysis import best_path
from bench.analysis.rows import BestPathRow, Row, RunDocument, TimingRow, once
from bench.plan import paths
from bench.plan.steps import FASTEST
from bench.report.tables import words
from bench.report.tables.columns import SPREAD, Column, Table, interval_column, spread_column, table
from bench.report.tables.quality import RECIPE, target

FLOOR = "floor: share of the speed of the same work written by hand, from neighbouring blocks"
LOOP = FASTEST["train"]
NO_FLOOR = "none is written, so it is the share of the speed of the recipe's fastest path here on the same backend"
FIRST_STEP = "first: the first step, compilation included"
EXCLUDED = "† its accuracy failed: this timing belongs to other work and counts in no comparison"
UNSTEADY = "* not steady when warm-up ended: repeat on a quieter machine, or with --profile full"

PATH = Column("path", "path", merge=True)
SECONDS_SPREAD = spread_column("±", "seconds", SPREAD)
FLOOR_SPREAD = spread_column("floor ±", "floor_share", wide=True)
PROCESSES = Column("processes", "processes", "count", wide=True)


def floor_share(rows: Sequence[TimingRow]) -> Column:
    """Return the column of the share of the floor's speed; its note says of which recipes it is another share."""
    shown = [row for row in rows if row.floor_share is not None]
    without = once(row.recipe for row in shown if not row.has_floor)
    notes = [FLOOR] if len(without) < len(once(row.recipe for row in shown)) or not shown else []
    notes += [f"floor of {', '.join(without)}: {NO_FLOOR}"] if without else []
    return Column("floor_share", "floor", "percent", note="; ".join(notes))


def _rate(document: RunDocument) -> Column:
    return Column("reviews_per_s", f"{words.rows(document)}/s", "significant")


def training(document: RunDocument) -> Table:
    """Return the throughput of training steps by path."""
    rows = document.timed("train")
    columns = (
        PATH,
        Column("batch_size", "batch", "count", merge=True),
        _marked_target(document),
        _rate(document),
        Column("seconds", "step", "milliseconds", unit="ms", short="ms/step"),
        SECONDS_SPREAD,
        floor_share(rows),
        FLOOR_SPREAD,
        Column("first_step_s", "first step", "significant", unit="s", note=FIRST_STEP, short="first s"),
        PROCESSES,
    )
    waits = words.FIT_WAITS if document.waits_in_fit else None
    notes = (*_timing_notes(rows), _loop_note(document), _call_note(rows), waits)
    return table("training", "Training", _processes(rows), columns, rows, *notes, group=RECIPE)


def prediction(document: RunDocument) -> Table:
    """Return the latency of one call by path."""
    rows = document.timed("predict")
    p99 = any(row.p99_s is not None for row in rows)
    columns = (
        Column("batch_size", words.rows(document), "count", merge=True),
        PATH,
        _marked_target(document),
        *[_percentile(rank, wide=p99 and rank == 90) for rank in (50, 90, 95, *([99] if p99 else []))],
        _rate(document),
        replace(SECONDS_SPREAD, wide=True),
        floor_share(rows),
        FLOOR_SPREAD,
        Column("calls", "calls", "count", wide=True),
        PROCESSES,
    )
    caption = f"latency of one call in ms, {min(row.calls or 0 for row in rows):,} calls or more each" if rows else ""
    return table("prediction", "Prediction", caption, columns, rows, *_timing_notes(rows), group=RECIPE)


def _percentile(rank: int, *, wide: bool) -> Column:
    return Column(f"p{rank}_s", f"p{rank}", "milliseconds", unit="ms", short=f"p{rank}", wide=wide)


def vectorization(document: RunDocument) -> Table:
    """Return the throughput of turning reviews into a recipe's input, by path."""
    rows = document.timed("vectorize")
    columns = (
        PATH,
        _marked_target(document),
        Column("reviews_per_s", "reviews/s", "significant"),
        Column("megabytes_per_s", "MB/s", "significant"),
        SECONDS_SPREAD,
        floor_share(rows),
        FLOOR_SPREAD,
        PROCESSES,
    )
    notes = (*_timing_notes(rows), _least_work(rows) if rows else None)
    caption = f"{rows[0].batch_size:,} reviews a call; MB of raw text" if rows else ""
    return table("vectorization", "Vectorization", caption, columns, rows, *notes, group=RECIPE)


def _least_work(rows: Sequence[TimingRow]) -> str:
    """Return what the floor of vectorization does; documents of older versions know one floor, for text and ids."""
    if any(row.path == paths.FLOOR for row in rows):
        return "its floor is filling the memory of the result, which reading text never comes near"
    return "its floor: from text, one pass over the bytes and the memory of the result; from ids, the ids copied there"


def startup(document: RunDocument) -> Table:
    """Return what a user of a fresh process waits for."""
    names = ("import_s", "build_s", "first_step_s", "first_prediction_s", "load_s")
    seconds = [Column(name, name.removesuffix("_s").replace("_", " "), "significant", unit="s") for name in names]
    columns = (target(document), *seconds)
    return table("startup", "Startup", "a fresh process each", columns, document.startup, group=RECIPE)


def best_paths(document: RunDocument) -> Table:
    """Return the fastest path for each piece of work, and by how much."""
    columns = (
        RECIPE,
        Column("work", "work", value=lambda row: words.work(document, row.phase, row.batch_size)),
        target(document),
        Column("path", "path"),
        _rate(document),
        Column("advantage", "× the other's best", "significant"),
        interval_column("advantage", "interval"),
        Column("told_apart", "told apart", value=_told_apart),
        Column("speedup", "× the usual path", "significant"),
        Column("usual", "usual path"),
    )
    notes = (
        "the fastest of what was measured",
        words.PAIRED,
        words.told_apart(document),
    )
    caption = "the fastest way to drive Keras for each piece of work"
    rows = [row for row in document.best_paths if row.fastest]
    return table("best_paths", "Which backend, which path", caption, columns, rows, *notes)


def advice(document: RunDocument) -> Table:
    """Return where another path than the usual one is worth a change of code, from the run's own ratios."""
    columns = (
        target(document),
        Column("work", "work", value=lambda row: words.short_work(row.phase, row.batch_size)),
        Column("path", "use"),
        Column("usual", "instead of"),
        Column("speedup", "times as fast", "significant", short="×"),
        interval_column("speedup"),
    )
    rows = [row for row in document.best_paths if best_path.worthwhile(row)]
    caption = "how many times as fast another path is, by this run's own ratios"
    return table("advice", "Advice", caption, columns, rows, group=RECIPE)


def _told_apart(row: BestPathRow) -> str | None:
    return None if row.advantage_low is None else "yes" if row.told_apart else "no"


class StepPart(Row):
    """One part of a training step by `fit`, as a share of the step; ``start`` is where it begins."""

    recipe: str
    target: str
    part: str
    order: int
    share: float
    milliseconds: float
    start: float


# The parts of a training step by `fit`, from the innermost to the outermost.
STEP_PARTS = ("the arithmetic (floor)", "Keras's compiled program", "fit around it")


def step_parts(document: RunDocument) -> list[StepPart]:
    """Return where a training step by `fit` goes, a row for each recipe, target and part.

    From shares of the floor, which took turns, where there is one: the floor's own work, what Keras's compiled program
    adds to it, and what `fit` adds to that. A part below nothing, which noise can give, counts as nothing.
    """
    steps = {(row.recipe, row.target, row.path): row for row in document.timed("train") if row.has_floor}
    found = []
    for (recipe, where, path), row in steps.items():
        compiled = steps.get((recipe, where, LOOP))
        if path == "fit" and row.floor_share and row.seconds and compiled and compiled.floor_share:
            ends = _ends(row.floor_share, compiled.floor_share)
            label = words.label(document, where)
            found += [_part(recipe, label, number, ends, row.seconds) for number in range(len(STEP_PARTS))]
    return found


def _ends(fit_share: float, compiled_share: float) -> tuple[float, ...]:
    """Return where each part of a step begins, and where the last one ends."""
    floor, compiled = min(1.0, fit_share), min(1.0, fit_share / compiled_share)
    return 0.0, floor, max(floor, compiled), 1.0


def _part(recipe: str, where: str, number: int, ends: Sequence[float], seconds: float) -> StepPart:
    share = ends[number + 1] - ends[number]
    return StepPart(
        recipe=recipe,
        target=where,
        part=STEP_PARTS[number],
        order=number,
        share=share,
        milliseconds=1e3 * share * seconds,
        start=ends[number],
    )


def step(document: RunDocument) -> Table:
    """Return where the time of a step by `fit` goes."""
    columns = (
        RECIPE,
        Column("target", "backend", merge=True),
        Column("part", "part of a step"),
        Column("share", "share", "percent"),
        Column("milliseconds", "time", "significant", unit="ms"),
    )
    note = "from shares of the floor; a part that noise would make negative counts as nothing"
    title = "Where a step's time goes"
    return table("step", title, "one training step by `fit`", columns, step_parts(document), note)


def _marked_target(document: RunDocument) -> Column:
    return Column(
        "target", "backend", value=lambda row: words.label(document, row.target) + words.marks(row), hoist=True
    )


def _processes(rows: Sequence[TimingRow]) -> str:
    """Say what the intervals of ``rows`` cover."""
    fewest, most = (pick((row.processes for row in rows), default=0) for pick in (min, max))
    if fewest == 1:
        return "one process: ± covers its own noise only"
    return f"{words.between(fewest, most)} processes of each target, ± covers them"


def _timing_notes(rows: Sequence[Any]) -> list[str]:
    seen = "".join(words.marks(row) for row in rows)
    return [note for mark, note in (("†", EXCLUDED), ("*", UNSTEADY)) if mark in seen]


def _loop_note(document: RunDocument) -> str | None:
    """Say where the compiled loop is not the fastest way to train, though it ran."""
    looped = {(row.recipe, row.target) for row in document.timed("train") if row.path == LOOP}
    fastest = [row for row in document.best_paths if row.phase == "train" and row.path != LOOP]
    found = [
        f"{row.recipe} on {words.name(document, row.target)} ({row.path} is)"
        for row in fastest
        if (row.recipe, row.target) in looped
    ]
    return f"the {LOOP} is not the fastest for {', '.join(found)}" if found else None


def _call_note(rows: Sequence[TimingRow]) -> str | None:
    calls = [row.call_s for row in rows if row.call_s is not None]
    after = 1e3 * max((row.after_s or 0.0 for row in rows), default=0.0)
    end = f", and returned up to {after:,.0f} ms after its last step" if after > 1 else ""
    return f"fit: ms/step is its slope; each call costs up to {1e3 * max(calls):.0f} ms more{end}" if calls else None
