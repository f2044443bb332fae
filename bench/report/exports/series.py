"""The cells of a run as every export needs them, one value a process, and JSON as those write it."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.analysis import paired_ratio
from bench.analysis.rows import TimingRow
from bench.analysis.stats import Estimate
from bench.analysis.summary import Summary
from bench.plan import paths
from bench.records.schema import Cell, TimingRecord
from datasets.plain_text import one_line, tree

# Seconds of two runs are never compared: this ratio is, which falls with the seconds, as most tools expect.
OVER_FLOOR = "over its floor"


@dataclass(frozen=True)
class Process:
    """What one process gives: its median, since the turns of a process are no independent values.

    seconds     of one repeat
    over_floor  the same over its floor's, from neighbouring blocks; None without a floor
    warmups     blocks before them, as (repeats, seconds a repeat)
    """

    seconds: float
    over_floor: float | None
    warmups: tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Series:
    """A cell: its processes, and the estimates that the suite's own tables show."""

    cell: Cell
    processes: tuple[Process, ...]
    seconds: Estimate
    floor_share: Estimate | None

    @property
    def values(self) -> list[float]:
        """Seconds of one repeat, one value a process."""
        return [process.seconds for process in self.processes]

    @property
    def over_floor(self) -> list[float]:
        """Seconds over the floor's, one value a process; empty without a floor."""
        return [process.over_floor for process in self.processes if process.over_floor is not None]

    @property
    def times_floor(self) -> Estimate | None:
        """The suite's own estimate of the seconds over the floor's."""
        return None if self.floor_share is None else self.floor_share.inverted(1.0)

    @property
    def facts(self) -> dict[str, float | int]:
        """The estimates by name, for formats that take further fields."""
        found = {"processes": len(self.processes), **_bounded("seconds", self.seconds)}
        return found if self.floor_share is None else {**found, **_bounded("floor_share", self.floor_share)}


def every(summary: Summary) -> list[Series]:
    """Return the series of each timed cell in the order of the tables; those of a failed accuracy are excluded."""
    rows = {row.cell: row for row in summary.timing_rows}
    cells = sorted(summary.timings, key=summary.place)
    return [_series(summary, cell, rows.get(cell)) for cell in cells if not summary.excludes(cell)]


def dumped(value: Any, *, indent: int) -> str:
    """Return ``value`` as JSON without control characters, which the escapes of JSON would only hide."""
    return json.dumps(tree(value), indent=indent)


def facts(summary: Summary) -> dict[str, str]:
    """Return what a number needs, each on one line and none empty: run, machine, corpus, commit, versions."""
    header = summary.run.header
    versions = " ".join(f"{name}=={version}" for name, version in summary.document.versions.items())
    found = {
        "run": header.run_id,
        "machine": header.machine.title,
        "corpus": f"{header.corpus} {header.corpus_digest[:12]}",
        "commit": header.commit.title if header.commit else "unknown",
        "versions": versions or "unknown",
    }
    return {name: one_line(words) or "unknown" for name, words in found.items()}


def _series(summary: Summary, cell: Cell, row: TimingRow | None) -> Series:
    records = summary.timings[cell]
    floor = cell.model_copy(update={"path": paths.floor_of(cell.phase, cell.path)})
    floors = [] if cell.path in paths.FLOORS else summary.timings.get(floor, [])
    found = [process for record in records if (process := _process(record, floors)) is not None]
    seconds = _estimate(row, "seconds") or paired_ratio.seconds(records)
    share = _estimate(row, "floor_share") if row is not None and row.has_floor else None
    return Series(cell, tuple(found), seconds, share)


def _process(record: TimingRecord, floors: Sequence[TimingRecord]) -> Process | None:
    """Return the process of ``record``; None where noise made its slope zero or less."""
    seconds = statistics.median(paired_ratio.per_repeat_s(record).values())
    if seconds <= 0:
        return None
    ratio = paired_ratio.ratio([record], floors)
    warm = ((s.repeats, s.duration_s / s.repeats) for s in record.samples if s.warmup and s.duration_s > 0)
    return Process(seconds, None if ratio is None else ratio.value, tuple(warm))


def _estimate(row: TimingRow | None, name: str) -> Estimate | None:
    """Return an estimate of ``row``; a bound that it does not know is infinite."""
    value, low, high = (getattr(row, f"{name}{end}", None) for end in ("", "_low", "_high"))
    if row is None or value is None:
        return None
    return Estimate(value, -math.inf if low is None else low, math.inf if high is None else high, row.processes)


def _bounded(name: str, estimate: Estimate) -> dict[str, float]:
    """Return an estimate and its bounds, as far as they are known."""
    found = {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
    return {key: value for key, value in found.items() if math.isfinite(value)}
