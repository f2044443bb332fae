"""The catalog of runs: what kind each one is, what it timed, and how to find one, without parsing its samples."""

from __future__ import annotations

import json
import re
import shlex
from collections import Counter
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import from_json

from bench import PROGRAM, RESULTS, ROOT
from bench.records import store
from bench.records.schema import FinishedRecord, RunHeader, parse
from bench.records.store import RECORDS, StoreError

# The words of commands that decide by a gate; older runs do not say which one it was.
GATES = ("regress", "versions", "bisect", "gate")
BASELINES = ("baselines", "peers")
# The kinds of records that `bench show` makes a table of.
SHOWN_KINDS = ("training", "timing", "parity", "serving", "baseline", "peer", "counters", "failure")

# What `remembered` keeps in a run's folder, and what it depends on besides the records.
ANSWER = ".answer.json"
SOURCES = ((ROOT, "bench/**/*.py"), (ROOT, "models/**/*.py"), (RESULTS, "reference/*.jsonl"))

_KIND = re.compile(rb'\{"kind":"([a-z]+)"')
_CELL = re.compile(rb'\{"kind":"timing","cell":(\{[^{}]*\})')


@dataclass(frozen=True)
class Entry:
    """A run as the catalog has it.

    kind         the command that measured it: run, regress, versions or baselines; gate where an older one does not say
    records      how many records of each kind it has
    cells        the names of the cells that were timed
    targets      whose cells those are
    finished_at  None for an unfinished run, and for an older one, which does not say
    """

    folder: Path
    header: RunHeader
    kind: str
    records: Counter[str]
    cells: frozenset[str]
    targets: frozenset[str]
    finished_at: str | None

    @property
    def has_results(self) -> bool:
        """Whether there is anything to show."""
        return any(self.records[kind] for kind in SHOWN_KINDS)

    @property
    def took_s(self) -> float | None:
        """The seconds from its begin to its end, pauses before a resume included; None where the end is not known."""
        if self.finished_at is None:
            return None
        begun, ended = map(datetime.fromisoformat, (self.header.started_at, self.finished_at))
        return (ended - begun).total_seconds()


@dataclass(frozen=True)
class Wanted:
    """Which runs "latest" may name: which ``fits``, in ``words`` that follow "a run", and what ``measures`` one."""

    words: str
    fits: Callable[[Entry], bool]
    measures: str = f"{PROGRAM} run"


ANY = Wanted("of any kind", lambda _: True)
WITH_RESULTS = Wanted("with results", lambda entry: entry.has_results)


def of_kind(kind: str) -> Wanted:
    """Return the runs of the command ``kind``, finished or not."""
    kinds = (kind, "gate") if kind in GATES else (kind,)
    return Wanted(f"of `{PROGRAM} {kind}`", lambda entry: entry.kind in kinds, f"{PROGRAM} {kind}")


def with_targets(first: str, second: str) -> Wanted:
    """Return the runs that timed both targets; a gate has several of one backend."""

    def fits(entry: Entry) -> bool:
        return all(len(meant(name, entry.targets)) == 1 for name in (first, second))

    return Wanted(f"that timed {first} and {second}", fits)


def meant(name: str, targets: Collection[str]) -> list[str]:
    """Return the target called ``name``, or all of the backend called so."""
    return [target for target in targets if name in (target, target.split("-")[0])]


def find(name: str, folder: Path, wanted: Wanted = WITH_RESULTS) -> Path:
    """Return the folder of the run called ``name``: a path, an id, or "latest".

    The latest run is the newest that nobody writes and that is ``wanted``.
    """
    found = named(name, folder) or (_latest(folder, wanted) if name == "latest" else None)
    if found is not None:
        return found
    known = store.runs(folder)
    newest = f"the newest are {', '.join(path.name for path in known[-3:]) or 'none'}"
    if name != "latest":
        raise StoreError(f"no run called {name!r} under {folder}: {newest}")
    busy = "; it is still being written" if known and store.is_being_written(known[-1]) else ""
    raise StoreError(
        f"no run called 'latest' under {folder}: expected one {wanted.words}; {newest}{busy}; `{wanted.measures}` "
        "measures one"
    )


def named(name: str, folder: Path) -> Path | None:
    """Return the folder of the run with this path or id; None where there is none."""
    with suppress(OSError, ValueError):  # a name that is too long for a path, or holds a zero byte
        for path in (Path(name), folder / name):
            if name and (path / RECORDS).is_file():
                return path
    return None


def entry(folder: Path) -> Entry:
    """Return the entry of the run in ``folder``; StoreError where its header cannot be read."""
    header = store.header(folder)
    records: Counter[str] = Counter()
    cells: set[bytes] = set()
    finished_at = None
    with (folder / RECORDS).open("rb") as file:
        for _, line in store.numbered(file):
            kind = found[1].decode() if (found := _KIND.match(line)) else ""
            records[kind] += 1
            if kind == "timing" and (cell := _CELL.match(line)):
                cells.add(cell[1])
            elif kind in ("finished", "resumed"):
                finished_at = _finished_at(line)
    parsed = [cell for cell in map(_cell, cells) if cell is not None]
    names, targets = frozenset(name for name, _ in parsed), frozenset(target for _, target in parsed)
    return Entry(folder, header, _kind(header, records), records, names, targets, finished_at)


def remembered(folder: Path, answer: Callable[[], str]) -> str:
    """Return ``answer()`` about the run in ``folder``; it is kept there until its records or this code change."""
    file = folder / ANSWER
    state = (folder / RECORDS).stat()
    key = f"{state.st_size} {state.st_mtime_ns} {_code()}"
    with suppress(OSError, ValueError, KeyError, TypeError):
        kept = json.loads(file.read_bytes())
        if kept["key"] == key:
            return str(kept["answer"])
    said = answer()
    with suppress(OSError):  # a folder that cannot be written is read again the next time
        store.write_atomically(file, json.dumps({"key": key, "answer": said}).encode())
    return said


@cache
def _code() -> int:
    """Return when the newest file changed that an answer depends on besides the records."""
    return max(file.stat().st_mtime_ns for folder, pattern in SOURCES for file in folder.glob(pattern))


def _latest(folder: Path, wanted: Wanted) -> Path | None:
    for path in reversed(store.runs(folder)):
        with suppress(StoreError):  # it cannot be read: `bench runs` says so
            if not store.is_being_written(path) and wanted.fits(entry(path)):
                return path
    return None


def _kind(header: RunHeader, records: Counter[str]) -> str:
    words: list[str] = []
    with suppress(ValueError):
        words = shlex.split(header.command)  # python -m bench WORD, or kerasmark WORD where it is installed
    place = 1 if words[:1] == ["kerasmark"] else 3
    word = words[place] if len(words) > place else ""
    if records["comparison"] or header.profile == "gate":
        return word if word in GATES else "gate"
    return "baselines" if word in BASELINES else "run"


def _finished_at(line: bytes) -> str | None:
    """Return the moment of the record that ends a run; None for another, or one that cannot be read."""
    with suppress(ValidationError):
        record = parse(store.parted(line)[0])
        if isinstance(record, FinishedRecord):
            return record.finished_at
    return None


def _cell(fields: bytes) -> tuple[str, str] | None:
    """Return the name of a cell and of its target."""
    with suppress(ValueError, KeyError, TypeError):
        cell = from_json(fields)
        words = [str(cell[key]) for key in ("recipe", "phase", "path", "batch_size", "target")]
        return " ".join(words), words[-1]
    return None
