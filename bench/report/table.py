"""A table of the terminal: columns over rows, a title, notes; it knows no run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby, zip_longest
from typing import Any

from rich import box
from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text


@dataclass(frozen=True)
class Column:
    """One column: its heading and what it shows of a row.

    key     a value that repeats the row above is left out
    hoist   a value that is the same in all rows goes into the caption instead
    number  right-aligned and never wrapped
    """

    heading: str
    show: Callable[[Any], str | Text]
    key: bool = False
    hoist: bool = False
    number: bool = False


def section(
    title: str,
    caption: str,
    columns: Sequence[Column],
    rows: Sequence[Any],
    notes: Sequence[str],
    *,
    tight: bool = False,
    group: Callable[[Any], str] | None = None,
) -> RenderableType | None:
    """Return a titled table with its notes, or None where it has no rows.

    ``tight``: one blank between columns. ``group``: what rows have in common stands on a line of its own above them.
    """
    if not rows:
        return None
    hoisted = [column for column in columns if column.hoist and len({str(column.show(row)) for row in rows}) == 1]
    kept = [column for column in columns if column not in hoisted]
    captions = [caption, *(f"{column.heading} {column.show(rows[0])}" for column in hoisted)]
    head = Text.assemble((title, "bold"), (f" — {', '.join(filter(None, captions))}" if any(captions) else "", "dim"))
    feet = [Text(note, style="dim") for note in notes]
    return Padding(Group(head, _table(kept, rows, tight=tight, group=group), *feet), (1, 0, 0, 0), expand=False)


def _table(
    columns: Sequence[Column], rows: Sequence[Any], *, tight: bool, group: Callable[[Any], str] | None
) -> RenderableType:
    if group is None:
        return _rows(_empty(columns, tight=tight), columns, rows)
    # A table for each group, its columns as wide as all rows need: what stands above a group widens no column.
    widths = [max(cell_len(str(column.show(row))) for row in rows) for column in columns]
    parts: list[RenderableType] = [_empty(columns, widths, tight=tight)]
    for above, members in groupby(rows, key=group):
        body = _empty(columns, widths, tight=tight)
        body.show_header = False
        parts += [Text(above, style="bold"), _rows(body, columns, [*members])]
    return Group(*parts)


def _empty(columns: Sequence[Column], widths: Sequence[int] = (), *, tight: bool) -> Table:
    """Return a table without rows; ``widths`` are the least ones, headings aside."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 0 if tight else 1, 0, 0), pad_edge=False, show_edge=False)
    for column, width in zip_longest(columns, widths):
        table.add_column(
            column.heading,
            justify="right" if column.number else "left",
            no_wrap=column.number,
            min_width=None if width is None else max(width, cell_len(column.heading)),
        )
    return table


def _rows(table: Table, columns: Sequence[Column], rows: Sequence[Any]) -> Table:
    previous: list[str | Text] = []
    for row in rows:
        cells = [column.show(row) for column in columns]
        table.add_row(*_without_repeats(columns, cells, previous))
        previous = cells
    return table


def _without_repeats(
    columns: Sequence[Column], cells: list[str | Text], previous: list[str | Text]
) -> list[str | Text]:
    shown, same = list(cells), bool(previous)
    for position, column in enumerate(columns):
        same = same and column.key and cells[position] == previous[position]
        if same:
            shown[position] = ""
    return shown
