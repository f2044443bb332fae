"""A table of a published run: columns over values that are not yet words; Markdown, CSV and the page show them.

A value is text, a number or None; its column says how a reader wants it. A chart is drawn from the same rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from bench.report.numbers import MISSING, WIDEST, figure, share, signed, significant
from bench.report.page.rows import Published, TimedRow

Kind = Literal["text", "count", "figure", "signed", "significant", "milliseconds", "percent", "spread", "exponent"]
Value = str | float | int | None


@dataclass(frozen=True)
class Column:
    """One column: its key for programs and charts, its heading, how its values are shown."""

    key: str
    heading: str
    kind: Kind
    of: Callable[[Any], Value]

    @property
    def number(self) -> bool:
        return self.kind != "text"


@dataclass(frozen=True)
class Table:
    """One table: ``notes`` stand below it."""

    key: str
    title: str
    caption: str
    columns: tuple[Column, ...]
    items: tuple[Any, ...]
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> list[list[Value]]:
        return [[column.of(item) for column in self.columns] for item in self.items]


def words(kind: Kind, value: Value) -> str:
    """Return ``value`` as a reader sees it in a column of this kind."""
    if value is None:
        return MISSING
    return _SHOWN[kind](value) if not isinstance(value, str) else value


def sentence(phrase: str) -> str:
    """Return a caption or a note as a sentence of its own."""
    return f"{phrase[:1].upper()}{phrase[1:]}." if phrase else ""


def label(published: Published, target: str) -> str:
    """Return the target's name, without the device where all targets share it."""
    devices = {name.partition("@")[0].rpartition("-")[2] for name in published.devices}
    where, at, side = target.partition("@")
    short = where.removesuffix(f"-{next(iter(devices))}") if len(devices) == 1 else where
    return f"{short}{at}{side}"


def spread(value: float | None, low: float | None, high: float | None) -> float | None:
    """Return half the interval as a share of the value; None where it is not known."""
    return None if not value or low is None or high is None else (high - low) / 2 / value


def interval(low: float | None, high: float | None) -> str | None:
    """Return an interval's ends in words; None where one is not known."""
    return None if low is None or high is None else f"{significant(low)} to {significant(high)}"


def work(phase: str, batch_size: int) -> str:
    """Return a piece of work in words: "train", "predict 32 reviews"."""
    many = f"{batch_size} review{'s' * (batch_size != 1)}"
    return {"train": "train", "predict": f"predict {many}", "vectorize": f"vectorize {many}"}.get(phase, phase)


def field(key: str, heading: str, kind: Kind = "text") -> Column:
    """Return the column of the attribute, or of the entry, ``key`` of each row."""
    return Column(key, heading, kind, lambda item: item[key] if isinstance(item, dict) else getattr(item, key))


def target_column(published: Published, heading: str = "backend", key: str = "target") -> Column:
    """Return the column of the target named in ``key``, as `label` says it."""
    return Column(key, heading, "text", lambda row: getattr(row, key) and label(published, getattr(row, key)))


def spread_column(heading: str, key: str) -> Column:
    """Return the column of half the interval of ``key``, as a share of it."""
    ends = (key, f"{key}_low", f"{key}_high")
    return Column(f"{key}_spread", heading, "spread", lambda row: spread(*[getattr(row, end) for end in ends]))


def _marks(row: TimedRow) -> str:
    return " ".join([*["accuracy failed"] * row.struck, *["not steady"] * (not row.steady)])


RECIPE = field("recipe", "recipe")
PATH = field("path", "path")
SHARES = (field("share", "floor", "percent"), spread_column("floor ±", "share"))
MARKS = Column("marks", "remark", "text", _marks)
SECONDS = (spread_column("±", "seconds"),)

FLOOR_NOTE = "floor: share of the speed of the same work written by hand, from neighbouring blocks"
SPREAD_NOTE = "±: half the 95 % interval over fresh processes; not steady: repeat on a quieter machine"


def _spread_words(value: Any) -> str:
    return f"±{share(value)}" if value <= WIDEST else f"±>{WIDEST:.0%}"


_SHOWN: dict[Kind, Callable[[Any], str]] = {
    "text": str,
    "count": lambda value: f"{value:,.0f}",
    "figure": figure,
    "signed": signed,
    "significant": significant,
    "milliseconds": lambda value: significant(1e3 * value),
    "percent": share,
    "spread": _spread_words,
    "exponent": lambda value: f"{value:.1e}",
}
