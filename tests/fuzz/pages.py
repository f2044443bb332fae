"""A target for fuzzers: published runs whose words come from bytes, and what every file made from them must keep to."""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from bench.analysis.rows import CellRow, RunDocument
from bench.report import terminal
from bench.report.csv import FORMULA
from bench.report.page import published as documents
from bench.report.page import site
from bench.report.tables import every
from datasets.errors import ExpectedError
from datasets.plain_text import CONTROLS
from tests.bench import published

FOLDER = Path("/nowhere/results")
# What decides which tables there are: words of these fields stay.
STRUCTURE = {"answer", "phase", "started_at", "resumed_at"}
CELL_NAMES = ("recipe", "path", "target")
MOST_WORDS = 64

SPAN = re.compile(r"(?<!\\)`[^`\n]*`")
OWN_LINKS = re.compile(r"(?<!\\)\[[\w /.,'-]+\]\((?:[a-z0-9][\w./-]*\.(?:md|csv|svg|html)|#[\w-]+)\)")
OWN_BREAKS = ("accuracy, by<br>", "`fit`<br>", "`compiled loop`<br>", "one review<br>")
OWN_MARKS = re.compile("|".join(map(re.escape, (site.BEGIN, site.END, *OWN_BREAKS))))

OWN_ENTITIES = re.compile("&#(8203|36);")
MARKUP = (r"<", r"(?<!\\)(?:\\\\)*[\[\]]", r"://", r"\bwww\.", r"(?<!\w)@[a-z0-9]", r"#\d", r"^- #")


def check(data: bytes) -> None:
    """Make every file of a run whose words are ``data``'s, and assert that none of those words does anything."""
    document = hostile(data)
    made = site.files(FOLDER, [document])
    for file, content in {**made, site.file_of(FOLDER, document, "json"): documents.dump(document).encode()}.items():
        assert FOLDER in file.parents
        assert ".." not in file.parts
        CHECKS[file.suffix](content.decode())
    for table in every(document):
        assert not CONTROLS.search(printed(terminal.section(table)))
    read_back(document)


def hostile(data: bytes) -> RunDocument:
    """Return a whole run, or a comparison, each of whose words is one of ``data``'s, which zero bytes part."""
    texts = [part.decode(errors="replace") for part in data[1:].split(b"\0")[:MOST_WORDS]]
    made = bases()[data[0] % len(bases()) if data else 0]
    return filled(made, itertools.cycle(texts))


@cache
def bases() -> tuple[RunDocument, ...]:
    """Return the runs whose words are replaced: one with every table, one published anyway, a comparison."""
    sides = {"base": "0123456789", "head": "abcdef", "other": "1.0"}
    return published.one(), published.hostile(), published.compared().model_copy(update={"sides": sides})


def filled(value: Any, texts: Iterator[str], name: str = "") -> Any:
    """Return ``value`` with each word in it replaced by the next of ``texts``, keys of a mapping included."""
    if isinstance(value, BaseModel):
        fields = {key: filled(getattr(value, key), texts, key) for key in type(value).model_fields}
        names = {key: named(fields[key]) for key in CELL_NAMES if isinstance(value, CellRow)}
        return value.model_copy(update=fields | names)
    if name in STRUCTURE:
        return value
    if isinstance(value, str):
        return next(texts)
    if isinstance(value, dict):
        return {next(texts) if isinstance(key, str) else key: filled(item, texts) for key, item in value.items()}
    return [filled(item, texts) for item in value] if isinstance(value, list) else value


def named(words: str) -> str:
    """Return ``words`` as the schema of a record lets a cell be called."""
    return re.sub(r"[/\\\x00-\x1f\x7f]", "_", words)[:200] or "_"


def read_back(document: RunDocument) -> None:
    """Assert that the document is refused as a file, in words of one kind, or is plain once it is read."""
    fields = document.model_dump(mode="python")
    try:
        found = documents.parse(json.dumps(fields).encode(), name="made.json")
    except ExpectedError:
        return
    assert not CONTROLS.search("".join(strings(found.model_dump())))


def strings(value: Any) -> Iterator[str]:
    """Yield every word in ``value``."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from strings(key)
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


def printed(renderable: Any) -> str:
    """Return what a pipe would get."""
    screen = io.StringIO()
    if renderable is not None:
        terminal.PlainConsole(file=screen, width=80).print(renderable)
    return screen.getvalue()


def _markdown(text: str) -> None:
    """No element, no link, no image, no mention, and no control character."""
    assert not CONTROLS.search(text)
    words = OWN_ENTITIES.sub("\u200b", SPAN.sub("", OWN_LINKS.sub("", OWN_MARKS.sub("", text))))
    for markup in MARKUP:
        assert not (found := re.search(markup, words, re.IGNORECASE)), words[max(0, found.start() - 80) : found.end()]


# A number below zero as Python writes one: a spreadsheet takes no formula in it.
BELOW_ZERO = re.compile(r"-\d+(\.\d+)?(e[+-]\d+)?")


def _csv(text: str) -> None:
    """A line a row, as many cells in each, none a formula, and no control character."""
    assert not CONTROLS.search(text)
    rows = list(csv.reader(io.StringIO(text)))
    assert len(rows) == text.count("\n")
    assert len({len(row) for row in rows}) == 1
    assert not [cell for row in rows for cell in row if FORMULA.match(cell) and not BELOW_ZERO.fullmatch(cell)]
    assert len(set(rows[0])) == len(rows[0])


def _html(text: str) -> None:
    """The page's own scripts alone; its data hold no tag and no control character."""
    assert len(re.findall(r"</script", text, re.IGNORECASE)) == 3
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    assert not re.search(r"[<>&]", found[1])
    assert not CONTROLS.search("".join(strings(json.loads(found[1]))))


def _json(text: str) -> None:
    assert isinstance(json.loads(text), dict)


CHECKS = {".md": _markdown, ".csv": _csv, ".html": _html, ".json": _json}
