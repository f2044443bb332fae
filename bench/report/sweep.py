"""The report of a sweep, for a terminal and as Markdown: a row for each variation; it decides nothing."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Group, RenderableType
from rich.text import Text

from bench.analysis.stats import Estimate
from bench.plan.gate import PREDICT_REVIEWS
from bench.records import store
from bench.records.schema import ReferenceRecord
from bench.report.markdown import table
from bench.report.numbers import MISSING, figure, signed
from bench.report.table import Column, section
from bench.runner.training.sweep import ALPHA, Row, label
from bench.runner.training.sweep_timing import REPLICATES

NOTES = (
    "test: mean accuracy on the test reviews over n seeds, and its SD; val.: the best on held-out reviews",
    f"difference from the first row: Welch's t over seeds, Holm's correction over rows, {ALPHA:.0%} a table",
    "gap: training accuracy at the end minus test accuracy, how far it overfits",
)
TIMED = (
    f"step, predict: seconds of a training step and of a prediction of {PREDICT_REVIEWS} reviews over the first row's, "
    f"in turns, {REPLICATES} processes of each; ~ where the 95% interval reaches 1"
)
ANSWERS = {None: MISSING, "no difference seen": "~", "too few seeds": "?", "better": "better", "worse": "worse"}

Show = Callable[[Row], str]


def render(found: Sequence[Row]) -> RenderableType:
    """Return a table for each backend."""
    parts = [_section(backend, rows) for backend, rows in by_backend(found).items()]
    return Group(*[part for part in parts if part is not None]) if parts else Text("nothing was trained yet")


def page(found: Sequence[Row], records: Sequence[ReferenceRecord], *, title: str, command: str, picture: str) -> str:
    """Return the page that is published: what was trained where, a table and a chart for each backend."""
    newest = max(records, key=lambda record: record.measured_at)
    versions = ", ".join(f"{name} {version}" for name, version in sorted(newest.versions.items()))
    lines = [f"# {title}", f"{newest.corpus} reviews, {newest.machine}, {newest.measured_at[:10]}; {versions}."]
    lines += [f"`{command}` makes this page, and goes on where it stopped."]
    for backend, rows in by_backend(found).items():
        lines += [f"## {backend}", table(columns(rows), rows), f"![{title} on {backend}]({picture}-{backend}.svg)"]
    return "\n\n".join([*lines, "\n".join(f"- {note}" for note in notes(found))]) + "\n"


def write(found: Sequence[Row], records: Sequence[ReferenceRecord], file: Path, command: str) -> list[Path]:
    """Write the page and a chart for each backend beside ``file``, and return them."""
    from bench.report.charts import picture, spread  # a second to import

    title = f"{found[0].recipe.name} and its variations"
    place = file.with_suffix(".md")
    text = page(found, records, title=title, command=command, picture=file.stem)
    store.write_atomically(place, text.encode())
    written = [place]
    for backend, rows in by_backend(found).items():
        chart = spread.chart(rows, title=f"{title} on {backend}", subtitle=f"{records[0].corpus} reviews")
        written += picture.write(chart, file.with_name(f"{file.stem}-{backend}"))
    return written


def by_backend(found: Sequence[Row]) -> dict[str, list[Row]]:
    """Return the rows of each backend, in their order."""
    backends = dict.fromkeys(row.backend for row in found)
    return {backend: [row for row in found if row.backend == backend] for backend in backends}


def columns(rows: Sequence[Row]) -> list[tuple[str, Show]]:
    """Return the columns, the first row being the base."""
    base = rows[0]
    return [
        ("variation", lambda row: label(row, base)),
        ("test", lambda row: figure(row.mean)),
        ("SD", lambda row: figure(row.deviation)),
        ("n", lambda row: str(len(row.accuracies))),
        ("diff.", lambda row: signed(row.difference)),
        ("", lambda row: ANSWERS[row.answer]),
        ("val.", lambda row: figure(statistics.fmean(row.best)) if row.best else MISSING),
        ("gap", lambda row: signed(row.gap, 3)),
        *((("step", lambda row: times(row.train)), ("predict", lambda row: times(row.predict))) if timed(rows) else ()),
    ]


def timed(rows: Sequence[Row]) -> bool:
    """Return whether anything is known of their speed."""
    return any(row.train or row.predict for row in rows)


def notes(rows: Sequence[Row]) -> Sequence[str]:
    """Return what must be known to read the columns."""
    return (*NOTES, TIMED) if timed(rows) else NOTES


def times(ratio: Estimate | None) -> str:
    """Return a ratio of seconds, and whether it can be told from one; the base over itself has no interval."""
    if ratio is None:
        return MISSING
    return f"{ratio.value:.2f}x" + (" ~" if ratio.low <= 1 <= ratio.high and ratio.low < ratio.high else "")


def _section(backend: str, rows: Sequence[Row]) -> RenderableType | None:
    first, *others = columns(rows)
    shown = [Column(*first), *(Column(heading, show, number=True) for heading, show in others)]
    return section(f"{rows[0].recipe.name} and its variations", f"on {backend}", shown, rows, notes(rows), tight=True)
