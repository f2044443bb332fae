"""The list of published runs, and the table of README.md: Markdown that is made, between marks, in written pages."""

from __future__ import annotations

from collections.abc import Sequence

from bench import COMMAND
from bench.analysis import history
from bench.analysis.rows import AccuracyRow, RunDocument, TimingRow, once
from bench.report.markdown import body, code, escaped, in_line, line, warnings
from bench.report.page import published
from bench.report.tables import words
from bench.report.tables.columns import MISSING, Column, Table, figure, significant, table

Key = tuple[str, str]  # a recipe and a target

# The LSTM's source publishes no other accuracy.
OF_TRAINING = "¹"


def index(every: Sequence[RunDocument], newer: dict[str, RunDocument], pictures: dict[str, dict[str, str]]) -> str:
    """Return the list of what is published, newest first; ``pictures``: of each folder, files by title."""
    if not every:
        return f"Nothing is published yet: `{COMMAND} publish RUN` publishes a finished run."
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
    marked = {
        f"; {OF_TRAINING} on the training reviews": any(map(_is_of_training, document.accuracy)),
        "; † its accuracy failed": any(row.excluded for row in document.timings),
    }
    links = (
        "In brackets: the published accuracy, and the share of the floor's speed in percent with half its 95% "
        f"interval{''.join(note for note, seen in marked.items() if seen)}. "
        "One review: by `predict_on_batch`, then by `compiled`. "
        f"Every table of this run, with every interval: [{page}]({page}). With charts: "
        "[results/index.html](results/index.html), one page that opens from disk. "
        f"Measured again by {code(words.reproduced_by(document))}."
    )
    parts = [warnings(document) if document.warnings else "", body(_readme(document)), escaped(measured), links]
    return "\n\n".join(part for part in parts if part)


def _readme(document: RunDocument) -> Table:
    """Return the table without a line that GitHub would have to break: headings have two lines, cells few words."""
    keys = [*dict.fromkeys((row.recipe, row.target) for row in document.timings)]
    trained = once(row.path for key in keys if (row := _deciding(document, key)))
    columns = (
        Column("recipe", "recipe", value=lambda key: key[0]),
        Column("target", "backend", value=lambda key: words.label(document, key[1])),
        Column(
            "accuracy",
            f"accuracy, by<br>{in_line(' or '.join(trained))}" if trained else "accuracy",
            value=lambda key: _accuracy(_deciding(document, key)),
        ),
        Column("fit", "`fit`<br>reviews/s", "right", lambda key: _speed(_of(document, key, "train", "fit"))),
        Column(
            "loop",
            "`compiled loop`<br>reviews/s",
            "right",
            lambda key: _speed(_of(document, key, "train", "compiled loop")),
        ),
        Column("one", "one review<br>ms", "right", lambda key: _latencies(document, key)),
    )
    return table("readme", "", "", columns, keys)


def _of(document: RunDocument, key: Key, phase: str, path: str) -> TimingRow | None:
    """Return a recipe's row on a target, of one review where it predicts."""
    rows = [row for row in document.timed(phase) if (row.recipe, row.target, row.path) == (*key, path)]
    return next((row for row in rows if phase == "train" or row.batch_size == 1), None)


def _deciding(document: RunDocument, key: Key) -> AccuracyRow | None:
    """Return the last figure of a recipe on a target that decides."""
    rows = [row for row in document.accuracy if (row.recipe, row.target) == key and row.decides]
    return rows[-1] if rows else None


def _accuracy(row: AccuracyRow | None) -> str:
    if row is None:
        return MISSING
    failed = "" if row.answer == "passed" else f", {row.answer}"
    mark = OF_TRAINING if _is_of_training(row) else ""
    return f"{figure(row.measured)} ({figure(row.published)}{failed}){mark}"


def _is_of_training(row: AccuracyRow) -> bool:
    return row.decides and row.figure.startswith("training")


def _speed(row: TimingRow | None) -> str:
    """Return reviews a second and, in brackets, the share of the floor's speed in percent with half its interval.

    The speed's own interval is in the run's tables: it follows the machine's hours, the share does not.
    """
    if row is None or row.reviews_per_s is None:
        return MISSING
    speed = significant(row.reviews_per_s) + "†" * row.excluded
    if row.floor_share is None or not row.has_floor:
        return speed
    return f"{speed} ({100 * row.floor_share:.0f} ±{_points(row.floor_share_low, row.floor_share_high)})"


def _points(low: float | None, high: float | None) -> str:
    """Return half an interval of a share in points of percent."""
    if low is None or high is None:
        return "?"
    return f"{max(1.0, 100 * (high - low) / 2):.0f}"


def _latencies(document: RunDocument, key: Key) -> str:
    """Return the median latency of one review, by `predict_on_batch` and by the compiled function."""
    rows = [_of(document, key, "predict", path) for path in ("predict_on_batch", "compiled")]
    return " → ".join(significant(1e3 * row.p50_s, 2) if row and row.p50_s else MISSING for row in rows)


def _run(document: RunDocument, newer: RunDocument | None) -> str:
    link = f"{published.folder(document)}/{published.stem(document)}"
    return line(
        (
            words.minute(document.started_at),
            escaped(document.profile),
            escaped(words.machine(document)),
            escaped(document.corpus),
            escaped(words.commit(document)),
            f"[Markdown]({link}.md), [CSV]({link}.csv)",
            _state(document, newer),
        )
    )


def _state(document: RunDocument, newer: RunDocument | None) -> str:
    """Return whether a run is the newest of its kind; one with doubts is not called that, but says them."""
    doubts = "; ".join(history.doubts(document))
    doubted = f"**do not rely on it**: {escaped(doubts)}" if doubts else ""
    kind = "verdicts" if document.is_comparison else "" if doubts else "newest"
    return " ".join(filter(None, [f"superseded by {words.minute(newer.started_at)}" if newer else kind, doubted]))
