"""The pool: stored replicates of identical and of slowed targets.

A line of the file is one cell of one target in one replicate: the seconds of a repeat, turn by turn. The gate's error
rates are computed from it (`error_rates`), and it is small enough to publish.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from bench.analysis import paired_ratio
from bench.records import store
from bench.records.schema import Cell, Record, Sample, TimingRecord
from bench.records.store import Run
from datasets.errors import ExpectedError

SCHEMA_VERSION: Literal[1] = 1


class PoolRecord(BaseModel):
    """One cell of one target in one replicate.

    replicate    in the order of time, over all sessions that added to the file
    repeat_s     seconds of one repeat in each turn, of as many repeats a block
    machine      the kind of machine, in words
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = SCHEMA_VERSION
    replicate: int
    measured_at: str
    machine: str
    commit: str
    corpus: str
    cell: Cell
    repeats: int
    repeat_s: list[float]

    @property
    def positive_s(self) -> list[float]:
        """The seconds of one repeat; a slope of zero or less, which noise can give, is no time."""
        return [seconds for seconds in self.repeat_s if seconds > 0]

    def timing(self, replicate: int, *, target: str | None = None) -> TimingRecord:
        """Return the record of a gate, numbered ``replicate``, perhaps under another target's name.

        It lacks what the pool does not keep, such as its first call, and so is not validated as a measured one is; and
        turns whose slope is zero or less, which have no ratio.
        """
        cell = self.cell if target is None else self.cell.model_copy(update={"target": target})
        samples = [
            Sample(repeats=self.repeats, duration_s=seconds * self.repeats, turn=turn)
            for turn, seconds in enumerate(self.repeat_s)
            if seconds > 0
        ]
        return TimingRecord.model_construct(
            cell=cell, replicate=replicate, first_call_s=0.0, samples=samples, steady=True, work={}, resolved={}
        )


def load(file: Path) -> list[PoolRecord]:
    """Return the records of ``file`` in their order, none without a file."""
    try:
        return [PoolRecord.model_validate_json(line) for line in _lines(file)]
    except ValidationError as error:
        raise ExpectedError(
            f"{file.name} does not fit pool schema {SCHEMA_VERSION}: {error.errors()[0]['msg']}"
        ) from error


def append(file: Path, records: Sequence[PoolRecord]) -> None:
    """Add a whole replicate in one step: an interrupted one leaves nothing."""
    added = [record.model_dump_json().encode() + b"\n" for record in records]
    store.write_atomically(file, b"".join([*_lines(file), *added]))


def _lines(file: Path) -> list[bytes]:
    return store.whole_lines(file) if file.exists() else []


def condense(done: Run, records: Sequence[Record], *, replicate: int, commit: str) -> list[PoolRecord]:
    """Return what ``records``, a replicate of ``done``, as pool records, rounded to four digits."""
    return [
        PoolRecord(
            replicate=replicate,
            measured_at=done.header.started_at,
            machine=done.header.machine.title,
            commit=commit,
            corpus=done.header.corpus,
            cell=record.cell,
            repeats=record.samples[-1].repeats,
            repeat_s=[float(f"{seconds:.4g}") for seconds in paired_ratio.per_repeat_s(record).values()],
        )
        for record in records
        if isinstance(record, TimingRecord)
    ]


def next_replicate(records: Sequence[PoolRecord]) -> int:
    """Return the number of the replicate that comes next."""
    return max((record.replicate for record in records), default=-1) + 1
