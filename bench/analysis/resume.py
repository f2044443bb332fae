"""Resume an interrupted run: what it has not measured yet, and whether it may be resumed here."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence

from bench.plan import steps, targets
from bench.plan.steps import BaselineTraining, Counting, ParityCheck, Serving, Startup, Step, Timing, Training
from bench.records import machine, packages
from bench.records.schema import (
    BaselineRecord,
    CounterRecord,
    ParityRecord,
    PeaksRecord,
    Record,
    RunOptions,
    ServingRecord,
    TargetRecord,
    TimingRecord,
    TrainingRecord,
)
from bench.records.store import Run
from datasets.corpus import Corpus
from datasets.errors import ExpectedError


def outstanding(passes: Sequence[Sequence[Step]], records: Sequence[Record]) -> list[list[Step]]:
    """Return the steps of each pass that lack a record, without complete passes.

    Failed work has no record of its own and is repeated; its failure stays in the run.
    """
    known = {identity(record) for record in records}
    found = [[step for step in steps if not known.issuperset(_expected_identities(step))] for steps in passes]
    return [steps for steps in found if steps]


def identity(record: Record) -> Hashable:
    """Return what identifies a record among others of its kind; None if there may be many alike."""
    match record:
        case TimingRecord():
            return "timing", record.cell, record.replicate
        case TrainingRecord():
            return "training", record.recipe, record.target, record.seed, record.path
        case CounterRecord():
            return "counters", record.cell
        case ParityRecord():
            return "parity", record.recipe, record.targets
        case ServingRecord():
            return "serving", record.recipe, record.target, record.served_on
        case BaselineRecord():
            return "baseline", record.recipe, record.name
        case PeaksRecord():
            return "peaks", record.target
        case _:
            return None


def options(done: Run) -> RunOptions:
    """Return the options of ``done``; ExpectedError if it has none."""
    if done.header.options is None:
        raise ExpectedError(
            f"expected a run started by `bench run`; {done.header.run_id} compares targets, or is older than --resume"
        )
    return done.header.options


def require_same_setup(done: Run, corpus: Corpus) -> None:
    """Raise ExpectedError unless machine, checkout, corpus and packages are those that measured ``done``."""
    header = done.header
    pairs = {
        "machine": (header.machine.title, machine.machine().title),
        "commit": (_title(header.commit), _title(machine.commit())),
        "corpus": (f"{header.corpus} {header.corpus_digest[:12]}", f"{corpus.name} {corpus.digest[:12]}"),
        **_versions(done),
    }
    differing = [f"{name} was {was}, is {now}" for name, (was, now) in pairs.items() if was != now]
    if differing:
        raise ExpectedError(
            f"expected the machine, commit, corpus and packages of {header.run_id}; {'; '.join(differing)}. "
            "Restore them, or start a new run and compare the two with `bench compare`"
        )


def _expected_identities(step: Step) -> Iterator[Hashable]:
    """Yield the identities of the records that ``step`` produces."""
    name = step.recipe.name
    match step:
        case Timing() | Startup():
            yield from (("timing", cell, step.replicate) for cell in steps.step_cells(step))
        case Training():
            yield "training", name, step.target.name, step.seed, step.path
        case Counting():
            yield from (("counters", cell) for cell in step.cells)
        case ParityCheck():
            yield "parity", name, tuple(target.name for target in step.targets)
        case Serving():
            yield from (
                ("serving", name, t.name, backend)
                for t in step.targets
                for backend in targets.installed_serving_backends()
            )
        case BaselineTraining():
            yield "baseline", name, step.baseline


def _versions(done: Run) -> dict[str, tuple[str, str]]:
    here = packages.versions()
    last = {record.target: record.facts.versions for record in done.records if isinstance(record, TargetRecord)}
    return {
        f"{package} of {target}": (was, here.get(package, "missing"))
        for target, versions in last.items()
        for package, was in versions.items()
    }


def _title(commit: machine.Commit | None) -> str:
    return "unknown" if commit is None else commit.title
