"""The answers of several machines beside each other: the same ratios, a column a machine."""

from __future__ import annotations

from collections.abc import Sequence

from bench.analysis import answers
from bench.analysis.rows import AnswerRow, RunDocument
from bench.report.tables import words
from bench.report.tables.answers import VIEWS
from bench.report.tables.columns import Column, Table, interval, significant, table

Key = tuple[str, str, str]  # a view, a recipe, a piece of work


def across(documents: Sequence[RunDocument]) -> Table:
    """Return the ratios of one run of each machine; nothing for a single one."""
    found: dict[Key, dict[str, AnswerRow]] = {}
    for document in documents:
        for row in document.answers:
            found.setdefault((row.view, row.recipe, words.work(document, row.phase, row.batch_size)), {})[
                document.run_id
            ] = row
    columns = (
        Column("recipe", "recipe", value=lambda key: key[1]),
        Column("work", "work", value=lambda key: key[2]),
        *[_of_machine(document, found) for document in documents],
        Column("view", "view", value=lambda key: VIEWS.get(key[0], key[0])),
    )
    first, second = pair(documents)
    caption = (
        f"how many times as fast {first} is as {second}, below 1 {second} is faster, with the interval; from the "
        "newest run of each machine without doubts"
    )
    notes = (
        "machines are never averaged, and their seconds are never compared",
        f"{words.FIT_WAITS}: {', '.join(waiting)}" if (waiting := _waiting(documents)) else None,
    )
    rows = found if documents[1:] else ()
    return table("machines", "The same ratios on every machine", caption, columns, rows, *notes)


def pair(documents: Sequence[RunDocument]) -> tuple[str, str]:
    """Return the two backends that are compared, where all answers are about two that have titles."""
    names = {(words.name(one, row.target), words.name(one, row.rival)) for one in documents for row in one.answers}
    known = set(words.TITLES.values())
    return next((found for found in names if len(names) == 1 and known >= set(found)), ("the first", "the second"))


def favoured(row: AnswerRow) -> str | None:
    """Return the target that is told apart as the faster one; None where neither is."""
    return answers.faster(row).target if row.told_apart else None


def _waiting(documents: Sequence[RunDocument]) -> list[str]:
    return [words.machine(one) for one in documents if one.waits_in_fit]


def _of_machine(document: RunDocument, found: dict[Key, dict[str, AnswerRow]]) -> Column:
    def ratio(key: Key) -> str | None:
        row = found[key].get(document.run_id)
        return None if row is None else f"{significant(row.ratio)} ({interval(row, 'ratio') or 'no interval'})"

    return Column(document.run_id, words.machine(document), "right", ratio)
