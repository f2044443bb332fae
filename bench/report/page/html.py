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

from bench.analysis.history import Course
from bench.report.charts import theme
from bench.report.page import chart_data, documents, overview, tables
from bench.report.page.rows import Published
from bench.report.page.table import Table, sentence

SOURCES = Path(__file__).resolve().parent

# What all rows of a panel have in common stands once above them.
ABOVE = ("panel", "recipe")

# More are in the index: a page of every run there ever was would not open in time.
MOST_RUNS = 12

EMPTY = "`python -m bench publish RUN` publishes a finished run; then this page shows it."


def render(every: Sequence[Published], newer: dict[str, Published], courses: Sequence[Course]) -> str:
    """Return the page of these runs, newest first; ``newer``: the run that supersedes one, by its id."""
    style, script = ((SOURCES / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    library = _library()
    parts = {
        "policy": policy(scripts=[library, script], styles=[style]),
        "style": style,
        "data": embedded(_data(every, newer, courses)),
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
    text = json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


@cache
def _library() -> str:
    """Return Vega, Vega-Lite and what embeds them, in one piece."""
    return vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")


def _hash(text: str) -> str:
    if re.search(r"</(script|style)|<!--", text, re.IGNORECASE):
        raise ValueError("expected a script or style without an end tag in it: HTML would end it there")
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _data(every: Sequence[Published], newer: dict[str, Published], courses: Sequence[Course]) -> dict[str, Any]:
    runs = [_run(one, newer.get(one.run_id), courses) for one in every[:MOST_RUNS]]
    keys = dict.fromkeys(chart["key"] for run in runs for chart in run["charts"])
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


def _spec(key: str) -> dict[str, Any]:
    """Return a panel's specification without rows: the page gives it those of what is chosen."""
    spec: dict[str, Any] = chart_data.DRAW[key]([], "").to_dict()
    kept = {name: value for name, value in spec.items() if name not in ("config", "$schema", "title")}
    return {**kept, "usermeta": dict(zip(("lines", "step"), chart_data.LINES.get(key, ()), strict=False))}


def _run(published: Published, newer: Published | None, courses: Sequence[Course]) -> dict[str, Any]:
    charts = [one for one in chart_data.every(published, courses) if not (newer and one.key in ("curves", "course"))]
    found = tables.every(published) + [tables.course(one.rows) for one in charts if one.key == "course"]
    recipes = [row.recipe for rows in (published.timed, published.verdicts, published.accuracy) for row in rows]
    return {
        "id": published.run_id,
        "title": documents.title(published) + (" (superseded)" if newer else ""),
        "machine": f"{published.machine.cpu}, {published.machine.processors} processors",
        "comparison": published.is_comparison,
        "newer": documents.moment(newer) if newer else None,
        "files": f"{published.folder}/{published.stem}",
        "question": _question(published),
        "doubts": published.doubts,
        "facts": documents.facts(published),
        "again": documents.reproduced_by(published),
        "overview": [["first" if rank < 3 else "", words] for rank, words in enumerate(overview.sentences(published))],
        "recipes": list(dict.fromkeys(recipes)),
        "charts": [_chart(one) for one in charts],
        "tables": [_table(one) for one in found],
    }


def _question(published: Published) -> str:
    if published.is_comparison:
        return "Is it slower, on this machine?"
    return "Which backend, which path, on this machine?"


def _chart(one: chart_data.Chart) -> dict[str, Any]:
    columns = [name for name in dict.fromkeys(name for row in one.rows for name in row) if name not in ABOVE]
    panels = [
        {
            "title": title,
            "recipe": rows[0]["recipe"],
            "rows": [[_short(row.get(name)) for name in columns] for row in rows],
        }
        for title, rows in one.panels
    ]
    about = {"key": one.key, "title": one.title, "sentence": one.sentence, "table": one.table}
    return {**about, "columns": columns, "panels": panels}


def _table(table: Table) -> dict[str, Any]:
    columns = [{"key": c.key, "heading": c.heading, "kind": c.kind} for c in table.columns]
    rows = [[_short(value) for value in row] for row in table.rows]
    return {
        "key": table.key,
        "title": table.title,
        "caption": sentence(table.caption),
        "notes": [sentence(note) for note in table.notes],
        "columns": columns,
        "rows": rows,
    }


def _short(value: Any) -> Any:
    """Return a number with no more digits than were kept."""
    return float(f"{value:.6g}") if isinstance(value, float) else value
