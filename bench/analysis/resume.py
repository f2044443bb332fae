"""The remainder of a run: what an interrupted one has not measured, and who may go on with it; it measures nothing."""

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
    """Return the steps of each pass that lack a record, without the passes that lack none.

    What failed left no record of its own, so that it is tried again; its failure stays in the run.
    """
    known = {identity(record) for record in records}
    found = [[step for step in steps if not known.issuperset(_answers(step))] for steps in passes]
    return [steps for steps in found if steps]


def identity(record: Record) -> Hashable:
    """Return what tells the one record of something from others of its kind; None where there may be many."""
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
    """Return what ``done`` was asked for; ExpectedError where it does not say."""
    if done.header.options is None:
        raise ExpectedError(
            f"expected a run that `bench run` began; {done.header.run_id} compares targets, or is older than --resume"
        )
    return done.header.options


def check(done: Run, corpus: Corpus) -> None:
    """Raise ExpectedError unless this machine, checkout and corpus are those that measured ``done``."""
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
            f"expected the machine, commit, corpus and packages that began {header.run_id}; {'; '.join(differing)}. "
            "Restore them, or begin anew and hold the two side by side with `bench compare`"
        )


def _answers(step: Step) -> Iterator[Hashable]:
    """Yield the identities of the records to which ``step`` leads."""
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
