"""Errors that a user can fix, and the hint at the nearest known name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import TypeVar

from datasets.plain_text import plain

Value = TypeVar("Value")


class ExpectedError(Exception):
    """An error that a user can fix; the message is one line: what was expected, what was received, what to do.

    It may name what came from outside, so it holds no control characters.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(plain(message))


class UsageError(ExpectedError):
    """An unknown name or value; the message lists the known ones."""


class DataError(ExpectedError):
    """Reviews, a word index or a cache that cannot be used."""


class DownloadError(DataError):
    """A published file could not be fetched; the only error with the synthetic reviews as a fallback."""


def find(what: str, name: str, known: Mapping[str, Value]) -> Value:
    """Return ``known[name]``; UsageError with the nearest known name if there is none.

    ``what`` says what the name stands for: "recipe", "backend".
    """
    if name in known:
        return known[name]
    raise UsageError(f"unknown {what} {name!r}: {nearest(name, known)}known are {', '.join(known)}")


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the question whether the nearest known name was meant, and a space; nothing where none is near."""
    found = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.3)
    return f"did you mean {found[0]!r}? " if found else ""
