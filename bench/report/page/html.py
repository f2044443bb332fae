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

from bench import COMMAND
from bench.analysis.history import CellHistory, doubts
from bench.analysis.rows import RunDocument, once, rounded
from bench.plan.paths import PATHS
from bench.report import overview
from bench.report.charts import data, theme
from bench.report.charts.data import Chart
from bench.report.page import choice, published
from bench.report.page.packing import FIGURES, packed
from bench.report.tables import every as every_table
from bench.report.tables import lists, words
from bench.report.tables.answers import VIEWS
from bench.report.tables.columns import Column, Table, sentence
from bench.report.tables.machines import across
from bench.report.tables.recipes import recipes
from datasets.plain_text import tree

SOURCES = Path(__file__).resolve().parent

# What all rows of a panel have in common stands once above them.
ABOVE = ("panel", "metric", "view")

QUESTIONS = {False: "Which backend, which path, on this machine?", True: "Is it slower, on this machine?"}

# The column that answers what a table is asked: it stays in view where the table is wider than its window.
ANSWERS = {
    "answers": "ratio",
    "best_paths": "advantage",
    "training": "reviews_per_s",
    "prediction": "p50_s",
    "vectorization": "reviews_per_s",
    "step": "share",
    "history": "share",
    "peers": "test_accuracy",
}

EMPTY = f"`{COMMAND} publish RUN` publishes a finished run; then this page shows it."


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
    shown, first = choice.shown(every), choice.main(every)
    runs = [_run(one, newer.get(one.run_id), histories) for one in shown]
    keys = once(chart["key"] for run in runs for chart in run["charts"])
    fullest = {published.folder(one): one.run_id for one in choice.fullest(shown)}
    return {
        "runs": runs,
        "first": first.run_id if first else next(iter(fullest.values()), ""),
        "fullest": fullest,
        "machines": _table(across(choice.newest(every))),
        "paths": [[path.phase, path.name, path.summary, path.code] for path in PATHS],
        "views": VIEWS,
        "specs": {key: _spec(key) for key in keys},
        "frame": theme.TEMPLATE.domain,
        "axis": theme.TEMPLATE.axis,
        "older": len(every) - len(shown),
        "config": theme.CONFIG,
        "colours": theme.BACKEND_COLOURS,
        "other": theme.GREY,
        "dark": theme.DARK,
        "empty": EMPTY,
    }


@cache
def _spec(key: str) -> dict[str, Any]:
    """Return a panel's specification without rows: the page gives it those of what is chosen."""
    spec: dict[str, Any] = data.DRAW[key]([], "", theme.TEMPLATE).to_dict()
    kept = {name: value for name, value in spec.items() if name not in ("config", "$schema", "title")}
    return {**kept, "usermeta": dict(zip(("lines", "step"), data.LINES.get(key, ()), strict=False))}


def _run(document: RunDocument, newer: RunDocument | None, histories: Sequence[CellHistory]) -> dict[str, Any]:
    charts = [one for one in data.every(document, histories) if not (newer and one.key in ("curves", "history"))]
    points = [lists.history_points(one.rows) for one in charts if one.key == "history"]
    tables = [*every_table(document), *points, recipes(document)]
    rows: list[Any] = [*document.timings, *document.comparisons, *document.accuracy]
    said = _said(document)
    return {
        "id": document.run_id,
        "title": words.title(document) + (" (superseded)" if newer else ""),
        "machine": words.machine(document),
        "newer": words.minute(newer.started_at) if newer else None,
        "files": f"{published.folder(document)}/{published.stem(document)}",
        "headline": said[0],
        "warnings": doubts(document),
        "facts": [*words.facts(document).items()],
        "again": words.reproduced_by(document),
        "citation": citation(document),
        "overview": said[1:],
        "recipes": once(row.recipe for row in rows),
        "answered": once(f"{row.phase} {path}" for row in document.answers for path in (row.path, row.rival_path)),
        "used": once(f"{row.phase} {row.path}" for row in document.timings),
        "charts": [_chart(one) for one in charts],
        "tables": [_table(one) for one in tables if one.rows],
    }


def _said(document: RunDocument) -> list[str]:
    """Return the headline, which is the answer to the page's question, and what else stands above the tables."""
    first, *others = overview.headline(document) or [""]
    if document.is_comparison or not first:
        return [QUESTIONS[document.is_comparison], *overview.sentences(document)]
    return [f"On this machine, {first[:1].lower()}{first[1:]}", *overview.accuracy(document), *others]


def citation(document: RunDocument) -> str:
    """Return the line by which a run is quoted: project, machine, commit, date."""
    doubt = "; not to be relied on" if doubts(document) else ""
    return (
        f"kerasmark, Keras 3 on JAX and TensorFlow: {document.profile} run of {words.minute(document.started_at)} on "
        f"{words.machine(document)}, {words.measured_by(document)}{doubt}"
    )


def _chart(one: Chart) -> dict[str, Any]:
    alone = all(len({row["recipe"] for row in rows}) == 1 for _, rows in one.panels)
    above = (*ABOVE, "recipe") if alone else ABOVE
    names = [name for name in once(name for row in one.rows for name in row) if name not in above]
    panels = [
        {
            "title": title,
            "recipe": rows[0]["recipe"] if alone else "",
            "axis": rows[0].get("metric"),
            "view": rows[0].get("view"),
            "count": len(rows),
        }
        for title, rows in one.panels
    ]
    about = {"key": one.key, "title": one.title, "sentence": one.sentence, "table": one.table, "axis": one.axis}
    shared = {"domain": rounded(one.frame.domain, FIGURES), "panels": panels}
    columns = [{"key": name} for name in names]
    return about | shared | packed(columns, [[row.get(name) for name in names] for row in one.rows])


def _table(table: Table) -> dict[str, Any]:
    every = _columns(table)
    columns = [_column(table, column) for column in every]
    about = {
        "key": table.key,
        "title": table.title,
        "caption": sentence(table.caption),
        "notes": [sentence(note) for note in table.notes],
    }
    return about | packed(columns, [[column.text(row) for column in every] for row in table.rows])


def _columns(table: Table) -> list[Column]:
    """Return the columns in the page's order: the first one stays in view, so it says what a row is about."""
    others = list(table.columns)
    if table.group is None:
        return others
    return [*others, table.group] if any(column.key == "recipe" for column in others) else [table.group, *others]


def _column(table: Table, column: Column) -> dict[str, Any]:
    found: dict[str, Any] = {"key": column.key, "heading": column.title}
    found |= {"number": 1} if column.is_number else {}
    return found | ({"answer": 1} if column.key == ANSWERS.get(table.key, "answer") else {})
