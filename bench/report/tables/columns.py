"""Columns, tables and numbers: each table is declared once, and every report is a renderer of that.

A value is text, a number or None; its column says how a reader sees it. To add a column, add it to its table in
`bench.report.tables`: the terminal, Markdown and the page show it, and CSV and JSON have the field of the row.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from bench.analysis.rows import half_width, once

Value = str | float | int | None

MISSING = "—"
# An interval is shown by its half, "±4%", where both its ends lie within this share of the value; else by the two ends.
NARROW = 0.25
# Half an interval wider than its value says nothing but that.
WIDEST = 1.0
# The rule in words; every table that shows one has it below.
SPREAD = (
    "±: half the 95% interval, as a share of the value; its two ends, such as -48/+93%, where one lies more than "
    f"{NARROW:.0%} away"
)
# From here on a ratio is shown as times, not as a percentage.
TIMES = 2.0


def significant(value: float, figures: int = 3) -> str:
    """Return ``value`` with so many significant figures, thousands separated, never in exponents."""
    if not math.isfinite(value):
        return MISSING
    if value == 0:
        return "0"
    rounded = float(f"{value:.{figures - 1}e}")
    decimals = max(0, figures - 1 - math.floor(math.log10(abs(rounded))))
    return f"{rounded:,.{decimals}f}"


def milliseconds(seconds: float) -> str:
    """Return ``seconds`` as milliseconds."""
    return significant(seconds * 1e3)


def spread(value: float | None, low: float | None, high: float | None) -> str:
    """Return an interval beside its value: "±4%", or "-48/+93%" where half of it would hide how far its ends lie.

    "±?" where it is not known, "±>100%" where half of it is wider than the value.
    """
    half = half_width(value, low, high)
    if half is None or not math.isfinite(half) or value is None or value <= 0 or low is None or high is None:
        return "±?"
    if half > WIDEST:
        return f"±>{WIDEST:.0%}"
    below, above = low / value - 1, high / value - 1
    return f"±{share(half)}" if max(-below, above) <= NARROW else f"{100 * below:+.0f}/{above:+.0%}"


def share(value: float) -> str:
    """Return a share as a percentage; a small one is not shown as nothing."""
    return f"{value:.0%}" if value >= 0.0095 else "<1%"


def change(ratio: float | None) -> str:
    """Return how much more than one a ratio is: "+5.1%", or how many times, from twice on: "2.3×"."""
    if ratio is None or not math.isfinite(ratio):
        return MISSING
    return percent(ratio) if ratio < TIMES else f"{significant(ratio, 2)}×"


def percent(ratio: float) -> str:
    """Return how much more than one a ratio is."""
    return f"{ratio - 1:+.1%}".replace("-0.0%", "+0.0%")


def figure(value: float | None, decimals: int = 4) -> str:
    """Return an accuracy or a loss with a fixed number of decimals."""
    return MISSING if value is None else f"{value:.{decimals}f}"


def signed(value: float | None, decimals: int = 4) -> str:
    """Return a difference with its sign."""
    return MISSING if value is None else f"{value:+.{decimals}f}"


# How a value is shown, by the name of its format. All but text and answers are numbers, aligned to the right.
FORMATS: dict[str, Callable[[Any], str]] = {
    "text": str,
    "answer": str,
    "count": lambda value: f"{value:,.0f}",
    "figure": figure,
    "signed": signed,
    "significant": significant,
    "milliseconds": milliseconds,
    "percent": share,
    "tenths": lambda value: f"{value:.1%}",
    "change": change,
    "exponent": lambda value: f"{value:.1e}",
    "right": str,
}


@dataclass(frozen=True)
class Column:
    """One column.

    key      its name for programs and charts; the attribute of a row that it shows, unless ``value`` says otherwise
    heading  what stands above it; ``unit`` follows it
    format   one of `FORMATS`
    value    what it shows of a row
    words    how a reader sees that, where it takes more of the row than the value
    note     a footnote below a table that shows it with a value
    short    its heading in a terminal, where ``heading`` and unit take too many of 80 columns
    wide     left out in a terminal
    merge    blank in a terminal where it repeats the row above
    hoist    moved above the table in a terminal where all rows have the same
    """

    key: str
    heading: str
    format: str = "text"
    value: Callable[[Any], Value] | None = None
    words: Callable[[Any], str] | None = None
    unit: str = ""
    note: str = ""
    short: str = ""
    wide: bool = False
    merge: bool = False
    hoist: bool = False

    @property
    def is_number(self) -> bool:
        return self.format not in ("text", "answer")

    @property
    def title(self) -> str:
        """The heading with its unit."""
        return f"{self.heading} {self.unit}".strip()

    def of(self, row: Any) -> Value:
        """Return the value of ``row``."""
        return self.value(row) if self.value else getattr(row, self.key)

    def text(self, row: Any) -> str:
        """Return the value of ``row`` as a reader sees it."""
        value = self.of(row)
        if value is None:
            return MISSING
        if self.words is not None:
            return self.words(row)
        return value if isinstance(value, str) else FORMATS[self.format](value)


@dataclass(frozen=True)
class Table:
    """One table; in a terminal ``group``, which no column repeats, stands above the rows that share it."""

    key: str
    title: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Any, ...]
    footnotes: tuple[str, ...] = ()
    group: Column | None = None

    @property
    def every_column(self) -> tuple[Column, ...]:
        return (self.group, *self.columns) if self.group else self.columns

    @property
    def notes(self) -> list[str]:
        """What stands below the table: the footnotes of its columns, then its own."""
        noted = (column for column in self.columns if column.note)
        found = [column.note for column in noted if any(column.of(row) is not None for row in self.rows)]
        return once([*found, *self.footnotes]) if self.rows else []


def table(
    key: str,
    title: str,
    caption: str,
    columns: Iterable[Column | None],
    rows: Iterable[Any],
    *footnotes: str | None,
    group: Column | None = None,
) -> Table:
    """Return a table without the columns and footnotes that are None."""
    kept = tuple(column for column in columns if column is not None)
    return Table(key, title, caption, kept, tuple(rows), tuple(note for note in footnotes if note), group)


def spread_column(heading: str, key: str, note: str = "", *, wide: bool = False) -> Column:
    """Return the column of the interval of ``key``, as shares of it; its value is half the interval."""

    def ends(row: Any) -> tuple[float | None, float | None, float | None]:
        return getattr(row, key), getattr(row, f"{key}_low"), getattr(row, f"{key}_high")

    def half(row: Any) -> float | None:
        width = half_width(*ends(row))
        return math.inf if width is None and ends(row)[0] is not None else width

    return Column(f"{key}_spread", heading, "right", half, lambda row: spread(*ends(row)), note=note, wide=wide)


def interval_column(key: str, heading: str = "95% interval", format: str = "significant") -> Column:  # noqa: A002
    """Return the column of both ends of the interval of ``key``."""
    return Column(f"{key}_interval", heading, "right", lambda row: interval(row, key, format))


def interval(row: Any, key: str, format: str = "significant") -> str | None:  # noqa: A002
    """Return the interval of ``key`` in words; None where an end is not known."""
    value, low, high = (getattr(row, name) for name in (key, f"{key}_low", f"{key}_high"))
    if low is None or high is None:
        return None
    if format != "change":
        return f"{FORMATS[format](low)} to {FORMATS[format](high)}"
    if value is None or value < TIMES:  # the ends have the unit of the value
        return f"{percent(low)} to {percent(high)}"
    return f"{significant(low, 2)} to {significant(high, 2)}×"


def sentence(phrase: str) -> str:
    """Return a caption or a note as a sentence of its own."""
    return f"{phrase[:1].upper()}{phrase[1:]}." if phrase else ""
