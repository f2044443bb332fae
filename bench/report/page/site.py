"""The folder of published runs, and every file that follows from their documents.

All else is made from those documents, so that the same runs give the same bytes, and nothing that was published is
lost when a newer run comes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.analysis import history
from bench.analysis.rows import RunDocument
from bench.records import store
from bench.report import csv, markdown
from bench.report.charts import data, picture, theme
from bench.report.charts.data import Chart
from bench.report.charts.theme import Row
from bench.report.page import html, listing, published
from bench.report.tables import words
from datasets.errors import ExpectedError

# What a document between these lines says is made here; what stands around them is written by hand.
BEGIN, END = "<!-- published: made by `python -m bench publish` -->", "<!-- published: end -->"

INDEX, PAGE = "README.md", "index.html"
# Pixels of a PNG for each of the chart's: they are kept for ever, and the SVG beside is sharp at any size.
SCALE = 1.0

# What is kept of a run: a moment, a profile; other folders of results keep files of their own.
KEPT = "*/20??-??-??-??????-*.json"

# The charts that are drawn as pictures, and how many panels stand in a row.
PICTURED = {"throughput": 2, "step": 2, "latency": 3, "curves": 2}


def keep(document: RunDocument, folder: Path) -> bool:
    """Write what is kept of a run; return whether that changed anything."""
    file = _file(folder, document, "json")
    if file.exists() and (known := published.load(file)).run_id != document.run_id:
        raise ExpectedError(f"{file.name} holds another run, {known.run_id}: remove it, or publish to another --out")
    return _write(file, published.dump(document).encode())


def every(folder: Path) -> list[RunDocument]:
    """Return every published run, newest first."""
    found = [published.load(file) for file in sorted(folder.glob(KEPT))]
    return sorted(found, key=lambda one: (one.started_at, one.run_id), reverse=True)


def superseded(found: Sequence[RunDocument]) -> dict[str, RunDocument]:
    """Return the newest run that measured the same on the same machine, for each older one, by its id."""
    newest: dict[tuple[str, ...], RunDocument] = {}
    older = {}
    for one in found:
        key = (published.folder(one), one.machine.model_dump_json(exclude={"python"}), one.profile, one.corpus)
        if one.is_comparison:
            continue
        if key in newest:
            older[one.run_id] = newest[key]
        elif not one.warnings:
            newest[key] = one
    return older


def files(folder: Path, *, readme: Path | None = None) -> dict[Path, bytes]:
    """Return every file that follows from what is kept in ``folder``, pictures aside, with its content."""
    found = every(folder)
    newer = superseded(found)
    made: dict[Path, str] = {}
    for one in found:
        by = newer.get(one.run_id)
        made[_file(folder, one, "md")] = markdown.page(one, by, published.stem(by) if by else "")
        made[_file(folder, one, "csv")] = csv.render(one)
    pictures = {published.folder(one): {chart.title: chart.key for chart in _pictured(one)} for one in _fullest(found)}
    made[folder / PAGE] = html.render(found, newer, history.of_documents(found))
    made[folder / INDEX] = marked(folder / INDEX, listing.index(found, newer, pictures))
    best = main(found)
    if readme is not None and best is not None:
        made[readme] = marked(readme, listing.readme(best))
    return {file: text.encode() for file, text in made.items()}


def main(found: Sequence[RunDocument]) -> RunDocument | None:
    """Return the run of the README's table: the fullest of the real reviews that nothing speaks against."""
    runs = [one for one in found if one.corpus == "imdb" and one.profile in ("default", "full")]
    return next(iter(_fullest(runs)), None)


def write(folder: Path, *, readme: Path | None = None) -> list[Path]:
    """Write everything that follows from what is kept, each file whole or not at all; return what changed."""
    changed = [file for file, content in files(folder, readme=readme).items() if _write(file, content)]
    return changed + list(_pictures(folder))


def marked(file: Path, content: str) -> str:
    """Return the text of ``file`` with ``content`` between its marks, which are added at its end where it has none."""
    text = file.read_text(encoding="utf-8") if file.exists() else "# Results\n"
    before, begin, rest = text.partition(BEGIN)
    if not begin:
        return f"{text.rstrip()}\n\n{BEGIN}\n{content}\n{END}\n"
    _, end, after = rest.partition(END)
    if not end:
        raise ExpectedError(f"{file.name} has a line {BEGIN!r} and none {END!r}: put it where the made part ends")
    return f"{before}{BEGIN}\n{content}\n{END}{after}"


def _pictures(folder: Path) -> Iterator[Path]:
    """Draw the charts of each machine's fullest run, and yield what changed; few, since each is kept for ever."""
    for one in _fullest(every(folder)):
        for chart in _pictured(one):
            yield from _picture(folder / published.folder(one) / chart.key, one, chart)


def _fullest(found: Sequence[RunDocument]) -> list[RunDocument]:
    """Return one run of each machine, of those, newest first, that nothing speaks against: a picture cannot say what.

    It is the newest with complete schedules and five seeds, or the newest at all where none has them.
    """
    chosen: dict[str, RunDocument] = {}
    for one in sorted(found, key=lambda one: one.profile != "full"):  # stable: each kind stays newest first
        if not (one.is_comparison or one.warnings):
            chosen.setdefault(published.folder(one), one)
    return list(chosen.values())


def _pictured(one: RunDocument) -> list[Chart]:
    return [chart for chart in data.every(one, ()) if chart.key in PICTURED]


def _of_first_target(document: RunDocument, chart: Chart) -> list[tuple[str, list[Row]]]:
    """Return the panels of a picture: the curves of one backend stand for those of all, which are equal work."""
    if chart.key != "curves":
        return chart.panels
    first = words.label(document, next(iter(document.devices)))
    return [(title, rows) for title, rows in chart.panels if f" on {first}, " in title]


def _picture(stem: Path, document: RunDocument, chart: Chart) -> list[Path]:
    panels = [chart.draw(found, title) for title, found in _of_first_target(document, chart)]
    subtitle = f"{words.title(document)}; {words.machine(document)}"
    sheet = theme.sheet(panels, chart.title, subtitle, columns=PICTURED[chart.key])
    return [file for file, content in picture.draw(sheet, stem, scale=SCALE).items() if _write(file, content)]


def _file(folder: Path, document: RunDocument, ending: str) -> Path:
    return folder / published.folder(document) / f"{published.stem(document)}.{ending}"


def _write(file: Path, content: bytes) -> bool:
    """Write ``file`` where its content changes; return whether it did."""
    if file.exists() and file.read_bytes() == content:
        return False
    store.write_atomically(file, content)
    return True
