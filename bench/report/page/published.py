"""Published runs: one JSON document each, from which every table, chart and page is made again.

Raw records stay where they were measured. A document holds a run's rows, with six significant figures.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json

from bench.analysis import answers
from bench.analysis.rows import SCHEMA_VERSION, RunDocument, rounded
from bench.records.schema import misfit
from datasets.errors import ExpectedError
from datasets.plain_text import tree

# What is a duration, a rate or a ratio, and so above zero.
POSITIVE = ("seconds", "floor_share", "reviews_per_s", "speedup", "advantage", "ratio", "p50_s")
# No count is larger, nor is any other number that is measured here.
LARGEST = 1e18
# A machine's folder and a profile in a file's name: file systems take 255 bytes.
LONGEST_NAME = 150


def of_document(document: RunDocument, warnings: Sequence[str] = ()) -> RunDocument:
    """Return what is published of ``document``; ``warnings`` are shown wherever it is.

    Numbers are rounded, and folders of the machine that measured are left out of every reason. Raises ExpectedError
    where a number cannot have been measured.
    """
    fields = rounded(tree(document.model_dump()))
    fields["warnings"] = [public(warning) for warning in warnings]
    fields["failures"] = [{**failure, "reason": public(failure["reason"])} for failure in fields["failures"]]
    try:
        return checked(RunDocument.model_validate(fields))
    except ValueError as error:
        raise ExpectedError(f"not published: {document.run_id}: {_misfit(error)}; measure it again") from error


def checked(document: RunDocument) -> RunDocument:
    """Return ``document``; ValueError where a number cannot have been measured: every later history would have it."""
    for name, rows in document.model_dump(exclude={"curves"}).items():
        for row in rows if isinstance(rows, list) else [{name: rows}]:
            wrong = next(_impossible(row), None) if isinstance(row, dict) else None
            if wrong is not None:
                raise ValueError(f"{wrong} in {name}")
    return document


def public(words: str) -> str:
    """Return ``words`` without the folders of whose machine it was: an error's text may name some."""
    return re.sub(r"(?<![\w/.])/(?:[^\s/'\":]+/)+", "", words)


def stem(document: RunDocument) -> str:
    """Return the name of a run's files: the moment it started, readable and sortable, and its profile."""
    moment = document.started_at[:19].replace("T", "-").replace(":", "")
    return f"{moment}-{_slug(document.profile)}"


def folder(document: RunDocument) -> str:
    """Return the name of a machine's folder: the kind of machine in words, never a host."""
    gpus = sorted({name for name in document.devices.values() if name != document.machine.cpu})
    accelerators = [name for name in gpus if "cpu" not in name.lower()]
    return _slug(" ".join([document.machine.cpu, f"{document.machine.processors} processors", *accelerators]))


def dump(document: RunDocument) -> str:
    """Return the file's text: a field a line, and in lists of rows a row a line, so that a diff can be read."""
    fields = document.model_dump(mode="json", exclude_defaults=True)
    found = {"schema_version": SCHEMA_VERSION, **fields}
    return "{\n" + ",\n".join(f"{json.dumps(name)}: {_lines(value)}" for name, value in found.items()) + "\n}\n"


def load(file: Path) -> RunDocument:
    """Return the published run in ``file``."""
    return parse(file.read_bytes(), name=file.name)


def parse(content: bytes, *, name: str) -> RunDocument:
    """Return the published run in ``content``, its words plain; ExpectedError with ``name`` where it is none."""
    try:
        document = checked(RunDocument.model_validate(tree(from_json(content))))
    except ValueError as error:
        raise ExpectedError(
            f"{name} does not fit schema {SCHEMA_VERSION} of published runs: {_misfit(error)}; "
            "publish its run again, or remove the file"
        ) from error
    return document if document.answers else document.model_copy(update={"answers": answers.of_document(document)})


def _misfit(error: ValueError) -> str:
    return misfit(error) if isinstance(error, ValidationError) else str(error)


def _impossible(row: dict[str, Any]) -> Iterator[str]:
    """Yield what no measurement gives: numbers without an end, durations of nothing, intervals without their value."""
    for name, value in row.items():
        if isinstance(value, str | bool) or not isinstance(value, int | float):
            continue
        bound = name.endswith(("_low", "_high"))  # with few processes an interval may be as wide as it will
        if not math.isfinite(value) or (abs(value) > LARGEST and not bound):
            yield f"{name} is {value}"
        if name in POSITIVE and value <= 0:
            yield f"{name} is {value}, and must be above zero"
        low, high = row.get(f"{name}_low"), row.get(f"{name}_high")
        if not (low is None or low <= value) or not (high is None or value <= high):
            yield f"{name} is {value}, outside its interval from {low} to {high}"


def _slug(words: str) -> str:
    """Return ``words`` fit for a file's name: small letters, digits, dots and dashes."""
    for mark in ("(R)", "(TM)", "(tm)", "@"):
        words = words.replace(mark, " ")
    kept = "".join(letter if letter.isascii() and (letter.isalnum() or letter == ".") else " " for letter in words)
    return "-".join(kept.lower().split())[:LONGEST_NAME].strip(".-") or "unnamed"


def _lines(value: Any) -> str:
    if not (isinstance(value, list) and value and isinstance(value[0], dict)):
        return json.dumps(value, ensure_ascii=False)
    return "[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in value) + "\n]"
