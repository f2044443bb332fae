"""Merge the shards of a run, measured apart, into one run for each kind of machine."""

from __future__ import annotations

import hashlib
import shlex
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from bench import COMMAND
from bench.records import identity, reference, settings, store
from bench.records.machine import Machine
from bench.records.schema import (
    FinishedRecord,
    MergedRun,
    PeaksRecord,
    Record,
    ResumedRecord,
    RunHeader,
    RunOptions,
    ShardOptions,
    TargetRecord,
)
from bench.records.store import LOGS, RECORDS, Run, RunWriter, StoreError


def merge(folders: Sequence[Path], out: Path) -> list[Run]:
    """Write one run under ``out`` for each kind of machine that measured the shards in ``folders``; return them.

    Timings of different machines stay apart. The same shards give the same run, which is written once. Raises
    StoreError where a shard is not finished or damaged, is there twice, or was measured otherwise than the others.
    """
    shards = _once(store.read(folder) for folder in folders)
    by_machine: dict[Machine, list[Run]] = {}
    for run in shards:
        by_machine.setdefault(run.header.machine, []).append(run)
    return [_merged(found, out) for found in by_machine.values()]


def lacking(header: RunHeader) -> list[str]:
    """Return the shards with work that a merged run lacks: "3/8"."""
    shard = header.options.shard if header.options else None
    there = {one.shard for one in header.merged}
    return [f"{number}/{shard.of}" for number in shard.with_work if number not in there] if shard else []


def _once(runs: Iterable[Run]) -> list[Run]:
    """Return each shard once; StoreError where a run differs from another with its name."""
    found: dict[str, Run] = {}
    for run in runs:
        _require_whole(run)
        name = run.header.run_id
        if name in found and _digest(found[name]) != _digest(run):
            raise StoreError(
                f"{name} is there twice with other content, in {found[name].folder} and {run.folder}: leave out the "
                "one that was changed"
            )
        found.setdefault(name, run)
    return list(found.values())


def _require_whole(run: Run) -> None:
    header = run.header
    if header.options is None or header.options.shard is None or header.merged:
        raise StoreError(f"{header.run_id} is no shard: measure shards with `run --shard 1/2`, `run --shard 2/2`, …")
    if not run.finished or run.open_damage:
        why = "is damaged" if run.open_damage else "was interrupted"
        raise StoreError(f"{header.run_id} {why}: resume it with `run --resume {header.run_id}`, then merge")


def _merged(shards: Sequence[Run], out: Path) -> Run:
    """Return the run of ``shards``, all of one machine, written under ``out`` unless it is there."""
    ordered = sorted(shards, key=lambda run: (_shard(run).number, run.header.run_id))
    _require_alike(ordered)
    header = _header(ordered)
    folder = out / header.run_id
    if not folder.exists():
        _write(folder, header, ordered)
    return store.read(folder)


def _write(folder: Path, header: RunHeader, shards: Sequence[Run]) -> None:
    """Write the run under another name first, so that an interruption leaves none that is cut."""
    unfinished = folder.with_name(f".{folder.name}")
    shutil.rmtree(unfinished, ignore_errors=True)
    writer = RunWriter(unfinished)
    try:
        writer.append(header, *_records(shards))
        for run in shards:
            _append_logs(run, writer.logs)
    finally:
        writer.close()
    own = shards[0].folder / reference.RUN_FILE
    if own.exists():
        shutil.copyfile(own, unfinished / reference.RUN_FILE)
    unfinished.rename(folder)


def _records(shards: Sequence[Run]) -> Iterator[Record]:
    """Yield the records of each shard in its order, peaks of the machine once, and one end."""
    peaks: set[str | None] = set()
    for run in shards:
        for record in run.records:
            match record:
                case RunHeader() | FinishedRecord():
                    continue
                case PeaksRecord() if identity.of(record) in peaks:
                    continue
                case PeaksRecord():
                    peaks.add(identity.of(record))
                    yield record
                case ResumedRecord():  # the lines that it numbers are the shard's
                    yield record.model_copy(update={"damaged": []})
                case _:
                    yield record
    yield FinishedRecord(finished_at=max(map(_finished_at, shards)))


def _header(shards: Sequence[Run]) -> RunHeader:
    """Return the header of the merged run; its name follows from what the shards measured."""
    first = min((run.header for run in shards), key=lambda header: header.started_at)
    merged = [
        MergedRun(
            run_id=run.header.run_id,
            shard=_shard(run).number,
            started_at=run.header.started_at,
            finished_at=_finished_at(run),
            order_seed=run.header.order_seed,
            digest=_digest(run),
        )
        for run in shards
    ]
    content = hashlib.sha256(" ".join(one.digest for one in merged).encode()).hexdigest()[:8]
    command = shlex.join([*COMMAND.split(), "merge", *(one.run_id for one in merged)])
    name = first.run_id.partition("-shard-")[0]
    changes = {"run_id": f"{name}-merged-{content}", "merged": tuple(merged), "command": command}
    return first.model_copy(update=changes)


def _require_alike(shards: Sequence[Run]) -> None:
    """Raise StoreError unless ``shards`` are different parts of the same work under the same circumstances."""
    first = shards[0]
    for before, run in pairwise(shards):
        if _shard(before).number == _shard(run).number:
            raise StoreError(
                f"shard {_shard(run).number}/{_shard(run).of} was measured twice on this machine, as "
                f"{before.header.run_id} and as {run.header.run_id}: leave out one"
            )
    for run in shards[1:]:
        differing = [*_differing(first, run)]
        if differing:
            raise StoreError(
                f"{run.header.run_id} was measured otherwise than {first.header.run_id}: {'; '.join(differing)}. Merge "
                "shards of one command, commit, corpus and environment"
            )


def _differing(first: Run, run: Run) -> Iterator[str]:
    """Yield what differs between two shards and must not."""
    pairs = {name: (find(first), find(run)) for name, find in _ALIKE.items()}
    yield from (f"{name} {was} and {now}" for name, (was, now) in pairs.items() if was != now)
    if first.header.settings and run.header.settings:
        yield from settings.differences(first.header.settings, run.header.settings)


_ALIKE: dict[str, Callable[[Run], object]] = {
    "profile": lambda run: run.header.profile,
    "corpus": lambda run: f"{run.header.corpus} {run.header.corpus_digest[:12]}",
    "commit": lambda run: run.header.commit.title if run.header.commit else "unknown",
    "options": lambda run: _common(run.header.options),
    "shards": lambda run: f"{_shard(run).of} with work in {_shard(run).with_work}",
    "recipes": lambda run: run.header.recipes,
    "packages": lambda run: _versions(run),
}


def _common(options: RunOptions | None) -> str:
    return options.model_dump_json(exclude={"shard"}) if options else ""


def _versions(run: Run) -> str:
    known = {record.facts.backend: record.facts.versions for record in run.records if isinstance(record, TargetRecord)}
    return ", ".join(sorted({f"{name} {version}" for of in known.values() for name, version in of.items()}))


def _shard(run: Run) -> ShardOptions:
    assert run.header.options is not None
    assert run.header.options.shard is not None
    return run.header.options.shard


def _finished_at(run: Run) -> str:
    return [record.finished_at for record in run.records if isinstance(record, FinishedRecord)][-1]


def _digest(run: Run) -> str:
    return hashlib.sha256((run.folder / RECORDS).read_bytes()).hexdigest()[:16]


def _append_logs(run: Run, into: Path) -> None:
    for log in sorted((run.folder / LOGS).glob("*.log")):
        with (into / log.name).open("ab") as file:
            file.write(f"--- {run.header.run_id}\n".encode() + log.read_bytes())
