"""The history: one line for each published run, and where a cell's course changed; it measures and draws nothing.

Seconds of different days do not compare; shares of the floor, which took turns, do. So a cell's course is that of its
share, and its changes are searched for there, on one machine and one corpus at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import ruptures
from pydantic import BaseModel, ConfigDict, ValidationError

from bench import ROOT
from bench.analysis.summary import Summary, TimedCell
from bench.records import store
from bench.records.machine import Machine
from datasets.errors import ExpectedError

FILE = ROOT / "results" / "history.jsonl"

SCHEMA_VERSION: Literal[1] = 1

# A course of fewer runs has no stretches to tell apart.
FEWEST_RUNS = 4
# One more level must explain so many times the noise's variance times log n: Schwarz's criterion asks for two, and
# a course of a few runs finds changes too easily at that.
PENALTY = 4.0


class HistoryError(ExpectedError):
    """A run that cannot be published, or a history that cannot be read; the message says why."""


class Point(BaseModel):
    """One cell of one published run: seconds of a repeat, and the floor's speed of which it is a share."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seconds: float
    share_of_floor: float | None
    share_low: float | None = None
    share_high: float | None = None


class Line(BaseModel):
    """One published run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = SCHEMA_VERSION
    run_id: str
    started_at: str
    profile: str
    machine: Machine
    commit: str
    versions: dict[str, str]
    corpus: str
    corpus_digest: str
    cells: dict[str, Point]


@dataclass(frozen=True)
class Course:
    """One cell over the runs of one machine and corpus, oldest first; ``changes``: where a new level begins."""

    cell: str
    machine: str
    corpus: str
    lines: tuple[Line, ...]
    shares: tuple[float, ...]
    changes: tuple[int, ...]


def of_run(summary: Summary, *, dirty: bool = False) -> Line:
    """Return the line of a finished run.

    Raises HistoryError for a run without a commit, with failed or missing cells, or, unless ``dirty``, from a checkout
    with uncommitted changes.
    """
    header = summary.run.header
    if header.commit is None or (header.commit.dirty and not dirty):
        raise HistoryError(f"{header.run_id} has uncommitted changes, or no commit: nobody could repeat it")
    failed = [verdict for verdict in summary.verdicts if verdict.answer == "failed"]
    if failed:
        raise HistoryError(f"{header.run_id} has {len(failed)} failed verdicts, first: {failed[0].reason}")
    rows: Iterable[TimedCell] = [*summary.training, *summary.prediction, *summary.vectorization]
    versions = {name: v for t in summary.targets.values() for name, v in t.facts.versions.items()}
    return Line(
        run_id=header.run_id,
        started_at=header.started_at,
        profile=header.profile,
        machine=header.machine,
        commit=header.commit.revision + ("-dirty" if header.commit.dirty else ""),
        versions=dict(sorted(versions.items())),
        corpus=header.corpus,
        corpus_digest=header.corpus_digest,
        cells={row.cell.name: _point(row) for row in rows},
    )


def load(file: Path = FILE) -> list[Line]:
    """Return every published run, oldest first."""
    try:
        lines = [Line.model_validate_json(line) for line in file.read_bytes().splitlines()] if file.exists() else []
    except ValidationError as error:
        raise HistoryError(f"{file.name} does not fit schema {SCHEMA_VERSION}: {error.errors()[0]['msg']}") from error
    return sorted(lines, key=lambda line: line.started_at)


def add(line: Line, file: Path = FILE) -> bool:
    """Add ``line``, in one step; return whether it was new. The same run is published once."""
    known = load(file)
    if any(other.run_id == line.run_id for other in known):
        return False
    every = sorted([*known, line], key=lambda one: one.started_at)
    store.write_atomically(file, b"".join(one.model_dump_json().encode() + b"\n" for one in every))
    return True


def courses(lines: Sequence[Line]) -> list[Course]:
    """Return the course of every cell that has a share of a floor, apart by machine and corpus."""
    found: dict[tuple[str, str, str], list[Line]] = {}
    for line in sorted(lines, key=lambda one: one.started_at):
        machine = f"{line.machine.cpu}, {line.machine.processors} processors"
        where = (machine, f"{line.corpus} {line.corpus_digest[:12]}")
        for cell, point in line.cells.items():
            if point.share_of_floor is not None:
                found.setdefault((cell, *where), []).append(line)
    return [_course(*key, of) for key, of in found.items()]


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


def _course(cell: str, machine: str, corpus: str, lines: Sequence[Line]) -> Course:
    shares = [line.cells[cell].share_of_floor or 0.0 for line in lines]
    return Course(cell, machine, corpus, tuple(lines), tuple(shares), tuple(changes(shares)))


def _point(row: TimedCell) -> Point:
    if row.floor is None:
        return Point(seconds=_rounded(row.seconds.value), share_of_floor=None)
    value, low, high = (
        _rounded(v) if np.isfinite(v) else None for v in (row.floor.value, row.floor.low, row.floor.high)
    )
    return Point(seconds=_rounded(row.seconds.value), share_of_floor=value, share_low=low, share_high=high)


def _rounded(value: float) -> float:
    """Return five significant figures: more than any interval, and a line that can be read."""
    return float(f"{value:.5g}")
