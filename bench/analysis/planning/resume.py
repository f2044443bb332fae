"""Resume an interrupted run: what it has not measured yet, and whether it may be resumed here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bench import PROGRAM
from bench.plan import steps
from bench.plan.steps import Step
from bench.plan.targets import Target
from bench.records import identity, machine, packages, settings
from bench.records.schema import ComparisonRecord, PlanRecord, Record, RunOptions, TargetRecord
from bench.records.store import Run
from datasets.corpus import Corpus
from datasets.errors import ExpectedError
from models.recipes import Recipe


def outstanding(passes: Sequence[Sequence[Step]], records: Sequence[Record]) -> list[list[Step]]:
    """Return the steps of each pass that lack a record, without complete passes.

    A step that lacks one of its cells is outstanding as a whole: its cells are compared with each other, and only
    blocks that were neighbours can be. Failed work is repeated.
    """
    known = {identity.of(record) for record in records}
    found = [[step for step in work if not known.issuperset(steps.identities(step))] for work in passes]
    return [left for left in found if left]


def options(done: Run) -> RunOptions:
    """Return the options of ``done``; ExpectedError if it has none."""
    if done.header.options is None:
        raise ExpectedError(
            f"expected a run started by `{PROGRAM} run`; {done.header.run_id} compares targets: give its own command "
            "again, with --resume"
        )
    return done.header.options


def require_same_setup(done: Run, corpus: Corpus) -> None:
    """Raise ExpectedError unless ``done`` can be resumed here: same machine, checkout, corpus, packages, settings."""
    header = done.header
    if not header.planned:
        raise ExpectedError(
            f"{header.run_id} was written by an older version, which did not record its plan: start a new run"
        )
    pairs = {
        "machine": (header.machine.title, machine.machine().title),
        "commit": (_title(header.commit), _title(machine.commit())),
        "corpus": (f"{header.corpus} {header.corpus_digest[:12]}", f"{corpus.name} {corpus.digest[:12]}"),
        **_versions(done),
    }
    differing = [f"{name} was {was}, is {now}" for name, (was, now) in pairs.items() if was != now]
    if header.settings is not None:
        differing += settings.differences(header.settings, settings.settings())
    if differing:
        raise ExpectedError(
            f"expected the machine, commit, corpus, packages and settings of {header.run_id}; {'; '.join(differing)}. "
            f"Restore them, or start a new run and compare the two with `{PROGRAM} compare`"
        )


def user_files(done: Run) -> list[str]:
    """Return the names of the user's files whose recipes ``done`` measures."""
    return list(dict.fromkeys(recipe.file for recipe in done.header.recipes if recipe.file))


def require_same_recipes(done: Run, recipes: Sequence[Recipe]) -> None:
    """Raise ExpectedError unless ``recipes``, those that are not the suite's own, are the ones of ``done``."""
    before, now = (
        {recipe.name: replace(recipe, file="") for recipe in found} for found in (done.header.recipes, recipes)
    )
    changed = [name for name, recipe in before.items() if now.get(name) != recipe]
    if changed:
        raise ExpectedError(
            f"expected the recipes of {done.header.run_id}; {', '.join(changed)} changed since. Restore it, or start a "
            "new run"
        )


def require_same_work(done: Run, rule: ComparisonRecord | None, planned: PlanRecord) -> None:
    """Raise ExpectedError unless ``done`` was to do what is ``planned``, and decides by ``rule``."""
    rules = [record for record in done.records if isinstance(record, ComparisonRecord)]
    plans = [record.work for record in done.records if isinstance(record, PlanRecord)]
    if rules not in ([], [rule]) or plans[:1] not in ([], [planned.work]):
        raise ExpectedError(
            f"expected the command of {done.header.run_id}, which was {done.header.command!r}: this one measures "
            "other work, or decides by another rule"
        )


def plan(passes: Sequence[Sequence[Step]], peaks: Sequence[Target] = ()) -> PlanRecord:
    """Return the record of what ``passes`` are to measure, and of whose ``peaks`` are."""
    work = [found for each in passes for step in each for found in steps.identities(step)]
    return PlanRecord(work=[*(identity.peaks(target.name) for target in peaks), *dict.fromkeys(work)])


def _versions(done: Run) -> dict[str, tuple[str, str]]:
    """Return the packages of each target, then and now; the sides of a comparison name their own."""
    here = packages.versions()
    last = {record.target: record.facts.versions for record in done.records if isinstance(record, TargetRecord)}
    return {
        f"{package} of {target}": (was, here.get(package, "missing"))
        for target, versions in last.items()
        for package, was in versions.items()
        if not done.is_comparison
    }


def _title(commit: machine.Commit | None) -> str:
    return "unknown" if commit is None else commit.title
