"""CSV: every row of a run, each with what it was measured on, so that a line that is cut out still says it.

No cell has a second line, none is taken for a formula, and no two columns share a name.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from typing import Any

from bench.analysis.rows import RunDocument, once
from bench.report.tables import words
from datasets.plain_text import one_line

# What a spreadsheet takes for a formula, wide forms of the signs included.
FORMULA = re.compile(r"[=+\-@＝＋－＠]")

# A reader wants the answer first: these tables precede the others.
FIRST = ("answers", "best_paths")
# What a row was measured on; no field of a row begins like these.
ABOUT = "run_"


def render(document: RunDocument) -> str:
    """Return every row but those of curves; a field that a row lacks is empty.

    The first column names the table of a row, and the last ones say of which run it is.
    """
    tables = _tables(document)
    columns = once(name for rows in tables.values() for row in rows for name in row)
    about = _about(document)
    into = io.StringIO()
    writer = csv.writer(into, lineterminator="\n")
    writer.writerow(["table", *columns, *about])
    for table, rows in tables.items():
        writer.writerows([_inert(value) for value in (table, *map(row.get, columns), *about.values())] for row in rows)
    return into.getvalue()


def _tables(document: RunDocument) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of each table, the answers first."""
    fields = document.model_dump(mode="json", exclude={"curves"})
    order = once([*FIRST, *fields])
    lists = {name: fields[name] for name in order if isinstance(fields.get(name), list)}
    rows = {name: [row for row in found if isinstance(row, dict)] for name, found in lists.items()}
    return {name: [dict(_flat(row)) for row in found] for name, found in rows.items() if found}


def _flat(row: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the fields of ``row``; those of a field that has some itself, such as counters, under both names."""
    for name, value in row.items():
        if isinstance(value, dict):
            yield from ((one_line(f"{name}_{key}"), item) for key, item in value.items())
        else:
            yield name, value


def _inert(value: Any) -> Any:
    """Return a value for a CSV file; words that a spreadsheet would take for a formula begin with a quotation mark."""
    if isinstance(value, float | int):
        return value
    words_ = one_line("" if value is None else value if isinstance(value, str) else json.dumps(value))
    return f"'{words_}" if FORMULA.match(words_) else words_


def _about(document: RunDocument) -> dict[str, str]:
    found = {
        "id": document.run_id,
        "machine": document.machine.title,
        "date": document.started_at,
        "commit": document.commit or "",
        "warnings": "; ".join(document.warnings),
        "versions": " ".join(f"{name}=={version}" for name, version in document.versions.items()),
        "corpus": f"{document.corpus} {document.corpus_digest[:12]}",
        "seeds": " ".join(map(str, document.seeds)),
        "command": words.reproduced_by(document),
    }
    return {f"{ABOUT}{name}": value for name, value in found.items()}
