"""The table of kept runs, and what each one answers in a few words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bench.analysis.rows import RunDocument
from bench.analysis.summary import Summary
from bench.records.catalog import Entry
from bench.report.tables import words
from bench.report.tables.columns import Column, Table, table

ANSWERS = ("slower", "faster", "same", "unresolved")
PAUSES = "took: pauses before a run was resumed included"


@dataclass(frozen=True)
class RunRow:
    """A kept run and its answer."""

    entry: Entry
    answer: str


def runs(rows: Sequence[RunRow], older: int = 0) -> Table:
    """Return the kept runs in their order; ``older`` is the number of those that are not among them."""
    columns = (
        Column("run", "run", value=lambda row: row.entry.folder.name),
        Column("kind", "kind", value=lambda row: row.entry.kind, hoist=True),
        Column("cells", "cells", "count", lambda row: len(row.entry.cells)),
        Column("took_s", "took", "right", lambda row: None if row.entry.took_s is None else _took(row.entry)),
        Column("answer", "answer"),
    )
    where = Column("where", "measured on", value=lambda row: _where(row.entry))
    several = len({_where(row.entry) for row in rows}) > 1
    caption = _where(rows[0].entry) if rows and not several else ""
    paused = any(row.entry.records["resumed"] for row in rows)
    notes = (f"{older} older: --all lists them" if older else None, PAUSES if paused else None)
    return table("runs", "Runs", caption, columns, rows, *notes, group=where if several else None)


def answer(summary: Summary) -> str:
    """Return what a run answers: whether its work is right and who is faster, or how many cells a gate calls what."""
    if summary.run.is_comparison:
        found = [decided(summary.document)]
    else:
        found = [_verdicts(summary), _winners(summary.document)]
    damaged = "damaged" if summary.run.open_damage else ""
    unfinished = "" if summary.run.finished else "unfinished"
    return "; ".join(filter(None, [damaged, unfinished, *found])) or "nothing measured"


def decided(document: RunDocument) -> str:
    """Return how many of a gate's cells are what; nothing where none was compared."""
    if document.void:
        return "void"
    answers = [row.answer for row in document.deciding]
    said = [f"{answers.count(answer)} {answer}" for answer in ANSWERS if answer in answers]
    more = sum(row.fails for row in document.counter_changes)
    return ", ".join([*said, f"{more} counter{'s' * (more > 1)} higher"] if more else said)


def _verdicts(summary: Summary) -> str:
    """Count the worst verdicts: those that failed, else those that are unresolved, else all, which passed."""
    known = [one for one in summary.verdicts if summary.run.finished or one.rule != "completeness"]
    answers = [verdict.answer for verdict in known]
    return next((f"{answers.count(one)} {one}" for one in ("failed", "unresolved", "passed") if one in answers), "")


def _winners(document: RunDocument) -> str:
    """Count for how much of the work which backend is told apart as the faster one, each by its best path."""
    rows = [row for row in document.best_paths if row.rival is not None]
    wins = Counter(words.label(document, row.target) for row in rows if row.told_apart)
    if not rows:
        return ""
    said = [f"{name} faster in {count}/{len(rows)}" for name, count in wins.most_common()]
    return ", ".join(said) or f"told apart in 0/{len(rows)}"


def _where(entry: Entry) -> str:
    machine = entry.header.machine
    return f"{machine.cpu}, {machine.processors} processors, {entry.header.corpus}"


def _took(entry: Entry) -> str:
    return words.duration(entry.took_s or 0.0)
