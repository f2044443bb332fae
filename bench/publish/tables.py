"""The tables of a published run: columns over values that are not yet words; Markdown, CSV and the page show them.

A value is text, a number or None; its column says how a reader wants it. A chart is drawn from the same rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bench.charts.step import PARTS
from bench.publish.rows import Published, TimedRow
from bench.report.numbers import MISSING, WIDEST, figure, share, signed, significant
from models.recipes import RECIPES

Kind = Literal["text", "count", "figure", "signed", "significant", "milliseconds", "percent", "spread", "exponent"]
Value = str | float | int | None


@dataclass(frozen=True)
class Column:
    """One column: its key for programs and charts, its heading, how its values are shown."""

    key: str
    heading: str
    kind: Kind
    of: Callable[[Any], Value]

    @property
    def number(self) -> bool:
        return self.kind != "text"


@dataclass(frozen=True)
class Table:
    """One table: ``notes`` stand below it."""

    key: str
    title: str
    caption: str
    columns: tuple[Column, ...]
    items: tuple[Any, ...]
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> list[list[Value]]:
        return [[column.of(item) for column in self.columns] for item in self.items]


def every(published: Published) -> list[Table]:
    """Return the tables that have rows, in the order in which a reader wants them."""
    found = [make(published) for make in _ORDER]
    return [table for table in found if table.items]


def words(kind: Kind, value: Value) -> str:
    """Return ``value`` as a reader sees it in a column of this kind."""
    if value is None:
        return MISSING
    return _SHOWN[kind](value) if not isinstance(value, str) else value


def sentence(phrase: str) -> str:
    """Return a caption or a note as a sentence of its own."""
    return f"{phrase[:1].upper()}{phrase[1:]}." if phrase else ""


def label(published: Published, target: str) -> str:
    """Return the target's name, without the device where all targets share it."""
    devices = {name.partition("@")[0].rpartition("-")[2] for name in published.devices}
    where, at, side = target.partition("@")
    short = where.removesuffix(f"-{next(iter(devices))}") if len(devices) == 1 else where
    return f"{short}{at}{side}"


def spread(value: float | None, low: float | None, high: float | None) -> float | None:
    """Return half the interval as a share of the value; None where it is not known."""
    return None if not value or low is None or high is None else (high - low) / 2 / value


def work(phase: str, batch_size: int) -> str:
    """Return a piece of work in words: "train", "predict 32 reviews"."""
    many = f"{batch_size} review{'s' * (batch_size != 1)}"
    return {"train": "train", "predict": f"predict {many}", "vectorize": f"vectorize {many}"}.get(phase, phase)


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


def course(rows: Sequence[dict[str, Any]]) -> Table:
    """Return the table of the history's chart: every published run of every cell."""
    columns = (
        _RECIPE,
        _field("operation", "operation"),
        _field("target", "backend"),
        _field("run", "run"),
        _field("commit", "commit"),
        _field("share", "floor", "percent"),
        Column("change", "change", "text", lambda row: "a new level begins" if row["changed"] else None),
    )
    return Table("course", "History", "each cell's share of its floor, run by run", columns, tuple(rows))


def _field(key: str, heading: str, kind: Kind = "text") -> Column:
    return Column(key, heading, kind, lambda item: item[key] if isinstance(item, dict) else getattr(item, key))


def _target(published: Published, heading: str = "backend", key: str = "target") -> Column:
    return Column(key, heading, "text", lambda row: getattr(row, key) and label(published, getattr(row, key)))


def _spread(heading: str, key: str) -> Column:
    ends = (key, f"{key}_low", f"{key}_high")
    return Column(f"{key}_spread", heading, "spread", lambda row: spread(*[getattr(row, end) for end in ends]))


def _marks(row: TimedRow) -> str:
    return " ".join([*["accuracy failed"] * row.struck, *["not steady"] * (not row.steady)])


_RECIPE = _field("recipe", "recipe")
_PATH = _field("path", "path")
_SHARES = (_field("share", "floor", "percent"), _spread("floor ±", "share"))
_MARKS = Column("marks", "remark", "text", _marks)
_SECONDS = (_spread("±", "seconds"),)

FLOOR_NOTE = "floor: share of the speed of the same work written by hand, from neighbouring blocks"
SPREAD_NOTE = "±: half the 95 % interval over fresh processes; not steady: repeat on a quieter machine"


def _best(published: Published) -> Table:
    columns = (
        _RECIPE,
        Column("work", "work", "text", lambda row: work(row.phase, row.batch_size)),
        _target(published),
        _PATH,
        _field("reviews_per_s", "reviews/s", "significant"),
        _field("times", "× the other's best", "significant"),
        Column("times_interval", "95 % interval", "text", lambda row: interval(row.times_low, row.times_high)),
        Column("answer", "told apart", "text", _answer),
        _field("over_usual", "× the usual path", "significant"),
        _field("usual", "usual path"),
    )
    notes = (
        "the fastest of what was measured; ratios are of neighbouring blocks in the same processes",
        "each interval stands for itself: of twenty, about one misses",
    )
    caption = "the fastest way to drive Keras for each piece of work"
    return Table("best", "Which backend, which path", caption, columns, tuple(published.best), notes)


def interval(low: float | None, high: float | None) -> str | None:
    """Return an interval's ends in words; None where one is not known."""
    return None if low is None or high is None else f"{significant(low)} to {significant(high)}"


def _answer(row: Any) -> Value:
    if row.times_low is None:
        return None
    return "yes" if row.times_low > 1 else "no"


def _accuracy(published: Published) -> Table:
    several = len({row.path for row in published.accuracy}) > 1
    columns = (
        _RECIPE,
        _target(published),
        *([_PATH] if several else []),
        _field("figure", "figure"),
        _field("published", "published", "figure"),
        _field("measured", "measured", "figure"),
        _field("difference", "difference", "signed"),
        Column("low", "passes from", "figure", lambda row: row.low if row.decides else None),
        Column("high", "to", "figure", lambda row: row.high if row.decides else None),
        Column("answer", "verdict", "text", lambda row: row.answer if row.decides else None),
        _field("seeds", "seeds", "count"),
    )
    sources = {row.recipe: RECIPES[row.recipe].source for row in published.accuracy if row.recipe in RECIPES}
    notes = tuple(f"{name}: {source}" for name, source in sources.items())
    return Table("accuracy", "Accuracy", "published beside measured", columns, tuple(published.accuracy), notes)


def _parity(published: Published) -> Table:
    columns = (
        _RECIPE,
        _field("targets", "targets"),
        _field("predictions", "predictions", "exponent"),
        _field("losses", "losses", "exponent"),
        _field("answer", "verdict"),
    )
    caption = "the largest differences of predictions and of first losses, from equal weights"
    return Table("parity", "Equal work", caption, columns, tuple(published.parity))


def _serving(published: Published) -> Table:
    columns = (
        _RECIPE,
        _target(published, "trained on"),
        _field("served_on", "served on"),
        _field("predictions", "predictions", "exponent"),
        _field("answer", "verdict"),
    )
    caption = "the largest differences from the trainer's own scores of raw reviews"
    return Table("serving", "Trained here, served there", caption, columns, tuple(published.serving))


def _peers(published: Published) -> Table:
    sizes = sorted({size for row in published.peers for size in row.predict_s})
    columns = (
        _RECIPE,
        _field("name", "model"),
        _field("test_accuracy", "test accuracy", "figure"),
        _field("roc_auc", "ROC AUC", "figure"),
        _field("train_s", "train s", "significant"),
        *(_predicting(size) for size in sizes),
    )
    caption = "scikit-learn on the same encodings: which words a review has, without their order"
    return Table("peers", "Peers outside deep learning", caption, columns, tuple(published.peers))


def _predicting(size: int) -> Column:
    heading = f"{size} review{'s' * (size > 1)}, ms"
    return Column(f"predict_{size}", heading, "milliseconds", lambda row: row.predict_s.get(size))


def _timings(published: Published, phase: str) -> tuple[TimedRow, ...]:
    return tuple(row for row in published.timed if row.phase == phase)


def _training(published: Published) -> Table:
    columns = (
        _RECIPE,
        _PATH,
        _field("batch_size", "batch", "count"),
        _target(published),
        _field("reviews_per_s", "reviews/s", "significant"),
        _field("seconds", "ms/step", "milliseconds"),
        *_SECONDS,
        *_SHARES,
        _field("first_step_s", "first step s", "significant"),
        _field("processes", "processes", "count"),
        _MARKS,
    )
    notes = (FLOOR_NOTE, SPREAD_NOTE, "first step: compilation included")
    return Table("training", "Training", "throughput by path", columns, _timings(published, "train"), notes)


def _step(published: Published) -> Table:
    columns = (
        _RECIPE,
        _field("target", "backend"),
        _field("part", "part of a step"),
        _field("share", "share", "percent"),
        Column("ms", "ms", "significant", lambda row: row["milliseconds"]),
    )
    notes = ("from shares of the floor; a part that noise would make negative counts as nothing",)
    title = "Where a step's time goes"
    return Table("step", title, "one training step by `fit`", columns, tuple(parts(published)), notes)


def _reached(published: Published) -> Table:
    columns = (
        _RECIPE,
        _target(published),
        _PATH,
        Column("metric", "until", "text", lambda row: row.metric.replace("val_", "validation ")),
        _field("accuracy", "reaches", "figure"),
        _field("seconds", "seconds", "significant"),
        Column("epochs", "epochs trained", "count", lambda row: row.epochs),
        _field("seeds", "seeds", "count"),
    )
    caption = "seconds of training, compilation included, until 99 % of the best published accuracy"
    notes = (f"{MISSING}: not reached in the epochs that were trained",)
    return Table("reached", "Time to accuracy", caption, columns, tuple(published.reached), notes)


def _prediction(published: Published) -> Table:
    p99 = any(row.p99_s is not None for row in published.timed)
    columns = (
        _RECIPE,
        _field("batch_size", "reviews", "count"),
        _PATH,
        _target(published),
        _field("p50_s", "p50 ms", "milliseconds"),
        _field("p90_s", "p90 ms", "milliseconds"),
        _field("p95_s", "p95 ms", "milliseconds"),
        *([_field("p99_s", "p99 ms", "milliseconds")] if p99 else []),
        *_SECONDS,
        _field("reviews_per_s", "reviews/s", "significant"),
        *_SHARES,
        _field("calls", "calls", "count"),
        _field("processes", "processes", "count"),
        _MARKS,
    )
    return Table(
        "prediction",
        "Prediction",
        "latency of one call",
        columns,
        _timings(published, "predict"),
        (FLOOR_NOTE, SPREAD_NOTE),
    )


def _vectorization(published: Published) -> Table:
    columns = (
        _RECIPE,
        _PATH,
        _target(published),
        _field("reviews_per_s", "reviews/s", "significant"),
        _field("megabytes_per_s", "MB/s", "significant"),
        *_SECONDS,
        *_SHARES,
        _field("processes", "processes", "count"),
        _MARKS,
    )
    rows = _timings(published, "vectorize")
    notes = ("floor: filling the memory of the result, which reading text never comes near", SPREAD_NOTE)
    caption = f"{rows[0].batch_size:,} reviews a call; MB of raw text" if rows else ""
    return Table("vectorization", "Vectorization", caption, columns, rows, notes)


def _startup(published: Published) -> Table:
    columns = (_RECIPE, _target(published), _PATH, _field("seconds", "seconds", "significant"))
    return Table("startup", "Startup", "a fresh process each", columns, tuple(published.startup))


def _hardware(published: Published) -> Table:
    columns = (
        _RECIPE,
        Column("work", "work", "text", lambda row: work(row.phase, row.batch_size)),
        _PATH,
        _target(published),
        _field("gflops", "GFLOP/s", "significant"),
        _field("peak_gflops", "peak GFLOP/s", "significant"),
        Column("busy", "share", "percent", lambda row: row.gflops and row.peak_gflops and row.gflops / row.peak_gflops),
    )
    caption = "matrix products a second beside what a large one reaches here"
    return Table("hardware", "Hardware", caption, columns, tuple(published.hardware))


def _verdicts(published: Published) -> Table:
    columns = (
        _RECIPE,
        _field("operation", "operation"),
        _target(published, "target"),
        _field("ratio", "seconds × base", "significant"),
        Column("interval", "95 % interval", "text", lambda row: interval(row.low, row.high)),
        _field("smallest", "sees", "significant"),
        _field("answer", "answer"),
        Column("standing", "standing", "text", _standing),
        _field("reason", "reason"),
    )
    notes = ("sees: the smallest ratio that would have been called slower 9 times in 10",)
    caption = "seconds over those of the base, in turns; one answer for each cell"
    return Table("verdicts", "Verdicts", caption, columns, tuple(published.verdicts), notes)


def _standing(row: Any) -> Value:
    if row.control is not None:
        return f"control: {row.control}, {'held' if row.held else 'FAILED'}"
    return "decides" if row.decides else "beside"


def _counts(published: Published) -> Table:
    columns = (
        _field("cell", "cell"),
        _field("counter", "counter"),
        _field("before", "base", "count"),
        _field("after", "now", "count"),
    )
    return Table("counts", "Exact counters that differ", "", columns, tuple(published.counts))


def _failures(published: Published) -> Table:
    columns = (_RECIPE, _field("target", "target"), _field("work", "work"), _field("reason", "reason"))
    return Table("failures", "Not measured", "work that gave no answer", columns, tuple(published.failures))


_ORDER: Sequence[Callable[[Published], Table]] = (
    _failures,
    _best,
    _verdicts,
    _counts,
    _accuracy,
    _parity,
    _serving,
    _peers,
    _training,
    _step,
    _reached,
    _prediction,
    _vectorization,
    _startup,
    _hardware,
)


def _spread_words(value: Any) -> str:
    return f"±{share(value)}" if value <= WIDEST else f"±>{WIDEST:.0%}"


_SHOWN: dict[Kind, Callable[[Any], str]] = {
    "text": str,
    "count": lambda value: f"{value:,.0f}",
    "figure": figure,
    "signed": signed,
    "significant": significant,
    "milliseconds": lambda value: significant(1e3 * value),
    "percent": share,
    "spread": _spread_words,
    "exponent": lambda value: f"{value:.1e}",
}
