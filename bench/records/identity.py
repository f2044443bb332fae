"""The identity of a record in its run: what a plan names, what is looked for on resume, and what may occur once."""

from __future__ import annotations

from bench.records.schema import (
    BaselineRecord,
    Cell,
    ComparisonRecord,
    CounterRecord,
    ExportsRecord,
    ParityRecord,
    PeaksRecord,
    Record,
    RunHeader,
    ServingRecord,
    TimingRecord,
    TrainingRecord,
)


def of(record: Record) -> str | None:
    """Return what ``record`` measured, in words; None for a record of which there may be many.

    A cell that was timed again after a resume has the same identity: the later attempt replaces the earlier one.
    """
    match record:
        case TimingRecord():
            return timing(record.cell, record.replicate)
        case TrainingRecord():
            return training(record.recipe, record.target, seed=record.seed, path=record.path)
        case CounterRecord():
            return counters(record.cell)
        case ParityRecord():
            return parity(record.recipe, record.targets)
        case ServingRecord():
            return serving(record.recipe, record.target, record.served_on)
        case ExportsRecord():
            return exports(record.recipe, record.target)
        case BaselineRecord():
            return baseline(record.recipe, record.name)
        case PeaksRecord():
            return peaks(record.target)
        case RunHeader() | ComparisonRecord():
            return record.kind
        case _:
            return None


def timing(cell: Cell, replicate: int) -> str:
    return f"{cell.name}, process {replicate}"


def training(recipe: str, target: str, *, seed: int, path: str) -> str:
    return f"{recipe} trained by {path}, seed {seed}, {target}"


def counters(cell: Cell) -> str:
    return f"counters of {cell.name}"


def parity(recipe: str, targets: tuple[str, ...]) -> str:
    return f"{recipe} parity {' = '.join(targets)}"


def serving(recipe: str, target: str, served_on: str) -> str:
    return f"{recipe} saved by {target}, served on {served_on}"


def exports(recipe: str, target: str) -> str:
    return f"{recipe} exported by {target}"


def baseline(recipe: str, name: str) -> str:
    return f"{recipe} {name}"


def peaks(target: str) -> str:
    return f"peaks of {target}"
