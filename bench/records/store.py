"""The store: a run's folder, its append-only records and logs; it interprets no record."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from bench import ROOT
from bench.records import steal_time
from bench.records.schema import SCHEMA_VERSION, ComparisonRecord, Record, ResumedRecord, RunHeader, parse
from datasets.errors import ExpectedError

DEFAULT_FOLDER = ROOT / "results" / "runs"

RECORDS = "records.jsonl"
LOGS = "logs"


class StoreError(ExpectedError):
    """The results folder or a run in it cannot be used; the message says what to do."""


@dataclass(frozen=True)
class Run:
    """A run as it lies on disk: its header first, then every record in the order of its arrival."""

    folder: Path
    header: RunHeader
    records: tuple[Record, ...]

    @property
    def is_comparison(self) -> bool:
        """Whether it compares targets of one backend, and is reported so."""
        return any(isinstance(record, ComparisonRecord) for record in self.records)

    @property
    def stolen(self) -> float | None:
        """The share of the processors' time that others took while clocks ran; None where nothing was timed."""
        return steal_time.stolen(self.records, self.header.machine.processors)

    @property
    def resumed_at(self) -> list[str]:
        """When it was gone on with after an interruption, ISO 8601, UTC."""
        return [record.resumed_at for record in self.records if isinstance(record, ResumedRecord)]


class RunWriter:
    """Appends records, each whole and on disk before the next step starts.

    With ``resumed`` to a run that is there already; the cut line in which it may end goes.
    """

    def __init__(self, folder: Path, *, resumed: bool = False) -> None:
        self.folder = folder
        self.logs = folder / LOGS
        try:
            self.logs.mkdir(parents=True, exist_ok=resumed)
            self._file = (folder / RECORDS).open("r+b" if resumed else "xb")
            self._file.truncate(sum(len(line) for line in self._file if line.endswith(b"\n")) if resumed else 0)
            self._file.seek(0, os.SEEK_END)
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
    """Return the run in ``folder``; StoreError where it holds none, or records of another schema."""
    file = folder / RECORDS
    try:
        lines = file.read_bytes().splitlines(keepends=True)
    except OSError as error:
        raise StoreError(f"no run at {folder}: {error.strerror}; `bench runs` lists what there is") from error
    whole = [line for line in lines if line.endswith(b"\n")]  # the last line of an interrupted run may be cut
    try:
        header, *records = [parse(line) for line in whole]
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


def write_atomically(file: Path, content: bytes) -> None:
    """Replace ``file`` by ``content`` in one step, so that a reader sees the old or the new and never a part."""
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)
