"""The report of a bisection: the culprit first, then what each step measured; for terminal, Markdown and programs."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from bench.analysis.bisection.result import BisectionRow, Result
from bench.analysis.bisection.search import Other
from bench.analysis.rows import once
from bench.analysis.stats import Estimate
from bench.report import markdown, terminal
from bench.report.tables.columns import Column, Table, interval_column, percent, table

KINDS = {"ends": "the ends", "ends again": "confirmed", "candidate": "candidate", "proof": "proof"}
# The names of several candidates that a sentence lists.
MOST_NAMED = 8

CHANGE = "change: of a cell's seconds from the good end's, in a proof from its parent's; + takes longer"
PROCESSES = "n: fresh processes of each target"
LEFT = "left: what the bad end takes more than the candidate"


def steps(found: Result) -> Table:
    """Return what each step measured and how it ended, a group for each cell that was searched."""
    cells = once(_cell(row) for row in found.rows if row.recipe)

    def cell(row: BisectionRow) -> str:
        return _cell(row) if row.recipe else next(iter(cells), "")

    titled = any(row.title for row in found.rows)
    columns = (
        Column("step", "step", "count"),
        Column("kind", "what", value=lambda row: KINDS[row.kind]),
        Column("label", "commit" if titled else "release"),
        Column("title", "title", wide=True) if titled else None,
        Column("change", "change", "change", note=CHANGE),
        interval_column("change", "95% interval", "change"),
        Column("left", "left", "change", note=LEFT),
        Column("processes", "processes", "count", short="n", note=PROCESSES),
        Column("answer", "answer", "answer"),
    )
    reasons = [f"{row.label} was {row.answer}: {row.reason}" for row in found.rows if row.reason]
    caption = f"{len(found.state.steps)} steps, {found.processes} processes"
    rows = sorted(found.rows, key=lambda row: cells.index(cell(row)) if cells else 0)
    return table("bisection", "Steps", caption, columns, rows, *reasons, group=Column("cell", "cell", value=cell))


def verdict(found: Result) -> str:
    """Return how the search ended, in a sentence."""
    ended = found.conclusion
    culprits = [_named(found, label) for label in ended.culprits]
    match ended.ending:
        case "found":
            return f"Culprit: {culprits[0]}"
        case "unproved":
            return f"Not proved: the search ended at {culprits[0]} after {ended.parent}: {ended.reason}"
        case "interval":
            return f"One of {len(culprits)} after {ended.parent}: {_listed(culprits)} ({ended.reason})"
        case "failed":
            return f"Stopped: {ended.reason}"
        case "not slower":
            return _not_slower(found)


def facts(found: Result) -> list[str]:
    """Return what is known of the culprit and of other changes, a line each."""
    change, ended = found.change, found.conclusion
    lines = []
    if change is not None:
        where = f"{_words(change.key)}, {change.from_good.count} fresh processes of each"
        lines.append(f"{_estimate(change.from_good)} against its parent {ended.parent} ({where})")
    return [*lines, *(_other(one) for one in ended.others)]


def render(found: Result) -> RenderableType:
    """Return the report for a terminal."""
    head = Text("\n".join(heading(found)), style="dim")
    answer = Text(verdict(found), style="bold")
    parts = [head, terminal.spaced(answer, *[Text(line) for line in facts(found)])]
    return terminal.group([*parts, terminal.section(steps(found))])


def page(found: Result) -> str:
    """Return the Markdown summary, for a job's page or an issue."""
    made = steps(found)
    lines = [
        f"## kerasmark: {markdown.escaped(verdict(found))}",
        "\n".join(f"- {markdown.in_line(line)}" for line in facts(found)),
        markdown.body(made),
        *(markdown.escaped(note) for note in made.notes),
        f"<sub>{'; '.join(map(markdown.in_line, heading(found)))}</sub>",
    ]
    return "\n\n".join(line for line in lines if line) + "\n"


def heading(found: Result) -> list[str]:
    """Return what was searched, where and by which rule."""
    header, rule = found.run.header, found.rule
    good, *_, bad = rule.sides
    return [
        f"kerasmark · bisection · {header.started_at} · {len(rule.sides) - 1} candidates after {good} up to {bad}",
        header.machine.title,
        f"corpus {header.corpus}; wrong turns below {rule.alpha:.0%}; at most {rule.replicates} processes a step",
    ]


def _not_slower(found: Result) -> str:
    good, *_, bad = found.rule.sides
    last = found.state.steps[-1]
    if last.kind == "ends again":
        return f"Nothing to search: {bad} was slower than {good} at first, but fresh processes do not confirm it"
    faster = last.having("faster")
    if faster:
        return f"Nothing to search: {bad} is faster than {good} in {_listed(list(map(_words, faster)))}; swap the two?"
    return f"Nothing to search: {bad} is not told apart from {good} as slower in any cell"


def _named(found: Result, label: str) -> str:
    title = found.title(label)
    return f"{label} ({title})" if title else label


def _listed(names: list[str]) -> str:
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _other(one: Other) -> str:
    return f"another change after {one.after} up to {one.until}: {_estimate(one.change)} in {_words(one.key)}"


def _estimate(found: Estimate) -> str:
    return f"{percent(found.value)} ({percent(found.low)} to {percent(found.high)})"


def _words(key: object) -> str:
    return str(getattr(key, "name", key))


def _cell(row: BisectionRow) -> str:
    return f"{row.recipe} {row.operation} {row.backend}"
