"""The list of published runs, and the table of README.md: Markdown that is made, between marks, in written pages."""

from __future__ import annotations

from collections.abc import Sequence

from bench.analysis.rows import RunDocument, TimingRow, half_width
from bench.report.markdown import body, code, escaped, line, warnings
from bench.report.page import published
from bench.report.tables import words
from bench.report.tables.columns import MISSING, Column, Table, figure, milliseconds, share, significant, spread, table

Key = tuple[str, str]  # a recipe and a target


def index(every: Sequence[RunDocument], newer: dict[str, RunDocument], pictures: dict[str, dict[str, str]]) -> str:
    """Return the list of what is published, newest first; ``pictures``: of each folder, files by title."""
    if not every:
        return "Nothing is published yet: `python -m bench publish RUN` publishes a finished run."
    lines = [line(("measured", "profile", "machine", "corpus", "commit", "tables", "state")), line(["---"] * 7)]
    lines += [_run(one, newer.get(one.run_id)) for one in every]
    lines += ["", "Pictures of each machine's fullest run, as SVG with a PNG beside:", ""] if pictures else []
    for folder, titles in pictures.items():
        links = ", ".join(f"[{title}]({folder}/{key}.svg)" for title, key in titles.items())
        lines.append(f"- {escaped(folder)}: {links}")
    return "\n".join(lines)


def readme(document: RunDocument) -> str:
    """Return the README's table: accuracy, then speed by the usual path and by the fastest, a row for each target."""
    told = words.facts(document)
    page = f"results/{published.folder(document)}/{published.stem(document)}.md"
    disturbed = f"; {told['taken by others']}" if "taken by others" in told else ""
    measured = (
        f"Measured on {told['date']} at commit {told['commit']}: {told['machine']}; {told['versions']}; "
        f"corpus {told['corpus']}; seeds {told['seeds']}; {told['spread']}{disturbed}."
    )
    links = (
        "In brackets: the published accuracy, and the share of the floor's speed. One review: by `predict_on_batch`, "
        f"then by `compiled`. Every table of this run: [{page}]({page}). With charts: "
        "[results/index.html](results/index.html), one page that opens from disk. "
        f"Measured again by {code(words.reproduced_by(document))}."
    )
    parts = [warnings(document) if document.warnings else "", body(_readme(document)), escaped(measured), links]
    return "\n\n".join(part for part in parts if part)


def _readme(document: RunDocument) -> Table:
    columns = (
        Column("recipe", "recipe", value=lambda key: key[0]),
        Column("target", "backend", value=lambda key: words.label(document, key[1])),
        Column("accuracy", "accuracy (published)", value=lambda key: _accuracy(document, key)),
        Column("fit", "`fit`, reviews/s", "right", lambda key: _speed(_of(document, key, "train", "fit"))),
        Column("loop", "`compiled loop`", "right", lambda key: _speed(_of(document, key, "train", "compiled loop"))),
        Column("one", "one review, ms", "right", lambda key: _latencies(document, key)),
    )
    keys = list(dict.fromkeys((row.recipe, row.target) for row in document.timings))
    return table("readme", "", "", columns, keys)


def _of(document: RunDocument, key: Key, phase: str, path: str) -> TimingRow | None:
    """Return a recipe's row on a target, of one review where it predicts."""
    rows = [row for row in document.timed(phase) if (row.recipe, row.target, row.path) == (*key, path)]
    return next((row for row in rows if phase == "train" or row.batch_size == 1), None)


def _accuracy(document: RunDocument, key: Key) -> str:
    rows = [row for row in document.accuracy if (row.recipe, row.target) == key and row.decides]
    if not rows:
        return MISSING
    failed = next((f", {row.answer}" for row in rows if row.answer != "passed"), "")
    kind = ", training" * rows[-1].figure.startswith("training")
    return f"{figure(rows[-1].measured)} ({figure(rows[-1].published)}{kind}{failed})"


def _speed(row: TimingRow | None) -> str:
    """Return reviews a second with their spread and, in brackets, the share of the floor's speed with its own."""
    if row is None or row.reviews_per_s is None:
        return MISSING
    speed = f"{significant(row.reviews_per_s)} {_spread(row.seconds, row.seconds_low, row.seconds_high)}"
    mark = "†" if row.excluded else ""
    if row.floor_share is None:
        return speed + mark
    wide = _spread(row.floor_share, row.floor_share_low, row.floor_share_high)
    return f"{speed}{mark} ({share(row.floor_share)} {wide})"


def _latencies(document: RunDocument, key: Key) -> str:
    """Return the median latency of one review, by `predict_on_batch` and by the compiled function."""
    rows = [_of(document, key, "predict", path) for path in ("predict_on_batch", "compiled")]
    return " → ".join(milliseconds(row.p50_s) if row and row.p50_s else MISSING for row in rows)


def _spread(value: float | None, low: float | None, high: float | None) -> str:
    return spread(half_width(value, low, high))


def _run(document: RunDocument, newer: RunDocument | None) -> str:
    link = f"{published.folder(document)}/{published.stem(document)}"
    kind = "verdicts" if document.is_comparison else "newest"
    state = f"superseded by {words.minute(newer.started_at)}" if newer else kind
    warned = f" **do not rely on it**: {escaped('; '.join(document.warnings))}" if document.warnings else ""
    return line(
        (
            words.minute(document.started_at),
            escaped(document.profile),
            escaped(words.machine(document)),
            escaped(document.corpus),
            escaped(words.commit(document)),
            f"[Markdown]({link}.md), [CSV]({link}.csv)",
            state + warned,
        )
    )
