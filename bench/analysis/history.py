"""The history: each cell's share of its floor over the published runs, and where it changed.

Seconds of different days do not compare; shares of the floor, which took turns, do. Changes are searched for in
those, on one machine and one corpus at a time.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import ruptures

from bench.analysis.rows import RunDocument, TimingRow, finite
from bench.records.schema import Cell

# Fewer runs have no levels to tell apart.
FEWEST_RUNS = 4
# One more level must explain so many times the noise's variance times log n: Schwarz's criterion asks for two, and
# a history of a few runs finds changes too easily at that.
PENALTY = 4.0


@dataclass(frozen=True)
class Point:
    """One cell in one published run: the share of its floor with its interval, and which run it was.

    taken_share  of the processors' time, by others while clocks ran
    """

    run_id: str
    started_at: str
    commit: str
    versions: dict[str, str]
    floor_share: float
    low: float | None
    high: float | None
    taken_share: float = 0.0


@dataclass(frozen=True)
class CellHistory:
    """One cell over the runs of one machine and corpus, oldest first; ``changes``: where a new level begins."""

    of: Cell
    machine: str
    corpus: str
    points: tuple[Point, ...]
    changes: tuple[int, ...]

    @property
    def cell(self) -> str:
        """The cell's name."""
        return self.of.name

    @property
    def last_change(self) -> str | None:
        """The day on which the present level began; None where it never changed."""
        return self.points[self.changes[-1]].started_at[:10] if self.changes else None

    def level_before(self, change: int) -> float:
        """Return the median share of the level that ended where the point ``change`` begins a new one."""
        start = max((one for one in self.changes if one < change), default=0)
        return statistics.median(point.floor_share for point in self.points[start:change])


@dataclass(frozen=True)
class LeftOut:
    """A published run that is in no history, and why."""

    run_id: str
    reason: str


def of_documents(documents: Sequence[RunDocument]) -> list[CellHistory]:
    """Return the history of every cell that has a share of a floor, apart by machine and corpus.

    Comparisons have none, and neither has a run that something speaks against, that lacks cells or whose accuracy
    failed. A share that is no number above zero has no logarithm, and is left out, as is one whose steps contain waits,
    and a share of the fastest path: that one may be another path in the next run.
    """
    found: dict[tuple[Cell, str, str], list[Point]] = {}
    for document in sorted(filter(counts, documents), key=lambda one: one.started_at):
        machine = f"{document.machine.cpu}, {document.machine.processors} processors"
        where = (machine, f"{document.corpus} {document.corpus_digest[:12]}")
        for row in document.timings:
            share = finite(row.floor_share) or 0.0
            if share > 0 and row.has_floor and not row.contains_waits:
                found.setdefault((row.cell, *where), []).append(_point(document, row, share))
    return [_history(*key, points) for key, points in found.items()]


def left_out(documents: Sequence[RunDocument]) -> list[LeftOut]:
    """Return the published runs that are in no history, oldest first; comparisons have none to be in."""
    runs = sorted((one for one in documents if not one.is_comparison), key=lambda one: one.started_at)
    return [LeftOut(document.run_id, "; ".join(found)) for document in runs if (found := doubts(document))]


def counts(document: RunDocument) -> bool:
    """Whether a published run belongs to the history."""
    return not (document.is_comparison or doubts(document))


def doubts(document: RunDocument) -> list[str]:
    """Return what speaks against a published run, in words: what `verify` said, what it lacks, checks that failed."""
    answers: dict[str, list[str]] = {
        "accuracy": [row.answer for row in document.accuracy],
        "parity": [row.answer for row in document.parity],
        "serving": [row.answer for row in document.serving],
    }
    failed = {name: found.count("failed") for name, found in answers.items()}
    found = [f"{count} check{'s' * (count > 1)} of {name} failed" for name, count in failed.items() if count]
    if document.void:
        found.append("a control failed")
    lost = [f"{len(document.failures)} pieces of work gave no answer"] if document.failures else []
    return [*(document.warnings or lost), *found]


def changes(values: Sequence[float]) -> list[int]:
    """Return where a new level of ``values`` begins, by PELT on the logarithms (Killick and others, 2012).

    The noise is taken from the differences of neighbours, which a few changes of level hardly touch.
    """
    if len(values) < FEWEST_RUNS:
        return []
    logs = np.log(np.asarray(values))
    noise = float(np.median(np.abs(np.diff(logs)))) / 0.6745 / np.sqrt(2) or 1e-9
    penalty = PENALTY * noise**2 * np.log(len(logs))
    found = ruptures.Pelt(model="l2", min_size=2, jump=1).fit(logs.reshape(-1, 1)).predict(pen=penalty)
    return [int(index) for index in found[:-1]]


def _history(cell: Cell, machine: str, corpus: str, points: Sequence[Point]) -> CellHistory:
    found = changes([point.floor_share for point in points])
    return CellHistory(cell, machine, corpus, tuple(points), tuple(found))


def _point(document: RunDocument, row: TimingRow, share: float) -> Point:
    return Point(
        document.run_id,
        document.started_at,
        document.commit or "",
        document.versions,
        share,
        row.floor_share_low,
        row.floor_share_high,
        (document.steal_share or 0.0) + (document.outside_share or 0.0),
    )
