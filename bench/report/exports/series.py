"""The seconds of each cell, process by process, as every export needs them, and JSON as those write it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.analysis import paired_ratio
from bench.analysis.stats import Estimate
from bench.analysis.summary import Summary, place
from bench.records.schema import Cell, TimingRecord
from datasets.plain_text import tree


@dataclass(frozen=True)
class Series:
    """Seconds of one repeat of ``cell``: a list for each process, one value a turn; slopes at or below zero left out.

    warmups  blocks before them, as (repeats, seconds a repeat), a list for each process
    """

    cell: Cell
    processes: tuple[tuple[float, ...], ...]
    warmups: tuple[tuple[tuple[int, float], ...], ...]
    seconds: Estimate

    @property
    def values(self) -> list[float]:
        return [value for process in self.processes for value in process]


def every(summary: Summary) -> list[Series]:
    """Return the series of each timed cell in the order of the tables; those of a failed accuracy are excluded."""
    cells = sorted(summary.timings, key=place)
    return [_series(cell, summary.timings[cell]) for cell in cells if not summary.excludes(cell)]


def dumped(value: Any, *, indent: int) -> str:
    """Return ``value`` as JSON without control characters, which the escapes of JSON would only hide."""
    return json.dumps(tree(value), indent=indent)


def _series(cell: Cell, records: Sequence[TimingRecord]) -> Series:
    turns = [tuple(value for value in paired_ratio.per_repeat_s(record).values() if value > 0) for record in records]
    warm = [
        tuple((s.repeats, s.duration_s / s.repeats) for s in record.samples if s.warmup and s.duration_s > 0)
        for record in records
    ]
    kept = [(values, before) for values, before in zip(turns, warm, strict=True) if values]
    return Series(cell, tuple(v for v, _ in kept), tuple(w for _, w in kept), paired_ratio.seconds(records))
