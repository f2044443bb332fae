"""What speaks against publishing a run: it is damaged, unfinished, or not reproducible."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from bench.plan import steps
from bench.records import store
from bench.records.schema import ComparisonRecord, FailureRecord, Record, RunHeader, TimingRecord, TrainingRecord, parse
from bench.records.store import Run, StoreError
from models.recipes import RECIPES


def read(folder: Path) -> tuple[Run, list[str]]:
    """Return what can be read of the run in ``folder`` and what speaks against publishing it, in words.

    Raises StoreError where not even a header can be read: then there is no run.
    """
    file = folder / store.RECORDS
    try:
        lines = file.read_bytes().splitlines()
    except OSError as error:
        raise StoreError(f"no run at {folder}: {error.strerror}; `bench runs` lists what there is") from error
    header, *parsed = [_parsed(line) for line in lines] or [None]
    if not isinstance(header, RunHeader):
        raise StoreError(f"{file} does not begin with a run's header that this version can read")
    run = Run(folder, header, tuple(record for record in parsed if record is not None))
    lost = sum(record is None for record in parsed)
    damage = [f"damaged: {lost} of {len(lines)} records cannot be read"] if lost else []
    return run, damage + list(find(run))


def find(run: Run) -> Iterator[str]:
    """Yield what speaks against publishing ``run``, going by its records."""
    commit = run.header.commit
    if commit is None:
        yield "from no git checkout: it cannot be reproduced"
    elif commit.dirty:
        yield f"from a dirty checkout: files differed from commit {commit.revision[:10]}, it cannot be reproduced"
    failures = [record for record in run.records if isinstance(record, FailureRecord)]
    if failures:
        first = failures[0]
        yield (
            f"unfinished: {len(failures)} pieces of work gave no answer, "
            f"first {first.recipe} {first.work} on {first.target}: {first.reason}"
        )
    else:
        yield from _unfinished(run)


def _parsed(line: bytes) -> Record | None:
    try:
        return parse(line)
    except ValidationError:
        return None


def _unfinished(run: Run) -> Iterator[str]:
    """Yield what an interrupted run lacks: processes of a cell, seeds of a training, whole recipes."""
    timings = [record for record in run.records if isinstance(record, TimingRecord)]
    if not timings:
        yield "unfinished: it timed nothing"
        return
    processes = Counter(record.cell for record in timings)
    wanted = _processes(run, most=max(processes.values()))
    short = [cell for cell, count in processes.items() if count < wanted]
    if short:
        yield f"unfinished: {len(short)} cells lack processes, first {short[0].name}: {processes[short[0]]} of {wanted}"
    yield from _missing(run, {record.cell.recipe for record in timings})


def _processes(run: Run, *, most: int) -> int:
    """Return in how many processes each cell must have been timed; a budget promises the first alone."""
    rules = [record for record in run.records if isinstance(record, ComparisonRecord)]
    if rules:
        return rules[0].replicates
    if "--budget" in run.header.command.split():
        return 1
    profile = steps.PROFILES.get(run.header.profile)
    return max(most, profile.replicates if profile else 1)


def _missing(run: Run, timed: set[str]) -> Iterator[str]:
    words = run.header.command.split()
    asked = set(RECIPES) & set(words) if "--recipe" in words else set(RECIPES)
    missing = [] if run.is_comparison else [name for name in RECIPES if name in asked - timed]
    if missing:
        yield f"unfinished: it was to time {', '.join(missing)} as well"
    trained = [record for record in run.records if isinstance(record, TrainingRecord)]
    seeds = Counter((record.recipe, record.path, record.target) for record in trained)
    short = [key for key, count in seeds.items() if count < max(seeds.values())]
    if short:
        yield f"unfinished: {short[0][0]} by {short[0][1]} lacks seeds on {short[0][2]}"
