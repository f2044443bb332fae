"""Forgeries: what somebody may do to a run before sending it, and how many of them `verify` finds.

`python -m tests.faults --forge RUN` forges an honest run in fifty ways.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench.analysis.verification import rules
from bench.records import bundle, identity, store
from bench.records.schema import PlanRecord, Record, RunHeader, Sample, TimingRecord, TrainingRecord
from bench.records.store import Run, StoreError

SEEDS = range(5)

Forge = Callable[[list[Record], random.Random], list[Record]]


@dataclass(frozen=True)
class Forgery:
    """What was done, and which rules failed: none where it was not found."""

    deed: str
    seed: int
    found: tuple[str, ...]


def faster(records: list[Record], chance: random.Random) -> list[Record]:
    """Every block of a cell takes half of its time."""
    cell = _timing(records, chance).cell
    return [_scaled(r, 0.5) if isinstance(r, TimingRecord) and r.cell == cell else r for r in records]


def a_little_faster(records: list[Record], chance: random.Random) -> list[Record]:
    """Every block of a cell takes a tenth less."""
    cell = _timing(records, chance).cell
    return [_scaled(r, 0.9) if isinstance(r, TimingRecord) and r.cell == cell else r for r in records]


def one_process_faster(records: list[Record], chance: random.Random) -> list[Record]:
    """One process of a cell takes a third of its time."""
    chosen = _timing(records, chance)
    return [_scaled(r, 1 / 3) if r is chosen else r for r in records]


def swapped_backends(records: list[Record], chance: random.Random) -> list[Record]:
    """The timings of two backends change their names."""
    del chance
    names = sorted({r.cell.target for r in records if isinstance(r, TimingRecord)})[:2]
    other = dict(zip(names, reversed(names), strict=True))

    def swapped(record: Record) -> Record:
        if not isinstance(record, TimingRecord):
            return record
        cell = record.cell.model_copy(update={"target": other[record.cell.target]})
        return record.model_copy(update={"cell": cell})

    return [swapped(record) for record in records]


def dropped_cell(records: list[Record], chance: random.Random) -> list[Record]:
    """The records of a cell are left out."""
    cell = _timing(records, chance).cell
    return [record for record in records if not (isinstance(record, TimingRecord) and record.cell == cell)]


def dropped_cell_and_plan(records: list[Record], chance: random.Random) -> list[Record]:
    """The records of a cell are left out, and the plan does not name it."""
    cell = _timing(records, chance).cell
    gone = {identity.of(r) for r in records if isinstance(r, TimingRecord) and r.cell == cell}

    def without(record: Record) -> Record:
        if not isinstance(record, PlanRecord):
            return record
        return record.model_copy(update={"work": [work for work in record.work if work not in gone]})

    return [without(record) for record in dropped_cell(records, random.Random()) if identity.of(record) not in gone]


def copied_process(records: list[Record], chance: random.Random) -> list[Record]:
    """A process takes the place of another."""
    chosen = _timing(records, chance)
    others = [r for r in records if isinstance(r, TimingRecord) and r.cell == chosen.cell and r is not chosen]
    other = chance.choice(others)
    return [chosen.model_copy(update={"replicate": other.replicate}) if r is other else r for r in records]


def another_commit(records: list[Record], chance: random.Random) -> list[Record]:
    """The header names a commit that never was."""
    header = records[0]
    assert isinstance(header, RunHeader)
    assert header.commit is not None
    commit = header.commit.model_copy(update={"revision": f"{chance.getrandbits(160):040x}"})
    return [header.model_copy(update={"commit": commit}), *records[1:]]


def reordered_turns(records: list[Record], chance: random.Random) -> list[Record]:
    """The blocks of a cell are shuffled, so that quick ones have quick neighbours."""
    chosen = _timing(records, chance)
    warm, timed = ([s for s in chosen.samples if s.warmup is kind] for kind in (True, False))
    shuffled = chosen.model_copy(update={"samples": [*warm, *timed[::-1]]})
    return [shuffled if record is chosen else record for record in records]


def better_accuracy(records: list[Record], chance: random.Random) -> list[Record]:
    """A training has four hundredths more test accuracy."""
    trained = chance.choice([r for r in records if isinstance(r, TrainingRecord)])
    phases = {
        name: result.model_copy(update={"test_accuracy": min(1.0, result.test_accuracy + 0.04)})
        if result.test_accuracy is not None
        else result
        for name, result in trained.phases.items()
    }
    return [r.model_copy(update={"phases": phases}) if r is trained else r for r in records]


DEEDS: dict[str, Forge] = {
    "every block of a cell in half its time": faster,
    "every block of a cell in a tenth less": a_little_faster,
    "one process in a third of its time": one_process_faster,
    "two backends change names": swapped_backends,
    "a cell is left out": dropped_cell,
    "a cell is left out of records and plan": dropped_cell_and_plan,
    "a process in place of another": copied_process,
    "a commit that never was": another_commit,
    "blocks in another order": reordered_turns,
    "more accuracy": better_accuracy,
}


def forge(run: Run, folder: Path) -> list[Forgery]:
    """Return every forgery of ``run`` with what `verify` finds in its bundle; digests are made again each time."""
    honest = {check.rule for check in rules.checks(run, submitted=True) if check.answer == "failed"}
    found = []
    for deed, do in DEEDS.items():
        for seed in SEEDS:
            forged = do([run.header, *run.records], random.Random(f"{deed} {seed}"))
            place = folder / f"{deed} {seed}"
            failed = _failed(_bundled(forged, place)) - honest
            found.append(Forgery(deed, seed, tuple(sorted(failed))))
    return found


def _bundled(records: Sequence[Record], place: Path) -> Path:
    writer = store.RunWriter(place / "run")
    writer.append(*records)
    writer.close()
    return bundle.write(store.read(place / "run"), place)


def _failed(file: Path) -> set[str]:
    try:
        with bundle.opened(file) as run:
            return {check.rule for check in rules.checks(run, submitted=True) if check.answer == "failed"}
    except StoreError as error:
        return {str(error)}


def _timing(records: Sequence[Record], chance: random.Random) -> TimingRecord:
    return chance.choice([r for r in records if isinstance(r, TimingRecord) and r.cell.phase != "startup"])


def _scaled(record: TimingRecord, factor: float) -> TimingRecord:
    return record.model_copy(update={"samples": [_shorter(sample, factor) for sample in record.samples]})


def _shorter(sample: Sample, factor: float) -> Sample:
    calls: Any = None if sample.calls_s is None else [call * factor for call in sample.calls_s]
    return replace(sample, duration_s=sample.duration_s * factor, calls_s=calls)
