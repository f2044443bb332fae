"""A row of a user's labelled text: what it must be, and how an error names what it is instead."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, NamedTuple

from datasets.errors import DataError, nearest
from datasets.plain_text import one_line, shortened

if TYPE_CHECKING:
    from datasets.labelled_text import LabelledText

LARGEST_TEXT = 1 << 20  # bytes of one text; characters of any cell
LONGEST_LABEL = 100  # characters

HALVES = ("train", "test")
_MISSING = ("", "nan", "NaN")  # what tools write for a cell without a value
_WHOLE = re.compile(r"(-?(?:0|[1-9][0-9]*))\.0+")


class Row(NamedTuple):
    """A text (UTF-8) and its label; ``half`` is "train", "test" or, where the source leaves it open, empty."""

    text: bytes
    label: str
    half: str
    where: str


def quoted(word: str) -> str:
    """Return a word from outside as an error shows it: short and on one line."""
    return repr(shortened(one_line(word), 100))


def listed(words: Collection[str]) -> str:
    """Return words from outside as an error shows them."""
    return shortened(", ".join(map(quoted, words)), 300) or "none"


def reason(error: Exception) -> str:
    """Return what another library says of a file."""
    return shortened(one_line(str(error)), 200)


def checked(source: LabelledText, text: bytes | None, others: Sequence[object], where: str) -> Row:
    """Return a row of columns, checked."""
    label, half = (word_of(value, where) for value in (*others, "")[:2])
    if not label:
        raise DataError(f"{where}: expected a label in column {quoted(source.label)}; there is none")
    if source.split and half not in HALVES:
        raise DataError(
            f"{where}: expected 'train' or 'test' in column {quoted(source.split)}; received {quoted(half)}"
        )
    return Row(text_of(text or b"", where), label, half, where)


def text_of(text: bytes, where: str) -> bytes:
    if text.strip() in (word.encode() for word in _MISSING):
        raise DataError(f"{where}: expected a text; there is none: leave it out")
    if len(text) > LARGEST_TEXT:
        raise DataError(f"{where}: expected {LARGEST_TEXT >> 20} MiB of text at most; there is more")
    decoded(text, where)
    return text


def word_of(value: object, where: str = "") -> str:
    """Return a label in words, a whole number alike from every type; nothing for a missing one."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    word = one_line(decoded(value, where) if isinstance(value, bytes) else str(value))
    if len(word) > LONGEST_LABEL:
        raise DataError(f"{where}: expected a label of {LONGEST_LABEL} characters at most; received {quoted(word)}")
    whole = _WHOLE.fullmatch(word)
    return "" if word in _MISSING else whole[1] if whole else word


def columns(source: LabelledText, names: Sequence[str]) -> list[str]:
    """Return the columns of text, label and half; DataError unless a file has each of them once."""
    wanted = [source.text, source.label, *([source.split] if source.split else [])]
    for column in wanted:
        if names.count(column) != 1:
            wrong = f"several columns {quoted(column)}" if column in names else f"no column {quoted(column)}"
            meant = "" if column in names else nearest(column, names[:100])
            raise DataError(f"{quoted(source.path)}: {wrong}: {meant}its columns are {listed(names[:100])}")
    return wanted


def decoded(words: bytes, where: str) -> str:
    try:
        return words.decode()
    except UnicodeDecodeError as error:
        raise DataError(f"{where}: expected UTF-8; received byte 0x{words[error.start]:02x} there") from error
