"""The terminal: tables in 80 columns and as plain text in a pipe, and the whole report of a run."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby
from typing import Any

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Table as RichTable
from rich.text import Text

from bench import COMMAND
from bench.analysis.rows import RunDocument
from bench.analysis.summary import Summary
from bench.records import store
from bench.report import overview, tables
from bench.report.tables import answers, hardware, precision, quality, speed, words
from bench.report.tables.columns import Column, Table, share
from datasets.plain_text import plain

# The colours of an answer, by its first word.
STYLES = {
    **dict.fromkeys(("passed", "faster", "same", "better", "held", "fewer"), "green"),
    **dict.fromkeys(("failed", "slower", "worse", "FAILED", "fails", "matters"), "bold red"),
    "unresolved": "yellow",
}
COLUMNS = 80  # of a terminal

# What the first screen names; `--all` has every version.
VERSIONS = ("keras", "jax", "tensorflow-cpu", "tensorflow")

ANSWERS = ("passed", "failed", "unresolved")


def render(summary: Summary, *, every: bool = False) -> RenderableType:
    """Return the answer of a run in few lines, or with ``every`` all of its tables."""
    return group(part(summary) for part in (PARTS if every else BRIEF))


def heading(summary: Summary) -> RenderableType:
    """Return what is common to every table: machine, date, commit, versions, corpus."""
    document, header = summary.document, summary.run.header
    lines = [
        f"kerasmark · profile {header.profile} · {header.started_at} · {words.measured_by(document)}",
        header.machine.title,
        ", ".join(f"{name} {version}" for name, version in document.versions.items() if name != "python"),
        f"corpus {words.corpus(document)}, targets {', '.join(summary.targets) or 'none'}",
    ]
    return announced(lines, document)


def answer(summary: Summary) -> RenderableType:
    """Return a run on one screen: what was measured where, whether it is right, which backend is faster."""
    document = summary.document
    known = [(name, document.versions.get(name)) for name in VERSIONS]
    lines = [
        f"kerasmark · {words.title(document)}",
        f"{words.machine(document)}{_taken(document)}",
        ", ".join(f"{name} {version}" for name, version in known if version),
    ]
    facts = [Text(said) for said in overview.accuracy(document)]
    served = [Text(said) for said in overview.serving(document)]
    return group([Text("\n".join(lines), style="dim"), banner(document), *facts, *(served or _faster(document))])


def _faster(document: RunDocument) -> list[RenderableType | None]:
    """Return which backend is faster, with the notes of that table, or the best paths where one was measured alone."""
    table = answers.brief(document)
    shown = _body(table, frame=None) if table.rows else section(speed.advice(document))
    return [shown, *(Text(note, style="dim") for note in table.notes)]


def doubts(summary: Summary) -> RenderableType | None:
    """Return what makes a reader doubt a run, a line each; what was not measured stands in `failures`."""
    return group(Text(f"Doubtful: {said}.", style="yellow") for said in overview.doubts(summary.document))


def onward(summary: Summary) -> RenderableType:
    """Return where the files are, and the command that is most worth running next."""
    run = summary.run
    what, command = _next(summary)
    return spaced(Text(f"Records: {run.folder}", style="dim"), Text.assemble(f"{what}: ", (command, "bold")))


def announced(lines: Iterable[str], document: RunDocument) -> RenderableType:
    """Return the lines of a heading, the second of which says when the run was resumed, if it was.

    What disturbed the run comes next, then a banner above synthetic reviews.
    """
    first, *others = lines
    resumed = [f"resumed at {', '.join(document.resumed_at)}"] if document.resumed_at else []
    text = Text("\n".join([first, *resumed, *others]), style="dim").append_text(disturbed(document))
    return group([text, banner(document)])


def banner(document: RunDocument) -> RenderableType | None:
    """Return the line that keeps synthetic reviews from being taken for the real ones."""
    return Text(words.SYNTHETIC, style="bold yellow") if document.corpus == "synthetic" else None


def _taken(document: RunDocument) -> str:
    """Return what others took of the processors' time, in few words."""
    shares = [share_ for share_ in (document.steal_share, document.outside_share) if share_ is not None]
    return f"; others took {share(sum(shares))} of their time" if shares else ""


def disturbed(document: RunDocument) -> Text:
    """Return what others took of the processors' time, in yellow where the hour was a busy one.

    Nothing where nothing was taken: nobody else is there, or the system does not count what they take.
    """
    taken = words.taken(document)
    return Text("\n" + taken, style="yellow" if words.busy(document) else "") if taken else Text()


def failures(summary: Summary) -> RenderableType | None:
    """Return what was not measured, each with its reason and log."""
    lines = []
    for (target, reason, log), found in groupby(summary.failures, key=lambda f: (f.target, f.reason, f.log)):
        missing = [f"{failure.recipe} {failure.work}" for failure in found]
        lines.append(Text(f"  {target}: {reason}; log: {summary.run.folder / log}"))
        lines.append(Text(f"    costs {len(missing)}: {', '.join(missing)}", style="dim"))
    lines += [Text(f"  {reason}") for reason in summary.incomplete]
    return spaced(Text("Not measured", style="bold red"), *lines) if lines else None


def left_out(summary: Summary) -> RenderableType | None:
    """Return one line on the cells that this run's profile leaves to the full one."""
    cells = summary.left_out
    return spaced(Text(f"Left to --profile full: {words.by_phase(cells)}.", style="dim")) if cells else None


def closing(summary: Summary) -> RenderableType:
    """Return the run in one line: how many verdicts passed."""
    counts = {answer: sum(v.answer == answer for v in summary.verdicts) for answer in ANSWERS}
    found = [Text(f"{number} {answer}", style=STYLES[answer]) for answer, number in counts.items() if number]
    return spaced(Text.assemble("Verdicts: ", Text(", ").join(found or [Text("none")])))


class PlainConsole(Console):
    """A console on which no word is a command: of markup, of emoji, or, as a control character, of the terminal."""

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Yield the segments of ``renderable``; only rich's own control segments hold control characters."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(plain(segment.text), segment.style)

    def on_broken_pipe(self) -> None:
        """End the program where nobody reads its results; a measurement continues without its progress."""
        if not self.stderr:
            super().on_broken_pipe()
        self.quiet = True

    def _check_buffer(self) -> None:
        try:
            super()._check_buffer()
        except OSError:
            if not self.stderr:
                raise
            self.quiet = True


def console(*, stderr: bool = False) -> Console:
    """Return a console: 80 columns where there is no terminal, plain text in a pipe, no colour with NO_COLOR."""
    return PlainConsole(stderr=stderr)


def group(parts: Iterable[RenderableType | None]) -> RenderableType:
    """Return ``parts`` one below the other, without those that are None."""
    return Group(*[part for part in parts if part is not None])


def spaced(*lines: RenderableType) -> RenderableType:
    """Return ``lines`` below an empty one."""
    return Padding(Group(*lines), (1, 0, 0, 0), expand=False)


def section(table: Table, empty: str = "") -> RenderableType | None:
    """Return ``table`` with its title, caption and notes; without rows, the words ``empty`` if any are given."""
    if not table.rows:
        return Text(empty) if empty else None
    narrow = [column for column in table.columns if not column.wide]
    hoisted = [c for c in narrow if c.hoist and len({c.text(row) for row in table.rows}) == 1]
    columns = [column for column in narrow if column not in hoisted]
    captions = [table.caption, *(f"{column.heading} {column.text(table.rows[0])}" for column in hoisted)]
    caption = f" — {', '.join(filter(None, captions))}" if any(captions) else ""
    head = Text.assemble((table.title, "bold"), (caption, "dim"))
    shown = replace(table, columns=tuple(columns))
    return spaced(head, _body(shown), *[Text(note, style="dim") for note in shown.notes])


def _body(table: Table, frame: box.Box | None = box.SIMPLE_HEAD) -> RenderableType:
    columns = table.columns
    widths = [max(_heading_width(column), *(cell_len(column.text(row)) for row in table.rows)) for column in columns]
    empty = partial(_empty, columns, widths, frame=frame, gap=2 if sum(widths) + 2 * len(widths) < COLUMNS else 1)
    if table.group is None:
        return _filled(empty(), columns, table.rows)
    # A table for each group, its columns as wide as all rows need: what stands above a group widens no column. The
    # widest one wraps where they are too wide for a terminal.
    widths[widths.index(max(widths))] -= max(0, sum(widths) + len(widths) - 1 - COLUMNS)
    parts: list[RenderableType] = [empty(keep=True)]
    for above, members in groupby(table.rows, key=table.group.text):
        body = empty(keep=True)
        body.show_header = False
        parts += [Text(above, style="bold"), _filled(body, columns, [*members])]
    return Group(*parts)


def _empty(
    columns: Sequence[Column], widths: Sequence[int], *, frame: box.Box | None, gap: int, keep: bool = False
) -> RichTable:
    """Return a table without rows; with ``keep``, its columns are as wide as ``widths`` and the headings."""
    table = RichTable(box=frame, padding=(0, gap - 1, 0, 0), pad_edge=False, show_edge=False)
    for column, width in zip(columns, widths, strict=True):
        table.add_column(
            column.short or column.title,
            justify="right" if column.is_number else "left",
            no_wrap=column.is_number,
            min_width=width if keep else None,
        )
    return table


def _heading_width(column: Column) -> int:
    return cell_len(column.short or column.title)


def _filled(table: RichTable, columns: Sequence[Column], rows: Sequence[Any]) -> RichTable:
    previous: list[str] = []
    for row in rows:
        cells = [column.text(row) for column in columns]
        table.add_row(*_styled(columns, _without_repeats(columns, cells, previous)))
        previous = cells
    return table


def _styled(columns: Sequence[Column], cells: Sequence[str]) -> list[Text]:
    """Return ``cells`` as text, answers in their colours."""
    return [
        Text(cell, style=STYLES.get(cell.split(" ")[0], "") if column.format == "answer" else "")
        for column, cell in zip(columns, cells, strict=True)
    ]


def _without_repeats(columns: Sequence[Column], cells: Sequence[str], previous: Sequence[str]) -> list[str]:
    """Return ``cells``, those from the left blank that repeat the row above."""
    shown, same = list(cells), bool(previous)
    for position, column in enumerate(columns):
        same = same and column.merge and cells[position] == previous[position]
        shown[position] = "" if same else cells[position]
    return shown


def _next(summary: Summary) -> tuple[str, str]:
    """Return the command that is most worth running next, after what it is for."""
    folder = summary.run.folder
    newest = store.newest(folder.parent) == folder
    options = [] if folder.parent == store.DEFAULT_FOLDER else ["--out", str(folder.parent)]
    name = "latest" if newest else folder.name
    if summary.failures or summary.incomplete:
        return "Measure what is missing", shlex.join([*COMMAND.split(), "run", "--resume", name, *options])
    return "Every table", shlex.join([*COMMAND.split(), "show", name, "--all", *options])


def _shown(make: Callable[[RunDocument], Table]) -> Callable[[Summary], RenderableType | None]:
    return lambda summary: section(make(summary.document))


# The order of the report: what was measured, whether it is right, how fast it is, what to do, what is missing.
PARTS: tuple[Callable[[Summary], RenderableType | None], ...] = (
    heading,
    _shown(quality.accuracy),
    _shown(quality.baselines),
    _shown(quality.parity),
    _shown(quality.serving),
    _shown(quality.exports),
    _shown(answers.every),
    _shown(speed.training),
    _shown(quality.time_to_accuracy),
    _shown(speed.prediction),
    _shown(speed.vectorization),
    _shown(speed.startup),
    _shown(precision.precision),
    _shown(hardware.hardware),
    _shown(hardware.peaks),
    _shown(hardware.gpus),
    _shown(hardware.energy),
    _shown(hardware.counters),
    _shown(speed.advice),
    left_out,
    _shown(tables.unsupported),
    failures,
    closing,
)

# What a run says at first.
BRIEF: tuple[Callable[[Summary], RenderableType | None], ...] = (
    answer,
    _shown(tables.unsupported),
    failures,
    doubts,
    onward,
)
