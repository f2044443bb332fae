"""Errors that a user can act on, and the hint at the nearest name that they share."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TypeVar

Value = TypeVar("Value")


class ExpectedError(Exception):
    """Something that a user can mend; the message is one line: what was expected, what came, what to do."""


class UsageError(ExpectedError):
    """A name or value that means nothing here; the message says which ones do."""


class DataError(ExpectedError):
    """Reviews, a word index or a cache that cannot be used."""


class DownloadError(DataError):
    """A published file could not be fetched; the only error after which the synthetic reviews may stand in."""


def find(what: str, name: str, known: Mapping[str, Value]) -> Value:
    """Return ``known[name]``; UsageError with the nearest of the known names where there is none.

    ``what`` says what is looked for: "recipe", "backend".
    """
    if name in known:
        return known[name]
    nearest = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.3)
    hint = f"did you mean {nearest[0]!r}? " if nearest else ""
    raise UsageError(f"unknown {what} {name!r}: {hint}known are {', '.join(known)}")
