"""The shelf: the folder of published runs, and every file that follows from them; it measures nothing.

What is kept of a run is a JSON document. All else is made from those documents, so that the same runs give the same
bytes, and nothing that was published is lost when a newer run comes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.analysis import history, summary
from bench.records import store
from bench.records.store import Run
from bench.report.charts import picture, theme
from bench.report.charts.theme import Row
from bench.report.page import chart_data, documents, html, rows
from bench.report.page.rows import Published, PublishError
from bench.report.page.table import label

# What a document between these lines says is made here; what stands around them is written by hand.
BEGIN, END = "<!-- published: made by `python -m bench publish` -->", "<!-- published: end -->"

INDEX, PAGE = "README.md", "index.html"
# Pixels of a PNG for each of the chart's: they are kept for ever, and the SVG beside is sharp at any size.
SCALE = 1.0

# What is kept of a run: a moment, a profile; other folders of results keep files of their own.
KEPT = "*/20??-??-??-??????-*.json"

# The charts that are drawn as pictures, and how many panels stand in a row.
PICTURED = {"throughput": 2, "step": 2, "latency": 3, "curves": 2}


def keep(published: Published, folder: Path) -> bool:
    """Write what is kept of a run; return whether that changed anything."""
    file = folder / published.folder / f"{published.stem}.json"
    if file.exists() and (known := rows.load(file)).run_id != published.run_id:
        raise PublishError(f"{file.name} holds another run, {known.run_id}: remove it, or publish to another --out")
    return _write(file, rows.dump(published).encode())


def remember(run: Run, doubts: Sequence[str], folder: Path) -> None:
    """Add a run that nothing speaks against to the history of its folder; comparisons have no course."""
    found = summary.summarize(run)
    failed = any(verdict.answer == "failed" for verdict in found.verdicts)
    if not (run.is_comparison or doubts or failed):
        history.add(history.of_run(found), folder / history.FILE.name)


def every(folder: Path) -> list[Published]:
    """Return every published run, newest first."""
    found = [rows.load(file) for file in sorted(folder.glob(KEPT))]
    return sorted(found, key=lambda one: (one.started_at, one.run_id), reverse=True)


def superseded(found: Sequence[Published]) -> dict[str, Published]:
    """Return the newest run that measured the same on the same machine, for each older one, by its id."""
    newest: dict[tuple[str, ...], Published] = {}
    older = {}
    for one in found:
        key = (one.folder, one.machine.model_dump_json(exclude={"python"}), one.profile, one.corpus)
        if one.is_comparison:
            continue
        if key in newest:
            older[one.run_id] = newest[key]
        elif not one.doubts:
            newest[key] = one
    return older


def files(folder: Path, *, readme: Path | None = None) -> dict[Path, bytes]:
    """Return every file that follows from what is kept in ``folder``, pictures aside, with its content."""
    found = every(folder)
    newer, courses = superseded(found), history.courses(history.load(folder / history.FILE.name))
    made: dict[Path, str] = {}
    for one in found:
        stem = folder / one.folder / one.stem
        made[stem.with_name(f"{one.stem}.md")] = documents.page(one, newer.get(one.run_id))
        made[stem.with_name(f"{one.stem}.csv")] = documents.comma_separated(one)
    pictures = {one.folder: {chart.title: chart.key for chart in _pictured(one)} for one in _fullest(found)}
    made[folder / PAGE] = html.render(found, newer, courses)
    made[folder / INDEX] = marked(folder / INDEX, documents.index(found, newer, pictures))
    best = main(found)
    if readme is not None and best is not None:
        made[readme] = marked(readme, documents.readme(best))
    return {file: text.encode() for file, text in made.items()}


def main(found: Sequence[Published]) -> Published | None:
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
        raise PublishError(f"{file.name} has a line {BEGIN!r} and none {END!r}: put it where the made part ends")
    return f"{before}{BEGIN}\n{content}\n{END}{after}"


def _pictures(folder: Path) -> Iterator[Path]:
    """Draw the charts of each machine's fullest run, and yield what changed; few, since each is kept for ever."""
    for one in _fullest(every(folder)):
        for chart in _pictured(one):
            yield from _picture(folder / one.folder / chart.key, one, chart)


def _fullest(found: Sequence[Published]) -> list[Published]:
    """Return one run of each machine, of those, newest first, that nothing speaks against: a picture cannot say what.

    It is the newest with complete schedules and five seeds, or the newest at all where none has them.
    """
    chosen: dict[str, Published] = {}
    for one in sorted(found, key=lambda one: one.profile != "full"):  # stable: each kind stays newest first
        if not (one.is_comparison or one.doubts):
            chosen.setdefault(one.folder, one)
    return list(chosen.values())


def _pictured(one: Published) -> list[chart_data.Chart]:
    return [chart for chart in chart_data.every(one, ()) if chart.key in PICTURED]


def _of_first_target(published: Published, chart: chart_data.Chart) -> list[tuple[str, list[Row]]]:
    """Return the panels of a picture: the curves of one backend stand for those of all, which are equal work."""
    if chart.key != "curves":
        return chart.panels
    first = label(published, next(iter(published.devices)))
    return [(title, rows) for title, rows in chart.panels if f" on {first}, " in title]


def _picture(stem: Path, published: Published, chart: chart_data.Chart) -> list[Path]:
    panels = [chart.draw(found, title) for title, found in _of_first_target(published, chart)]
    subtitle = f"{documents.title(published)}; {published.machine.cpu}, {published.machine.processors} processors"
    sheet = theme.sheet(panels, chart.title, subtitle, columns=PICTURED[chart.key])
    return [file for file, content in picture.draw(sheet, stem, scale=SCALE).items() if _write(file, content)]


def _write(file: Path, content: bytes) -> bool:
    """Write ``file`` where its content changes; return whether it did."""
    if file.exists() and file.read_bytes() == content:
        return False
    store.write_atomically(file, content)
    return True
