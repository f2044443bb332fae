"""Rows for the page in fewer bytes: a text that a column repeats is sent once, and each row has its number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench.analysis.rows import once, rounded

# Of the values of a chart; more than a pixel shows.
FIGURES = 4
# A column's texts are sent once where fewer than this share of them differ.
DIFFERENT = 0.5


def packed(columns: Sequence[dict[str, Any]], rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """Return ``columns`` and ``rows``: a column with ``words`` has, in each row, a word's position in them.

    A column of which no row has a value is left out, truth is 1 and falsehood 0.
    """
    pairs = [_column(about, values) for about, values in zip(columns, zip(*rows, strict=True), strict=False)]
    kept = [
        (about, values)
        for about, values in pairs
        if "words" in about or any(value not in (0, None) for value in values)
    ]
    lines = [list(line) for line in zip(*(values for _, values in kept), strict=True)]
    return {"columns": [about for about, _ in kept], "rows": lines}


def _column(about: dict[str, Any], values: Sequence[Any]) -> tuple[dict[str, Any], Sequence[Any]]:
    if not all(isinstance(value, str) for value in values):
        return about, [_short(value) for value in values]
    words = once(values)
    if len(words) > DIFFERENT * len(values):
        return about, values
    place = {word: number for number, word in enumerate(words)}
    return {**about, "words": words}, [place[value] for value in values]


def _short(value: Any) -> Any:
    """Return a value without figures that nobody sees: 1 instead of true and of 1.0."""
    found = int(value) if isinstance(value, bool) else rounded(value, FIGURES)
    return int(found) if isinstance(found, float) and found.is_integer() else found
