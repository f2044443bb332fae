"""Resuming a run: every step is known by its records, and only the same setup may resume it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bench.analysis.planning import resume
from bench.plan import steps, targets
from bench.plan.steps import PROFILES, BaselineTraining, Counting, ParityCheck, Serving, Startup, Step, Timing, Training
from bench.plan.targets import Target
from bench.records import identity, packages
from bench.records.machine import Commit
from bench.records.schema import Record
from bench.records.store import Run
from datasets.corpus import Corpus
from datasets.errors import ExpectedError
from models.recipes import DENSE, LSTM
from tests.bench import made

TARGETS = (Target("jax"), Target("tensorflow"))
VERSIONS = made.target("jax-cpu").facts.versions | made.target("tensorflow-cpu").facts.versions
FULL = steps.passes([DENSE, LSTM], list(TARGETS), PROFILES["full"], seeds=2)
STEPS = [step for steps in FULL for step in steps]


def answers(step: Step) -> list[Record]:
    """Return the records to which ``step`` leads, made."""
    name, (one, *_) = step.recipe.name, step.targets
    match step:
        case Timing() | Startup():
            return [made.timing(cell, made.blocks(0.1), replicate=step.replicate) for cell in steps.step_cells(step)]
        case Training():
            return [made.training(name, one.name, seed=step.seed, path=step.path)]
        case Counting():
            return [made.counters(cell) for cell in step.cells]
        case ParityCheck():
            return [made.parity(recipe=name)]
        case BaselineTraining():
            return [made.baseline(step.baseline, recipe=name)]
        case Serving():
            return [
                made.serving(recipe=name, target=target.name, served_on=backend)
                for target in step.targets
                for backend in targets.installed_serving_backends()
            ]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"{step.recipe.name} {step.name}")
def test_a_step_is_outstanding_until_its_last_record(step: Step) -> None:
    """Whatever kind it is, half of it is not all of it, and a like step of another replicate is another."""
    whole = answers(step)
    assert resume.outstanding([[step]], whole) == []
    assert resume.outstanding([[step]], whole[:-1]) == [[step]]
    if isinstance(step, Timing | Startup):
        another = replace(step, replicate=step.replicate + 1)
        assert resume.outstanding([[step, another]], whole) == [[another]]


@pytest.mark.parametrize("count", [0, 1, 7, len(STEPS) - 1, len(STEPS)])
def test_what_is_outstanding_keeps_its_order_and_its_pass(count: int) -> None:
    """The first steps are done: the others come in their own order, and a complete pass starts no worker."""
    known = [record for step in STEPS[:count] for record in answers(step)]
    found = resume.outstanding(FULL, known)
    assert [step for steps in found for step in steps] == STEPS[count:]
    assert all(found)
    assert [len(steps) for steps in found][1:] == [len(steps) for steps in FULL[len(FULL) - len(found) + 1 :]]


def test_records_of_every_kind_that_is_measured_once_are_told_apart() -> None:
    """No two records of a whole full run have the same identity."""
    every = [identity.of(record) for step in STEPS for record in answers(step)]
    assert len(every) == len(set(every))


@pytest.mark.parametrize("record", [made.target(), made.failure(), made.plan(), made.resumed(), made.finished()])
def test_a_record_of_which_there_may_be_many_has_no_identity(record: Record) -> None:
    """A target greets in every pass, and what failed once may fail again."""
    assert identity.of(record) is None


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Corpus:
    """This machine is the made one, with its packages, checkout and corpus."""
    monkeypatch.setattr(packages, "versions", lambda: VERSIONS)
    monkeypatch.setattr(resume.machine, "machine", lambda: made.MACHINE)
    monkeypatch.setattr(resume.machine, "commit", lambda: made.header().commit)
    return Corpus("imdb", made.DIGEST, None, None, (), ())  # type: ignore[arg-type]


def begun(**changes: Any) -> Run:
    return made.run(options=made.OPTIONS, **changes)


def test_the_same_setup_may_resume(here: Corpus) -> None:
    """Nothing differs: nothing is raised."""
    resume.require_same_setup(begun(), here)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"machine": made.MACHINE.model_copy(update={"processors": 64})}, "machine was"),
        ({"commit": Commit(revision="b" * 40, dirty=False)}, "commit was bbbbbbbbbb, is aaaaaaaaaa"),
        ({"commit": Commit(revision="a" * 40, dirty=True)}, "with uncommitted changes, is"),
        ({"commit": None}, "commit was unknown"),
        ({"corpus": "synthetic"}, "corpus was synthetic"),
        ({"corpus_digest": "0" * 64}, "corpus was imdb 000000000000"),
    ],
)
def test_another_setup_is_refused_by_name(here: Corpus, changes: dict[str, Any], word: str) -> None:
    """Halves that were measured under different circumstances are no run."""
    with pytest.raises(ExpectedError, match=word):
        resume.require_same_setup(begun(**changes), here)


@pytest.mark.parametrize(("now", "word"), [({"keras": "9.9.9"}, "is 9.9.9"), ({"keras": None}, "is missing")])
def test_other_packages_are_refused_by_name(
    here: Corpus, monkeypatch: pytest.MonkeyPatch, now: dict[str, str | None], word: str
) -> None:
    """An environment that was renewed meanwhile measures something else."""
    versions = {**VERSIONS, **now}
    monkeypatch.setattr(packages, "versions", lambda: {name: v for name, v in versions.items() if v})
    with pytest.raises(ExpectedError, match=f"keras of jax-cpu was .*{word}"):
        resume.require_same_setup(begun(), here)


def test_a_run_with_options_can_be_resumed() -> None:
    """And one that does not, a comparison or one of an older version, is refused in words."""
    assert resume.options(begun()) == made.OPTIONS
    with pytest.raises(ExpectedError, match="compares targets: give its own command"):
        resume.options(made.run())
