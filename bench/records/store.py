"""A run on disk: its folder, append-only records and logs, and how its lines are read and written.

A line is a record in JSON, and as its last field a digest over the digest of the line before and the record: a line
that was changed, added or taken out by hand shows. One process at a time writes a run: it holds a lock on the file.
"""

from __future__ import annotations

import errno
import fcntl
import gc
import hashlib
import os
import re
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from pydantic import ValidationError

from bench import PROGRAM, RESULTS
from bench.records import identity
from bench.records.schema import (
    SCHEMA_VERSION,
    ComparisonRecord,
    FailureRecord,
    FinishedRecord,
    PlanRecord,
    Record,
    ResumedRecord,
    RunHeader,
    Sample,
    TimingRecord,
    misfit,
    parse,
)
from datasets.errors import ExpectedError

DEFAULT_FOLDER = RESULTS / "runs"

RECORDS = "records.jsonl"
LOGS = "logs"

# From this share of steal time on the hour was busy: intervals are wide, and seconds belong to that hour.
BUSY = 0.05

# The longest record, a training of many epochs, has some kilobytes.
LONGEST_LINE = 16 << 20
# Who only looks whether a run is being written holds its lock for some microseconds.
LOCK_ATTEMPTS, LOCK_PAUSE_S = 20, 0.02

EDITED = "was edited after it was measured, or lines before it were"

_DIGEST = re.compile(rb',"digest":"([0-9a-f]{16})"\}\n')
_STATED = len(',"digest":"0123456789abcdef"}\n')


class StoreError(ExpectedError):
    """The results folder or a run in it cannot be used; the message says what to do."""


@dataclass(frozen=True)
class Damage:
    """What is wrong with a line of a run; ``lost`` if it cannot be read, so that its work is to be measured again."""

    line: int
    reason: str
    lost: bool

    def __str__(self) -> str:
        return f"line {self.line} {self.reason}"


@dataclass(frozen=True)
class Run:
    """A finished or interrupted run: its header, then every record in the order of arrival, and its damaged lines.

    A cell that was timed again after a resume is there once, as it was timed last.
    """

    folder: Path
    header: RunHeader
    records: tuple[Record, ...]
    damage: tuple[Damage, ...] = ()

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

    @property
    def finished(self) -> bool:
        """Whether the run came to its end; True for an older one, which does not say."""
        ends = [record for record in self.records if isinstance(record, ResumedRecord | FinishedRecord)]
        return not self.header.planned or (bool(ends) and isinstance(ends[-1], FinishedRecord))

    @property
    def open_damage(self) -> list[Damage]:
        """The damaged lines but those whose work was measured again after a resume."""
        known = {line for r in self.records if isinstance(r, ResumedRecord) for line in r.damaged}
        return [one for one in self.damage if not (one.lost and one.line in known)]

    @cached_property
    def measured(self) -> frozenset[str | None]:
        """The identities of everything that was measured."""
        return frozenset(identity.of(record) for record in self.records)

    def missing(self) -> list[str]:
        """Return the identities of what was planned and is not there, in the order of the plan."""
        planned = [work for record in self.records if isinstance(record, PlanRecord) for work in record.work]
        return [work for work in dict.fromkeys(planned) if work not in self.measured]

    def failures(self) -> list[FailureRecord]:
        """Return the failures whose work was not measured later; all of them where an older run does not say."""
        return [one for one in self._open if not one.unsupported]

    def unsupported(self) -> list[FailureRecord]:
        """Return the work that a path cannot do for a user's model, which is no failure of the run."""
        return [one for one in self._open if one.unsupported]

    @property
    def _open(self) -> list[FailureRecord]:
        found = [record for record in self.records if isinstance(record, FailureRecord)]
        return [one for one in found if not self.header.planned or not self.measured.issuperset(one.lost)]


class RunWriter:
    """Append records to a run, each one flushed to disk before the next step starts.

    It holds a lock on the run as long as it is open. With ``resumed`` the run must exist; an unfinished last line is
    dropped. Raises StoreError where another process writes the run, or the disk does not take a record.
    """

    def __init__(self, folder: Path, *, resumed: bool = False) -> None:
        self.folder = folder
        self.logs = folder / LOGS
        self._appending = threading.Lock()  # a session keeps failures from several threads
        try:
            self.logs.mkdir(parents=True, exist_ok=resumed)
            self._file = (folder / RECORDS).open("rb+" if resumed else "xb+", buffering=0)
        except OSError as error:
            raise StoreError(f"cannot write results to {folder}: {error.strerror}; give a folder with --out") from error
        try:
            _lock(self._file, folder)
            drop_cut_line(self._file)
            self._digest = _last_digest(folder / RECORDS)
        except BaseException:
            self._file.close()
            raise

    def append(self, *records: Record) -> None:
        """Write ``records``, a line each, in one step: after an error none of them is in the file."""
        with self._appending:
            lines, digest = [], self._digest
            for record in records:
                body = record.model_dump_json().encode()
                digest = _digest(digest, body)
                lines.append(body[:-1] + f',"digest":"{digest}"}}\n'.encode())
            self._write(b"".join(lines))
            self._digest = digest

    def close(self) -> None:
        self._file.close()

    def _write(self, lines: bytes) -> None:
        size = self._file.seek(0, os.SEEK_END)
        try:
            left = memoryview(lines)
            while left:
                left = left[self._file.write(left) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            with suppress(OSError):
                self._file.truncate(size)
            raise StoreError(
                f"cannot write to {self.folder.name}: {error.strerror}; what was measured before is kept: make room, "
                f"then resume it with --resume {self.folder.name}"
            ) from error


def run_id(started: datetime, profile: str) -> str:
    """Return the name of a run's folder: the time to the millisecond, sortable, and the profile."""
    return f"{started:%Y%m%dT%H%M%S.%f}"[:19] + f"Z-{profile}"


def read(folder: Path) -> Run:
    """Return the run in ``folder`` with its damaged lines; StoreError where not even its header can be read."""
    file = folder / RECORDS
    try:
        with file.open("rb") as lines, _without_collection():
            return _read(folder, lines)
    except OSError as error:
        raise StoreError(f"no run at {folder}: {error.strerror}; `{PROGRAM} runs` lists what there is") from error


def header(folder: Path) -> RunHeader:
    """Return the header of the run in ``folder``, without reading its records; StoreError if it cannot be read."""
    try:
        with (folder / RECORDS).open("rb") as lines:
            return _read(folder, BytesIO(lines.readline(LONGEST_LINE))).header
    except OSError as error:
        raise StoreError(f"no run at {folder}: {error.strerror}") from error


def runs(folder: Path) -> list[Path]:
    """Return the folders of the runs under ``folder``, oldest first."""
    return sorted(file.parent for file in folder.glob(f"*/{RECORDS}"))


def newest(folder: Path) -> Path | None:
    """Return the newest run that nobody writes; None where there is none."""
    return next((path for path in reversed(runs(folder)) if not is_being_written(path)), None)


def is_being_written(folder: Path) -> bool:
    """Whether a process holds the lock on the run in ``folder``."""
    try:
        with (folder / RECORDS).open("rb") as file:
            return not _lockable(file, fcntl.LOCK_SH)
    except OSError:
        return False


def steal_share(records: Sequence[Record], processors: int) -> float | None:
    """Return the share of all processors' time that other guests of the host took (Linux's steal time).

    Over every block, warm-up included; None if none was timed. A start has no block.
    """
    samples = _blocks(records)
    return _share([sample.steal_s for sample in samples], samples, processors)


def outside_share(records: Sequence[Record], processors: int) -> float | None:
    """Return the share of all processors' time that programs outside of the run took, as `steal_share` does."""
    samples = _blocks(records)
    share = _share([sample.outside_s for sample in samples], samples, processors)
    return share and max(0.0, share)  # the system counts in steps, so that a quiet hour may come out below zero


def retaken(records: Sequence[Record]) -> int:
    """Return how many blocks were taken again, because others had used the processors meanwhile."""
    return sum(sample.retaken for sample in _blocks(records))


def _blocks(records: Sequence[Record]) -> list[Sample]:
    timings = [r for r in records if isinstance(r, TimingRecord) and r.cell.phase != "startup"]
    return [sample for record in timings for sample in record.samples]


def _share(seconds: Sequence[float], samples: Sequence[Sample], processors: int) -> float | None:
    clocked_s = sum(sample.duration_s for sample in samples)
    return sum(seconds) / (clocked_s * processors) if clocked_s else None


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


def _read(folder: Path, lines: BinaryIO) -> Run:
    records: dict[str | int, Record] = {}  # by identity; those of which there may be many by the number of their line
    damage: list[Damage] = []
    header = None
    digest: str | None = ""  # of the line before; None where it cannot be read, so that nothing tells about the next
    for number, line in numbered(lines):
        body, stored = parted(line)
        try:
            record = parse(body)
        except ValidationError as error:
            if header is None:
                raise _no_header(folder, error) from error
            damage.append(Damage(number, _misfit(error), lost=True))
        else:
            if header is None:
                header, wrong = _header(folder, record), None
            else:
                wrong = _add(records, number, record)
            edited = header.planned and digest is not None and stored != _digest(digest, body)
            damage += [Damage(number, reason, lost=False) for reason in [wrong or (EDITED if edited else "")] if reason]
        digest = stored or None
    if header is None:
        raise StoreError(f"{folder / RECORDS} holds no record")
    return Run(folder, header, tuple(records.values()), tuple(damage))


@contextmanager
def _without_collection() -> Iterator[None]:
    """Keep the garbage collector from walking records again and again: they are many, and refer to nothing above."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def numbered(lines: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield the number and the bytes of each complete line; one that is too long is cut, and so damaged."""
    number = 0
    while line := lines.readline(LONGEST_LINE):
        number += 1
        rest = line
        while rest and not rest.endswith(b"\n"):
            rest = lines.readline(LONGEST_LINE)
        if rest:
            yield number, line


def _add(records: dict[str | int, Record], number: int, record: Record) -> str | None:
    """Add ``record``, which a later attempt at the same cell replaces; return what is wrong if it repeats another."""
    name = identity.of(record)
    known = records.get(name or number)
    if isinstance(record, RunHeader):
        return "holds a second header"
    if known is not None and not _is_later_attempt(record, known):
        return f"repeats {name}, which was measured once"
    records[name or number] = record
    return None


def _is_later_attempt(record: Record, known: Record) -> bool:
    timings = isinstance(record, TimingRecord) and isinstance(known, TimingRecord)
    return timings and record.attempt > known.attempt  # type: ignore[union-attr]


def _header(folder: Path, record: Record) -> RunHeader:
    if not isinstance(record, RunHeader):
        raise StoreError(
            f"{folder / RECORDS} does not begin with a run's header; received a record of kind {record.kind!r}"
        )
    return record


def _no_header(folder: Path, error: ValidationError) -> StoreError:
    return StoreError(
        f"{folder / RECORDS} does not begin with a run's header: line 1 {_misfit(error)}; read it with the version of "
        "kerasmark that wrote it"
    )


def _misfit(error: ValidationError) -> str:
    return f"does not fit record schema {SCHEMA_VERSION}: {misfit(error)}"


def parted(line: bytes) -> tuple[bytes, str]:
    """Return the record's own JSON and the digest that ``line`` states, empty if it states none."""
    stated = _DIGEST.fullmatch(line[-_STATED:])
    return (line[:-_STATED] + b"}", stated[1].decode()) if stated else (line.rstrip(b"\n"), "")


def _digest(before: str, body: bytes) -> str:
    return hashlib.sha256(before.encode() + body).hexdigest()[:16]


def _last_digest(file: Path) -> str:
    """Return the digest of the last line, on which the next one builds."""
    digest = ""
    with file.open("rb") as lines:
        for _, line in numbered(lines):
            digest = parted(line)[1] or _digest(digest, line)
    return digest


def _lock(file: BinaryIO, folder: Path) -> None:
    """Lock a run for its writer, until ``file`` is closed or the process ends; StoreError if it is locked."""
    for _ in range(LOCK_ATTEMPTS):
        if _lockable(file, fcntl.LOCK_EX):
            return
        time.sleep(LOCK_PAUSE_S)
    raise StoreError(f"{folder.name} is being written by {_holder(folder)}: wait until it ends, or stop it")


def _lockable(file: BinaryIO, kind: int) -> bool:
    """Take the lock on ``file`` if nobody else holds it, and return whether that is so."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            return False
        raise
    return True


def _holder(folder: Path) -> str:
    """Return who writes the run: the last process that its records name."""
    run = read(folder)
    resumed = [record for record in run.records if isinstance(record, ResumedRecord)]
    last: RunHeader | ResumedRecord = resumed[-1] if resumed else run.header
    return f"process {last.process} ({last.command})"
