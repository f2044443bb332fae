"""The folder of published runs, and every file that follows from their documents.

All else is made from those documents, so that the same runs give the same bytes, and nothing that was published is
lost when a newer run comes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.analysis import history
from bench.analysis.rows import RunDocument
from bench.records import store
from bench.report import csv, markdown
from bench.report.charts import data, picture, theme
from bench.report.charts.data import Chart
from bench.report.page import html, listing, published
from bench.report.page.choice import fullest, main, newest_first, superseded
from bench.report.tables import words
from datasets.errors import ExpectedError

# What a document between these lines says is made here; what stands around them is written by hand.
BEGIN, END = "<!-- published: made by `python -m bench publish` -->", "<!-- published: end -->"

INDEX, PAGE = "README.md", "index.html"
# Pixels of a PNG for each of the chart's: they are kept for ever, and the SVG beside is sharp at any size.
SCALE = 1.0

# What is kept of a run: a moment, a profile; other folders of results keep files of their own.
KEPT = "*/????-??-??-??????-*.json"

# The charts that are drawn as pictures, and how many panels stand in a row.
PICTURED = {"answers": 2, "throughput": 2, "step": 2, "latency": 3, "curves": 2}


def publish(folder: Path, new: Sequence[RunDocument] = (), *, readme: Path | None = None) -> list[Path]:
    """Write ``new`` and all that follows from every document; return what changed.

    Everything is made before anything is written: where something cannot be made, nothing has changed.
    """
    found = newest_first(shelf(folder, new).values())
    documents = {file_of(folder, one, "json"): published.dump(one).encode() for one in new}
    made = {**documents, **files(folder, found, readme=readme), **pictures(folder, found)}
    return [file for file, content in made.items() if _write(file, content)]


def shelf(folder: Path, new: Sequence[RunDocument] = ()) -> dict[Path, RunDocument]:
    """Return the documents in ``folder`` and the ``new`` ones, by file; no file may hold two runs."""
    found: dict[Path, RunDocument] = {}
    for one in [*map(published.load, sorted(folder.glob(KEPT))), *new]:
        file = file_of(folder, one, "json")
        known = found.setdefault(file, one)
        if known.run_id != one.run_id:
            reason = f"{file.name} holds another run, {known.run_id}"
            raise ExpectedError(f"{reason}: remove it, or publish to another --out")
        found[file] = one
    return found


def every(folder: Path) -> list[RunDocument]:
    """Return every published run, newest first."""
    return newest_first(shelf(folder).values())


def files(folder: Path, found: Sequence[RunDocument], *, readme: Path | None = None) -> dict[Path, bytes]:
    """Return every file that follows from what was ``found``, newest first, pictures aside, with its content."""
    newer = superseded(found)
    made: dict[Path, str] = {}
    for one in found:
        by = newer.get(one.run_id)
        made[file_of(folder, one, "md")] = markdown.page(one, by, published.stem(by) if by else "")
        made[file_of(folder, one, "csv")] = csv.render(one)
    drawn = {published.folder(one): {chart.title: chart.key for chart in _pictured(one)} for one in fullest(found)}
    made[folder / PAGE] = html.render(found, newer, history.of_documents(found))
    made[folder / INDEX] = marked(folder / INDEX, listing.index(found, newer, drawn))
    best = main(found)
    if readme is not None and best is not None:
        made[readme] = marked(readme, listing.readme(best))
    return {file: text.encode() for file, text in made.items()}


def pictures(folder: Path, found: Sequence[RunDocument]) -> dict[Path, bytes]:
    """Return the charts of each machine's fullest run as files; few, since each is kept for ever."""
    made: dict[Path, bytes] = {}
    for one in fullest(found):
        for chart in _pictured(one):
            made |= _picture(folder / published.folder(one) / chart.key, one, chart)
    return made


def file_of(folder: Path, document: RunDocument, ending: str) -> Path:
    """Return the file of a run: in the folder of its machine, its name the moment it started and its profile."""
    return folder / published.folder(document) / f"{published.stem(document)}.{ending}"


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


def _pictured(one: RunDocument) -> list[Chart]:
    return [chart for chart in data.every(one, ()) if chart.key in PICTURED]


def _picture(stem: Path, document: RunDocument, chart: Chart) -> dict[Path, bytes]:
    panels = [chart.draw(found, title) for title, found in chart.panels]
    subtitle = f"{words.title(document)}; {words.machine(document)}"
    sheet = theme.sheet(panels, chart.title, subtitle, columns=PICTURED[chart.key])
    return picture.draw(sheet, stem, scale=SCALE)


def _write(file: Path, content: bytes) -> bool:
    """Write ``file`` where its content changes; return whether it did."""
    if file.exists() and file.read_bytes() == content:
        return False
    store.write_atomically(file, content)
    return True
