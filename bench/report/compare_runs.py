"""The report of a contrast: two runs, or two targets of one, cell by cell; it decides nothing."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from bench.analysis.compare_runs import CellComparison, RunComparison
from bench.analysis.summary import place
from bench.report.comparison import STYLES, interval, ratio
from bench.report.document import plain
from bench.report.table import Column, section

# Where nothing can be told.
UNKNOWN = "~"


def render(contrast: RunComparison, *, anyway: bool) -> RenderableType:
    """Return the whole report; with ``anyway``, numbers without verdicts where fields that matter differ."""
    head = Text(f"{contrast.second} against {contrast.first}: {contrast.measure}", style="bold")
    parts = [head, _differences(contrast), _cells(contrast), _missing(contrast)]
    if not contrast.verdicts and not anyway:
        parts = [head, _differences(contrast), refusal(contrast)]
    return Group(*[part for part in parts if part is not None])


def refusal(contrast: RunComparison) -> RenderableType:
    """Return why nothing is compared, and what to do."""
    fields = ", ".join(difference.field for difference in contrast.differences if difference.matters)
    words = f"Not compared: {fields} differ. Measure both in one session, or see the numbers without verdicts: --anyway"
    return Padding(Text(words, style="bold red"), (1, 0, 0, 0), expand=False)


def document(contrast: RunComparison, code: int) -> dict[str, Any]:
    """Return the contrast for programs, in JSON's types."""
    return plain({**contrast.__dict__, "verdicts": contrast.verdicts, "exit_code": code})  # type: ignore[no-any-return]


def _differences(contrast: RunComparison) -> RenderableType | None:
    columns = [
        Column("field", lambda row: row.field),
        Column("first", lambda row: row.first),
        Column("second", lambda row: row.second),
        Column("", lambda row: Text("matters", style="bold red") if row.matters else Text("told", style="dim")),
    ]
    return section("What differs", "", columns, contrast.differences, [], tight=True)


def _cells(contrast: RunComparison) -> RenderableType | None:
    columns = [
        Column("work", lambda row: f"{row.cell.phase} {row.cell.batch_size}", key=True),
        Column("path", lambda row: row.cell.path, key=True),
        Column("backend", lambda row: row.cell.target.removesuffix("-cpu"), hoist=True),
        Column("seconds", lambda row: ratio(row.ratio), number=True),
        Column("95% interval", lambda row: interval(row.ratio) if row.answer else UNKNOWN, number=True),
        Column("answer", lambda row: _answer(contrast, row), number=True),
    ]
    notes = [f"{UNKNOWN}: nothing can be told; run more processes of each, with --budget or --profile full"]
    open_cells = any(row.answer in (None, "unresolved") for row in contrast.rows)
    caption = "the first one's is one" if contrast.rows else ""
    notes = notes if open_cells else []
    rows = sorted(contrast.rows, key=lambda row: place(row.cell))
    return section("Cells", caption, columns, rows, notes, tight=True, group=lambda row: row.cell.recipe)


def _answer(contrast: RunComparison, row: CellComparison) -> Text:
    if row.answer in (None, "unresolved") or not contrast.verdicts:
        return Text(UNKNOWN, style="dim")
    return Text(str(row.answer), style=STYLES[str(row.answer)])


def _missing(contrast: RunComparison) -> RenderableType | None:
    if not contrast.missing:
        return None
    words = f"Not in both, or without a floor beside: {len(contrast.missing)} cells ({', '.join(contrast.missing[:6])}"
    return Padding(
        Text(words + (", …)" if len(contrast.missing) > 6 else ")"), style="dim"), (1, 0, 0, 0), expand=False
    )
