"""The page: one HTML file that opens from disk without a network; words of a record are data in it, never markup."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import vl_convert

from bench.analysis.history import CellHistory
from bench.analysis.rows import RunDocument, once, rounded
from bench.report import overview
from bench.report.charts import data, theme
from bench.report.charts.data import Chart
from bench.report.page import published
from bench.report.tables import every as every_table
from bench.report.tables import lists, words
from bench.report.tables.columns import Column, Table, sentence
from datasets.plain_text import tree

SOURCES = Path(__file__).resolve().parent

# What all rows of a panel have in common stands once above them.
ABOVE = ("panel", "recipe")

# More are in the index: a page of every run there ever was would not open in time.
MOST_RUNS = 8

QUESTIONS = {False: "Which backend, which path, on this machine?", True: "Is it slower, on this machine?"}

EMPTY = "`python -m bench publish RUN` publishes a finished run; then this page shows it."


def render(every: Sequence[RunDocument], newer: dict[str, RunDocument], histories: Sequence[CellHistory]) -> str:
    """Return the page of these runs, newest first; ``newer``: the run that supersedes one, by its id."""
    style, script = ((SOURCES / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    library = _library()
    parts = {
        "policy": policy(scripts=[library, script], styles=[style]),
        "style": style,
        "data": embedded(_data(every, newer, histories)),
        "library": library,
        "script": script,
    }
    template = (SOURCES / "page.html").read_text(encoding="utf-8")
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], template)


def policy(*, scripts: Sequence[str], styles: Sequence[str]) -> str:
    """Return the content security policy: these very scripts and styles, and nothing from anywhere."""
    allowed = {"script-src": scripts, "style-src": styles}
    lines = [f"{name} {' '.join(_hash(text) for text in texts)}" for name, texts in allowed.items()]
    return "; ".join(["default-src 'none'", *lines, "base-uri 'none'", "form-action 'none'"])


def embedded(value: Any) -> str:
    """Return ``value`` as JSON that no parser of HTML takes for an element, and none of JavaScript for a line's end."""
    text = json.dumps(tree(value), allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


@cache
def _library() -> str:
    """Return Vega, Vega-Lite and what embeds them, in one piece."""
    return vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")


@cache
def _hash(text: str) -> str:
    if re.search(r"</(script|style)|<!--", text, re.IGNORECASE):
        raise ValueError("expected a script or style without an end tag in it: HTML would end it there")
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _data(
    every: Sequence[RunDocument], newer: dict[str, RunDocument], histories: Sequence[CellHistory]
) -> dict[str, Any]:
    runs = [_run(one, newer.get(one.run_id), histories) for one in every[:MOST_RUNS]]
    keys = once(chart["key"] for run in runs for chart in run["charts"])
    return {
        "runs": runs,
        "specs": {key: _spec(key) for key in keys},
        "older": max(0, len(every) - MOST_RUNS),
        "config": theme.CONFIG,
        "colours": theme.BACKEND_COLOURS,
        "other": theme.GREY,
        "dark": theme.DARK,
        "empty": EMPTY,
    }


@cache
def _spec(key: str) -> dict[str, Any]:
    """Return a panel's specification without rows: the page gives it those of what is chosen."""
    spec: dict[str, Any] = data.DRAW[key]([], "").to_dict()
    kept = {name: value for name, value in spec.items() if name not in ("config", "$schema", "title")}
    return {**kept, "usermeta": dict(zip(("lines", "step"), data.LINES.get(key, ()), strict=False))}


def _run(document: RunDocument, newer: RunDocument | None, histories: Sequence[CellHistory]) -> dict[str, Any]:
    charts = [one for one in data.every(document, histories) if not (newer and one.key in ("curves", "history"))]
    tables = every_table(document) + [lists.history_points(one.rows) for one in charts if one.key == "history"]
    rows: list[Any] = [*document.timings, *document.comparisons, *document.accuracy]
    return {
        "id": document.run_id,
        "title": words.title(document) + (" (superseded)" if newer else ""),
        "machine": words.machine(document),
        "comparison": document.is_comparison,
        "newer": words.minute(newer.started_at) if newer else None,
        "files": f"{published.folder(document)}/{published.stem(document)}",
        "question": QUESTIONS[document.is_comparison],
        "warnings": document.warnings,
        "facts": [*words.facts(document).items()],
        "again": words.reproduced_by(document),
        "overview": [["first" if rank < 3 else "", said] for rank, said in enumerate(overview.sentences(document))],
        "recipes": once(row.recipe for row in rows),
        "charts": [_chart(one) for one in charts],
        "tables": [_table(one) for one in tables],
    }


def _chart(one: Chart) -> dict[str, Any]:
    columns = [name for name in once(name for row in one.rows for name in row) if name not in ABOVE]
    panels = [
        {
            "title": title,
            "recipe": rows[0]["recipe"],
            "rows": [[rounded(row.get(name), 5) for name in columns] for row in rows],
        }
        for title, rows in one.panels
    ]
    about = {"key": one.key, "title": one.title, "sentence": one.sentence, "table": one.table}
    return {**about, "columns": columns, "panels": panels}


def _table(table: Table) -> dict[str, Any]:
    columns = [{"key": c.key, "heading": c.title, "number": c.is_number} for c in table.every_column]
    return {
        "key": table.key,
        "title": table.title,
        "caption": sentence(table.caption),
        "notes": [sentence(note) for note in table.notes],
        "columns": columns,
        "rows": [[_cell(column, row) for column in table.every_column] for row in table.rows],
    }


def _cell(column: Column, row: Any) -> Any:
    """Return what is shown in a cell; of a number, its value first, by which the page sorts."""
    text, value = column.text(row), column.of(row)
    return text if isinstance(value, str) else [rounded(value, 4), text]
