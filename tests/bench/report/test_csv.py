"""The CSV of a run, as a spreadsheet and a program open it."""

from __future__ import annotations

import csv
import io
import re
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.analysis.rows import CounterRow, Row, RunDocument
from bench.report import csv as values
from datasets.plain_text import CONTROLS
from tests.bench import made, published
from tests.fuzz.pages import BELOW_ZERO

# With what a spreadsheet begins a formula, wide forms of the signs included.
SIGNS = "=+-@＝＋－＠\t\r"
KINDS = [kind for field in RunDocument.model_fields.values() for kind in get_args(field.annotation)]
ROWS = [kind for kind in KINDS if isinstance(kind, type) and issubclass(kind, Row)]


def read(document: RunDocument) -> list[dict[str, str]]:
    """Return the rows of a document's CSV: as many cells in each, no name twice, a line each, no formula."""
    text = values.render(document)
    head, *lines = csv.reader(io.StringIO(text))
    assert len(set(head)) == len(head)
    assert {len(line) for line in lines} <= {len(head)}
    assert len(lines) + 1 == text.count("\n")
    assert not [
        cell for line in lines for cell in line if cell.startswith(tuple(SIGNS)) and not BELOW_ZERO.fullmatch(cell)
    ]
    assert not CONTROLS.search(text)
    return [dict(zip(head, line, strict=True)) for line in lines]


def test_no_field_of_a_row_is_called_like_what_a_row_was_measured_on() -> None:
    """`seeds` stood in two columns: of an accuracy, and of the run. A field that is added later cannot meet one."""
    fields = {name for kind in ROWS for name in kind.model_fields}
    assert {"seeds", "seconds", "advantage", "counters"} <= fields
    assert not [name for name in fields if name.startswith(values.ABOUT) or name == "table"]


def test_the_answer_comes_first() -> None:
    """A reader who opens the file sees the factors and the best paths before a hundred rows of detail."""
    rows = read(published.one())
    tables = list(dict.fromkeys(row["table"] for row in rows))
    assert tables[:2] == ["answers", "best_paths"]
    assert float(rows[0]["ratio"]) == pytest.approx(1.25)
    best = [row for row in rows if row["table"] == "best_paths"]
    assert float(best[0]["advantage"]) == pytest.approx(1.25)
    assert {row["table"] for row in rows} >= {"accuracy", "timings", "baselines"}


def test_counters_have_a_column_each() -> None:
    """A cell of JSON is no number that a program could sort by; sizes of a baseline's predictions as well."""
    counted = CounterRow(**made.cell().model_dump(), counters={"compilations": 3.0, "growth_bytes": -4096.0})
    found = {row["table"]: row for row in read(published.one(counters=[counted]))}
    counters = found["counters"]
    assert (counters["counters_compilations"], float(counters["counters_growth_bytes"])) == ("3.0", -4096)
    assert float(found["baselines"]["predict_s_32"]) == 0.00075


@pytest.mark.parametrize("word", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "＝1", "－1"])
def test_no_cell_is_a_formula(word: str) -> None:
    """In no column, of the rows or of what they were measured on."""
    run = published.one(command=word, profile=word, warnings=[word], corpus=word, run_id=word, versions={word: word})
    run = run.model_copy(update={"timings": [row.model_copy(update={"path": word}) for row in run.timings]})
    first = next(row for row in read(run.model_copy(update={"commit": None})) if row["table"] == "timings")
    assert all(first[name].startswith(("'", "\ufffd")) for name in ("path", "run_id", "run_command", "run_warnings"))
    assert float(first["seconds"]) > 0


def test_a_number_below_zero_stays_a_number() -> None:
    """A spreadsheet reads -0.5 as a number, as every program does; only words can be formulas."""
    one = published.one()
    rows = read(one.model_copy(update={"timings": [one.timings[0].model_copy(update={"call_s": -0.5})]}))
    (row,) = [row for row in rows if row["table"] == "timings"]
    assert row["call_s"] == "-0.5"


words = st.text(max_size=12) | st.text(f"{SIGNS}\n,\"'1a ", max_size=6)
numbers = st.floats(allow_nan=False, allow_infinity=False)


@settings(max_examples=150, deadline=None)
@given(words, words, numbers, st.dictionaries(words, numbers, max_size=4))
def test_whatever_a_record_says_a_row_is_a_line_and_no_cell_a_formula(
    path: str, said: str, number: float, counters: dict[str, float]
) -> None:
    """Names, reasons, numbers and counters of any spelling; `read` holds the rules."""
    one = published.one()
    changes: dict[str, Any] = {
        "command": said,
        "timings": [one.timings[0].model_copy(update={"path": path, "call_s": number})],
        "counters": [CounterRow(**made.cell().model_dump(), counters=counters)],
    }
    rows = read(one.model_copy(update=changes))
    (timing,) = [row for row in rows if row["table"] == "timings"]
    assert float(timing["call_s"]) == number
    assert re.sub(r"\s", "", timing["path"]).lstrip("'") == re.sub(r"\s", "", plain(path)).lstrip("'")


def plain(said: str) -> str:
    """Return words as `one_line` leaves them, blanks aside."""
    return CONTROLS.sub("\ufffd", said)
