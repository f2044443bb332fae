"""A run on disk: its folder, append-only records and logs, and how its lines are read and written."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from pydantic import ValidationError

from bench import ROOT
from bench.records.schema import (
    SCHEMA_VERSION,
    ComparisonRecord,
    Record,
    ResumedRecord,
    RunHeader,
    TimingRecord,
    parse,
)
from datasets.errors import ExpectedError

DEFAULT_FOLDER = ROOT / "results" / "runs"

RECORDS = "records.jsonl"
LOGS = "logs"

# From this share of steal time on the hour was busy: intervals are wide, and seconds belong to that hour.
BUSY = 0.05


class StoreError(ExpectedError):
    """The results folder or a run in it cannot be used; the message says what to do."""


@dataclass(frozen=True)
class Run:
    """A finished or interrupted run: its header, then every record in the order of arrival."""

    folder: Path
    header: RunHeader
    records: tuple[Record, ...]

    @property
    def is_comparison(self) -> bool:
        """Whether the run compares targets of one backend."""
        return any(isinstance(record, ComparisonRecord) for record in self.records)

    @property
    def stolen(self) -> float | None:
        """The share of steal time while clocks ran; None if nothing was timed."""
        return steal_share(self.records, self.header.machine.processors)

    @property
    def resumed_at(self) -> list[str]:
        """When the run was resumed, ISO 8601, UTC."""
        return [record.resumed_at for record in self.records if isinstance(record, ResumedRecord)]


class RunWriter:
    """Append records to a run, each one flushed to disk before the next step starts.

    With ``resumed`` the run must exist; an unfinished last line is dropped.
    """

    def __init__(self, folder: Path, *, resumed: bool = False) -> None:
        self.folder = folder
        self.logs = folder / LOGS
        try:
            self.logs.mkdir(parents=True, exist_ok=resumed)
            self._file = (folder / RECORDS).open("r+b" if resumed else "xb+")
            drop_cut_line(self._file)
        except OSError as error:
            raise StoreError(f"cannot write results to {folder}: {error.strerror}; give a folder with --out") from error

    def append(self, record: Record) -> None:
        """Write ``record`` as one line."""
        self._file.write(record.model_dump_json().encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()


def run_id(started: datetime, profile: str) -> str:
    """Return the name of a run's folder: the time to the millisecond, sortable, and the profile."""
    return f"{started:%Y%m%dT%H%M%S.%f}"[:19] + f"Z-{profile}"


def read(folder: Path) -> Run:
    """Return the run in ``folder``; StoreError if there is none or its records do not fit the schema."""
    file = folder / RECORDS
    try:
        lines = whole_lines(file)
    except OSError as error:
        raise StoreError(f"no run at {folder}: {error.strerror}; `bench runs` lists what there is") from error
    try:
        header, *records = [parse(line) for line in lines]
    except ValidationError as error:
        first = error.errors()[0]
        raise StoreError(
            f"{file} does not fit record schema {SCHEMA_VERSION}: {first['msg']} at {first['loc']}; "
            "read it with the version of kerasmark that wrote it"
        ) from error
    except ValueError as error:
        raise StoreError(f"{file} holds no record") from error
    if not isinstance(header, RunHeader):
        raise StoreError(f"{file} does not begin with a run's header; received a record of kind {header.kind!r}")
    return Run(folder, header, tuple(records))


def runs(folder: Path) -> list[Path]:
    """Return the folders of the runs under ``folder``, oldest first."""
    return sorted(file.parent for file in folder.glob(f"*/{RECORDS}"))


def find(name: str, folder: Path) -> Path:
    """Return the folder of the run called ``name``: a path, an id, or "latest"."""
    found = runs(folder)
    if name == "latest" and found:
        return found[-1]
    for path in (Path(name), folder / name):
        if name and path.is_dir():
            return path
    known = ", ".join(path.name for path in found[-3:]) or "none"
    raise StoreError(f"no run called {name!r} under {folder}: the newest are {known}")


def steal_share(records: Sequence[Record], processors: int) -> float | None:
    """Return the share of all processors' time that other guests of the host took (Linux's steal time).

    Over every block, warm-up included; None if none was timed. A start has no block.
    """
    timings = [r for r in records if isinstance(r, TimingRecord) and r.cell.phase != "startup"]
    samples = [sample for record in timings for sample in record.samples]
    clocked_s = sum(sample.duration_s for sample in samples)
    return sum(sample.steal_s for sample in samples) / (clocked_s * processors) if clocked_s else None


def whole_lines(file: Path) -> list[bytes]:
    """Return the complete lines of ``file``: an interrupted write may have cut the last one."""
    return [line for line in file.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]


def drop_cut_line(lines: BinaryIO) -> None:
    """Truncate ``lines`` after its last complete line and move to the end."""
    lines.seek(0)
    lines.truncate(lines.read().rfind(b"\n") + 1)
    lines.seek(0, os.SEEK_END)


def write_atomically(file: Path, content: bytes) -> None:
    """Replace ``file`` by ``content`` in one step: a reader sees either the old or the new file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)
