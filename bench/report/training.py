"""The reports of one training and of a sweep over variations: in a terminal, and a sweep as Markdown with charts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import RenderableType
from rich.text import Text

from bench import COMMAND
from bench.analysis.rows import once
from bench.records import store
from bench.records.schema import ReferenceRecord, TrainedModelRecord
from bench.report import markdown, terminal
from bench.report.tables import training as tables
from bench.runner.training.sweep import Row
from models.recipes import Recipe


def render(record: TrainedModelRecord, recipe: Recipe, folder: Path | None) -> RenderableType:
    """Return everything that a reader of the source looks at after a training."""
    shown = (tables.curves(record, recipe), tables.tested(record, recipe))
    return terminal.group([Text(record.summary), *map(terminal.section, shown), Text(f"\n{_saved(record, folder)}")])


def render_sweep(found: Sequence[Row]) -> RenderableType:
    """Return a table for each backend."""
    if not found:
        return Text("nothing was trained yet")
    return terminal.group(terminal.section(tables.sweep(rows)) for rows in by_backend(found).values())


def sweep_page(
    found: Sequence[Row], records: Sequence[ReferenceRecord], *, title: str, command: str, picture: str
) -> str:
    """Return the page that is published: what was trained where, a table and a chart for each backend."""
    newest = max(records, key=lambda record: record.measured_at)
    versions = ", ".join(f"{name} {version}" for name, version in sorted(newest.versions.items()))
    where = f"{newest.corpus} reviews, {newest.machine}, {newest.measured_at[:10]}; {versions}."
    made = {backend: tables.sweep(rows) for backend, rows in by_backend(found).items()}
    lines = [f"# {markdown.escaped(title)}", markdown.escaped(where)]
    lines += [f"{markdown.code(command)} makes this page, and resumes where it stopped."]
    for backend, table in made.items():
        words = markdown.escaped(f"{title} on {backend}")
        lines += [f"## {markdown.escaped(backend)}", markdown.body(table), f"![{words}]({picture}-{backend}.svg)"]
    notes = next(iter(made.values())).notes
    return "\n\n".join([*lines, "\n".join(f"- {note}" for note in notes)]) + "\n"


def write_sweep(found: Sequence[Row], records: Sequence[ReferenceRecord], file: Path, command: str) -> list[Path]:
    """Write the page and a chart for each backend beside ``file``, and return them."""
    from bench.report.charts import picture, spread  # a second to import

    title = f"{found[0].recipe.name} and its variations"
    place = file.with_suffix(".md")
    text = sweep_page(found, records, title=title, command=command, picture=file.stem)
    store.write_atomically(place, text.encode())
    written = [place]
    for backend, rows in by_backend(found).items():
        chart = spread.chart(rows, title=f"{title} on {backend}", subtitle=f"{records[0].corpus} reviews")
        written += picture.write(chart, file.with_name(f"{file.stem}-{backend}"))
    return written


def by_backend(found: Sequence[Row]) -> dict[str, list[Row]]:
    """Return the rows of each backend, in their order."""
    backends = once(row.backend for row in found)
    return {backend: [row for row in found if row.backend == backend] for backend in backends}


def _saved(record: TrainedModelRecord, folder: Path | None) -> str:
    if folder is None:
        return f"{record.parameters:,} parameters; nothing was saved: --save DIR keeps the model and its curves"
    return f'{record.parameters:,} parameters, saved in {folder}: {COMMAND} score {folder} "your text" uses it'
