"""The table of how sure a run is: the half-widths of its intervals, and what it tells apart."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from bench.analysis.rows import RunDocument, half_width
from bench.report.tables.columns import Column, Table, table


@dataclass(frozen=True)
class PrecisionRow:
    """A kind of figure: how many cells have it, and its median half-width, or how many of them are so."""

    figure: str
    cells: int
    half_width: float | None = None
    such: int | None = None


def precision(document: RunDocument) -> Table:
    """Return how wide the run's intervals are, and how many cells were steady and are told apart."""
    columns = (
        Column("figure", "figure"),
        Column("cells", "cells", "count"),
        Column("half_width", "±", "percent"),
        Column("such", "of them", "count"),
    )
    rows = [row for row in _rows(document) if row.cells]
    note = "±: the median over cells of half the interval, as a share of the value"
    return table("precision", "How sure", "the widths of this run's intervals", columns, rows, note)


def _rows(document: RunDocument) -> Iterator[PrecisionRow]:
    for phase, name in (("train", "training"), ("predict", "prediction"), ("vectorize", "vectorization")):
        rows = [row for row in document.timed(phase) if row.has_floor]
        yield _widths(f"share of the floor, {name}", rows, "floor_share")
    rivals = [row for row in document.best_paths if row.rival is not None]
    yield _widths("fastest backend over the other, each by its best path", rivals, "advantage")
    yield PrecisionRow("such comparisons that are told apart", len(rivals), such=sum(row.told_apart for row in rivals))
    shaky = [row for row in document.timings if not row.steady]
    yield PrecisionRow("cells that were not steady when warm-up ended", len(document.timings), such=len(shaky))


def _widths(figure: str, rows: Iterable[Any], key: str) -> PrecisionRow:
    """Return the median half-width of ``key`` over the rows that have an interval."""
    ends = [tuple(getattr(row, name) for name in (key, f"{key}_low", f"{key}_high")) for row in rows]
    known = [width for value, low, high in ends if (width := half_width(value, low, high)) is not None]
    return PrecisionRow(figure, len(known), statistics.median(known) if known else None)
