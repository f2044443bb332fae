"""Published runs: one JSON document each, from which every table, chart and page is made again.

Raw records stay where they were measured. A document holds a run's rows, with six significant figures.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bench.analysis.rows import SCHEMA_VERSION, RunDocument, rounded
from datasets.errors import ExpectedError


def of_document(document: RunDocument, warnings: Sequence[str] = ()) -> RunDocument:
    """Return what is published of ``document``; ``warnings`` are shown wherever it is.

    Numbers are rounded, and folders of the machine that measured are left out of every reason.
    """
    fields = rounded(document.model_dump())
    fields["warnings"] = [public(warning) for warning in warnings]
    fields["failures"] = [{**failure, "reason": public(failure["reason"])} for failure in fields["failures"]]
    return RunDocument.model_validate(fields)


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
    try:
        return RunDocument.model_validate_json(file.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        raise ExpectedError(
            f"{file.name} does not fit schema {SCHEMA_VERSION} of published runs: {first['msg']} at {first['loc']}; "
            "publish its run again, or remove the file"
        ) from error


def _slug(words: str) -> str:
    """Return ``words`` fit for a file's name: small letters, digits, dots and dashes."""
    for mark in ("(R)", "(TM)", "(tm)", "@"):
        words = words.replace(mark, " ")
    kept = "".join(letter if letter.isascii() and (letter.isalnum() or letter == ".") else " " for letter in words)
    return "-".join(kept.lower().split()).strip(".") or "unnamed"


def _lines(value: Any) -> str:
    if not (isinstance(value, list) and value and isinstance(value[0], dict)):
        return json.dumps(value, ensure_ascii=False)
    return "[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in value) + "\n]"
