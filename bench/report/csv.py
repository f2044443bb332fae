"""CSV: every row of a run, each with what it was measured on, so that a line that is cut out still says it.

No cell has a second line, and none is a formula.
"""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

from bench.analysis.rows import RunDocument, once
from bench.report.tables import words
from datasets.plain_text import one_line

# What a spreadsheet takes for a formula, wide forms of the signs included.
FORMULA = re.compile(r"[=+\-@＝＋－＠]")

ABOUT = ("run", "machine", "date", "commit", "warnings", "versions", "corpus", "seeds", "command")


def render(document: RunDocument, only: str | None = None) -> str:
    """Return every row but the curves, or those of one table; a field that a row lacks is empty.

    The first column names the table of a row.
    """
    fields = document.model_dump(mode="json", exclude={"curves"}, include={only} if only else None)
    lists = {name: rows for name, rows in fields.items() if rows and isinstance(rows, list)}
    tables = {name: rows for name, rows in lists.items() if isinstance(rows[0], dict)}
    columns = once(name for rows in tables.values() for row in rows for name in row)
    into = io.StringIO()
    writer = csv.writer(into, lineterminator="\n")
    writer.writerow(["table", *columns, *ABOUT])
    about = [*map(_inert, _about(document))]
    for table, rows in tables.items():
        writer.writerows([[table, *(_inert(row.get(name)) for name in columns), *about] for row in rows])
    return into.getvalue()


def _inert(value: Any) -> Any:
    """Return a value for a CSV file; words that a spreadsheet would take for a formula begin with a quotation mark."""
    if isinstance(value, dict | list):
        return one_line(json.dumps(value, ensure_ascii=False))
    if not isinstance(value, str):
        return "" if value is None else value
    words_ = one_line(value)
    return f"'{words_}" if FORMULA.match(words_) else words_


def _about(document: RunDocument) -> list[str]:
    return [
        document.run_id,
        document.machine.title,
        document.started_at,
        document.commit or "",
        "; ".join(document.warnings),
        " ".join(f"{name}=={version}" for name, version in document.versions.items()),
        f"{document.corpus} {document.corpus_digest[:12]}",
        " ".join(map(str, document.seeds)),
        words.reproduced_by(document),
    ]
