"""The documents of published runs: Markdown and CSV of each, the index of all, the table of the README."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence

from bench.report.numbers import MISSING, milliseconds, share, significant
from bench.report.page import overview, tables
from bench.report.page.rows import AccuracyRow, Published, TimedRow
from bench.report.page.table import Column, Table, label, sentence, spread, words
from bench.report.words import interference, listed

# What else stands in a line of a CSV file: a line that is cut out still says what it was measured on.
CSV_TABLES = (
    "timed",
    "accuracy",
    "parity",
    "serving",
    "peers",
    "reached",
    "startup",
    "hardware",
    "verdicts",
    "counts",
    "failures",
)
ABOUT = ("run", "machine", "date", "commit", "doubts", "versions", "corpus", "seeds", "command")


def page(published: Published, newer: Published | None) -> str:
    """Return every table of a run as one document; ``newer``: the run that supersedes it."""
    parts = [
        f"# {escaped(title(published))}",
        *([f"Superseded by [{escaped(title(newer))}]({newer.stem}.md)."] if newer else []),
        *([_doubts(published)] if published.doubts else []),
        "\n".join(f"- **{name}**: {escaped(value)}" for name, value in facts(published)),
        f"Measured again by {code(reproduced_by(published))}.",
        "\n".join(f"- {escaped(words)}" for words in overview.sentences(published)),
        *[_section(table) for table in tables.every(published)],
    ]
    return "\n\n".join(parts) + "\n"


def title(published: Published) -> str:
    """Return a run's name for people: when, what, and of which commit."""
    return f"{moment(published)}, {published.profile}, commit {commit(published)}"


def moment(published: Published) -> str:
    return _minute(published.started_at)


def _dates(published: Published) -> str:
    """Return when a run began and, where it was interrupted, when it was gone on with."""
    later = listed([_minute(one) for one in published.resumed_at])
    return moment(published) + (f", gone on with {later}" if later else "")


def _minute(moment: str) -> str:
    return moment[:16].replace("T", " ") + " UTC"


def commit(published: Published) -> str:
    if published.commit is None:
        return "unknown"
    return published.commit[:10] + (" with uncommitted changes" if published.dirty else "")


def reproduced_by(published: Published) -> str:
    """Return the one command that measures it again."""
    checkout = f"git checkout {published.commit[:10]} && " if published.commit else ""
    return f"{checkout}{published.command}"


def facts(published: Published) -> list[tuple[str, str]]:
    """Return what a published number needs, by name."""
    names = [name for name in dict.fromkeys(published.devices.values()) if name != "cpu"]
    devices = f"; devices: {', '.join(names)}" if names else ""
    processes = {row.processes for row in published.timed} or {published.replicates or 0}
    ends = sorted({min(processes), max(processes)})
    return [
        ("machine", published.machine.title + devices),
        ("date", _dates(published)),
        ("commit", commit(published)),
        ("versions", ", ".join(f"{name} {version}" for name, version in published.versions.items())),
        ("corpus", f"{published.corpus} ({published.corpus_digest[:12]})"),
        ("seeds", ", ".join(map(str, published.seeds)) or "none: nothing was trained to accuracy"),
        *([("interference", interference(published.stolen))] if published.stolen else []),
        ("order of turns", f"drawn from {published.order_seed}"),
        ("spread", f"95 % intervals over {' to '.join(map(str, ends))} fresh processes of each target"),
    ]


def comma_separated(published: Published) -> str:
    """Return every row of a run, its curves aside, with what it was measured on; a field that a row lacks is empty."""
    kept = {name: value for name in CSV_TABLES if (value := published.model_dump(mode="json")[name])}
    fields = list(dict.fromkeys(field for rows in kept.values() for row in rows for field in row))
    into = io.StringIO()
    writer = csv.writer(into, lineterminator="\n")
    writer.writerow(["table", *fields, *ABOUT])
    about = _about(published)
    for name, rows in kept.items():
        writer.writerows([[name, *(_plain(row.get(field)) for field in fields), *about] for row in rows])
    return into.getvalue()


def _plain(value: object) -> object:
    """Return a value for a CSV file; words that a spreadsheet would take for a formula begin with a quotation mark."""
    if isinstance(value, dict):
        return json.dumps(value)
    formula = isinstance(value, str) and value.startswith(("=", "+", "-", "@"))
    return f"'{value}" if formula else "" if value is None else value


def index(every: Sequence[Published], newer: dict[str, Published], pictures: dict[str, dict[str, str]]) -> str:
    """Return the list of what is published, newest first, as Markdown; ``pictures``: of each folder, files by title."""
    if not every:
        return "Nothing is published yet: `python -m bench publish RUN` publishes a finished run."
    lines = ["| measured | profile | machine | corpus | commit | tables | state |", "| --- " * 7 + "|"]
    lines += [_line(one, newer.get(one.run_id)) for one in every]
    lines += ["", "Pictures of each machine's fullest run, as SVG with a PNG beside:", ""] if pictures else []
    for folder, titles in pictures.items():
        links = ", ".join(f"[{title}]({folder}/{key}.svg)" for title, key in titles.items())
        lines.append(f"- {folder}: {links}")
    return "\n".join(lines)


def readme(published: Published) -> str:
    """Return the README's table: accuracy, then speed by the usual path and by the fastest, a row for each target."""
    heads = (
        *("recipe", "backend", "accuracy: published", "measured", "`fit`, reviews/s", "of its floor"),
        *("`compiled loop`, reviews/s", "of its floor", "one review by `predict_on_batch`", "by `compiled`"),
    )
    lines = [_piped(heads), "| --- | --- " + "| ---: " * (len(heads) - 2) + "|"]
    keys = dict.fromkeys((row.recipe, row.target) for row in published.timed)
    lines += [_piped(_speeds(published, recipe, target)) for recipe, target in keys]
    told = dict(facts(published))
    tables_at = f"results/{published.folder}/{published.stem}.md"
    measured = (
        f"Measured on {told['date']} at commit {told['commit']}: {told['machine']}; {told['versions']}; "
        f"corpus {told['corpus']}; seeds {told['seeds']}; {told['spread']}"
        + (f"; {told['interference']}." if "interference" in told else ".")
    )
    links = (
        f"Every table of this run: [{tables_at}]({tables_at}). With charts: [results/index.html](results/index.html), "
        f"one page that opens from disk. Measured again by {code(reproduced_by(published))}."
    )
    return "\n".join(
        [*([_doubts(published), ""] if published.doubts else []), *lines, "", escaped(measured), "", links]
    )


def escaped(words: str) -> str:
    """Return ``words`` so that Markdown shows them as they are, with no link and no element."""
    for mark in "\\`*[]|":
        words = words.replace(mark, f"\\{mark}")
    return " ".join(words.replace("&", "&amp;").replace("<", "&lt;").split())


def code(words: str) -> str:
    """Return ``words`` as a span of code that nothing in them ends."""
    return f"`{' '.join(words.replace('`', chr(39)).split())}`"


def _doubts(published: Published) -> str:
    words = "; ".join(published.doubts)
    return f"**Published all the same, do not rely on it**: {escaped(words)}."


def _section(table: Table) -> str:
    lines = [_piped([column.heading for column in table.columns])]
    lines.append("| " + " | ".join("---:" if column.number else "---" for column in table.columns) + " |")
    lines += [_piped([_cell(column, item) for column in table.columns]) for item in table.items]
    notes = "".join(f"\n\n{sentence(note)}" for note in table.notes)
    return f"## {table.title}\n\n{sentence(table.caption)}\n\n" + "\n".join(lines) + notes


def _cell(column: Column, item: object) -> str:
    return escaped(words(column.kind, column.of(item)))


def _piped(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _about(published: Published) -> list[str]:
    return [
        published.run_id,
        published.machine.title,
        published.started_at,
        published.commit or "",
        "; ".join(published.doubts),
        " ".join(f"{name}=={version}" for name, version in published.versions.items()),
        f"{published.corpus} {published.corpus_digest[:12]}",
        " ".join(map(str, published.seeds)),
        reproduced_by(published),
    ]


def _line(published: Published, newer: Published | None) -> str:
    link = f"{published.folder}/{published.stem}"
    state = f"superseded by {moment(newer)}" if newer else "verdicts" if published.is_comparison else "newest"
    doubts = f" **do not rely on it**: {escaped('; '.join(published.doubts))}" if published.doubts else ""
    cells = (
        moment(published),
        escaped(published.profile),
        escaped(f"{published.machine.cpu}, {published.machine.processors} processors"),
        escaped(published.corpus),
        escaped(commit(published)),
        f"[Markdown]({link}.md), [CSV]({link}.csv)",
        state + doubts,
    )
    return _piped(cells)


def _speeds(published: Published, recipe: str, target: str) -> list[str]:
    judged = [row for row in published.accuracy if (row.recipe, row.target) == (recipe, target) and row.decides]
    mine = {
        (row.phase, row.path): row
        for row in published.timed
        if (row.recipe, row.target) == (recipe, target) and (row.phase == "train" or row.batch_size == 1)
    }
    cells = [recipe, label(published, target), *_judged(judged)]
    for path in ("fit", "compiled loop"):
        cells += _speed(mine.get(("train", path)))
    calls = [mine.get(("predict", path)) for path in ("predict_on_batch", "compiled")]
    cells += [f"{milliseconds(row.p50_s)} ms" if row and row.p50_s else MISSING for row in calls]
    return [escaped(cell) for cell in cells]


def _judged(rows: Sequence[AccuracyRow]) -> list[str]:
    if not rows:
        return [MISSING, MISSING]
    last = rows[-1]
    failed = [row for row in rows if row.answer != "passed"]
    measured = words("figure", last.measured) + (f" ({failed[0].answer})" if failed else "")
    return [f"{words('figure', last.published)} ({last.figure})", measured]


def _speed(row: TimedRow | None) -> list[str]:
    if row is None or row.reviews_per_s is None:
        return [MISSING, MISSING]
    speed = f"{significant(row.reviews_per_s)} {_wide(row.seconds, row.seconds_low, row.seconds_high)}"
    part = MISSING if row.share is None else f"{share(row.share)} {_wide(row.share, row.share_low, row.share_high)}"
    return [speed + ("†" if row.struck else ""), part]


def _wide(value: float | None, low: float | None, high: float | None) -> str:
    """Return half of a value's interval in words."""
    half = spread(value, low, high)
    return "±?" if half is None else words("spread", half)
