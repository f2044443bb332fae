"""A target for fuzzers: damaged and forged records, and what every report of them must keep to."""

from __future__ import annotations

import io
import json
from functools import cache
from pathlib import Path
from typing import Any

from rich.console import Console

from bench.analysis.summary import Summary
from bench.analysis.verification import rules as verify
from bench.records import store
from bench.report import comparison, csv, exports, terminal
from bench.report import json as documents
from datasets.errors import ExpectedError
from datasets.plain_text import CONTROLS
from tests.bench import made, published, written

MOST_CHANGES = 8
# What takes the place of a value: of another type, out of every range, or an attack.
VALUES: tuple[Any, ...] = (
    *(None, True, 0, -1, 1, 2, 10**400, 1e308, -7.85, 1e-300, float("nan"), float("inf")),
    *("", "x", "../../x", "\x1b[2J", "[bold]", "=1+1", "jax-cpu", "dense", "floor", "train", "x" * 5_000),
    *([], {}, [[]], [0.0], [1.0, 2.0], {"reviews": 0.0}, {"a": {"b": "c"}}),
)


def check(data: bytes) -> None:
    """Read a run that ``data`` has damaged, and make every report of it: an error that is expected, or none."""
    folder = Path("run")
    try:
        run = store._read(folder, io.BytesIO(damaged(data)))
    except ExpectedError:
        return
    summary = Summary(run, tuple(made.references()))
    render = comparison.render if run.is_comparison else terminal.render
    shown = io.StringIO()
    Console(file=shown, width=80, markup=False, emoji=False).print(render(summary))
    assert not CONTROLS.search(shown.getvalue())
    documents.render(summary, 0)  # type: ignore[arg-type]
    csv.render(summary.document)
    verify.checks(run, submitted=True)
    for write in exports.FORMATS.values():
        try:
            write(summary)
        except ExpectedError:
            continue


def damaged(data: bytes) -> bytes:
    """Return the lines of a good run, changed as ``data`` says: values, fields, whole lines, single bytes."""
    runs = good_runs()
    lines = list(runs[data[0] % len(runs)]) if data else []
    for number in range(MOST_CHANGES):
        change = data[1 + 6 * number : 7 + 6 * number]
        if len(change) == 6 and lines:
            _change(lines, change)
    return b"".join(lines)


@cache
def good_runs() -> tuple[tuple[bytes, ...], ...]:
    """Return the lines of runs: one with every kind of record, one that was published, a comparison."""
    compared = [made.comparison(), *published.compared_records()]
    found = []
    for records in (written.records(), published.records(), [made.header(profile="gate"), *compared]):
        file = [record.model_dump_json().encode() + b"\n" for record in (*records, made.plan("x"), made.finished())]
        found.append(tuple(file))
    return tuple(found)


def _change(lines: list[bytes], change: bytes) -> None:
    kind, line, where, deeper, value, byte = change
    index = line % len(lines)
    match kind % 6:
        case 0:
            lines[index] = _with_value(lines[index], where, deeper, VALUES[value % len(VALUES)])
        case 1:
            lines[index] = _without_field(lines[index], where)
        case 2:
            lines.insert(value % (len(lines) + 1), lines[index])
        case 3:
            lines[index], lines[0] = lines[0], lines[index]
        case 4:
            position = (256 * where + deeper) % max(1, len(lines[index]))
            lines[index] = lines[index][:position] + bytes([byte]) + lines[index][position + 1 :]
        case _:
            lines[index] = lines[index][: len(lines[index]) * where // 255]


def _with_value(line: bytes, where: int, deeper: int, value: Any) -> bytes:
    """Return ``line`` with one of its fields, or of theirs, replaced."""
    body = _parsed(line)
    place, path = body, (where, deeper, deeper // 7, where // 7)
    for step in path:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            return line
        key = keys[step % len(keys)]
        if not isinstance(place[key], dict | list) or step == path[-1]:
            place[key] = value
            return json.dumps(body).encode() + b"\n"
        place = place[key]
    return line


def _without_field(line: bytes, where: int) -> bytes:
    body = _parsed(line)
    keys = list(body)
    if not keys:
        return line
    del body[keys[where % len(keys)]]
    return json.dumps(body).encode() + b"\n"


def _parsed(line: bytes) -> Any:
    try:
        body = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
