"""A whole bisection with made workers: what it measures, how it resumes, and what its records say."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bench.analysis.bisection import result
from bench.analysis.bisection.result import Result
from bench.analysis.bisection.step import Rule
from bench.plan.gate import COMPILED
from bench.plan.targets import Target
from bench.records.schema import FailureRecord, TimingRecord
from bench.records.store import Run
from bench.runner import environments, run, worktrees
from bench.runner.bisection import candidates
from bench.runner.bisection.bisect import Bisection
from bench.runner.bisection.candidates import between_versions, published, releases
from bench.runner.process import WorkerLost
from datasets.errors import ExpectedError, UsageError
from models.recipes import DENSE
from tests.bench.made import DIGEST, FakeWorker
from tests.bench.runner.test_run import Deaf
from tests.bench.runner.test_worktrees import git, repository

__all__ = ["repository"]

COMMITS = 8
RULE = Rule(margin=0.02, alpha=0.05, most=6)


@dataclass
class Made:
    """Candidates c0 to c8 that need no building; ``broken`` ones cannot be built."""

    broken: Sequence[str] = ()
    backends: tuple[str, ...] = ("jax",)
    titles: dict[str, str] = field(
        default_factory=lambda: {f"c{number}": f"change {number}" for number in range(COMMITS + 1)}
    )

    def target(self, base: Target, label: str) -> Target:
        if label in self.broken:
            raise ExpectedError("cannot install: no wheel")
        return replace(base, label=label)


@dataclass
class World:
    """Workers whose repeats take 10 ms, and a tenth more from the commit ``culprit`` on, each off by some per cent."""

    out: Path
    culprit: int = 5
    stops_after: int = 10_000
    lost: Sequence[str] = ()
    started: list[str] = field(default_factory=list)

    def start(self, target: Target, *, hash_seed: int, **_: Any) -> FakeWorker:
        """Take the place of `WorkerProcess`."""
        if len(self.started) == self.stops_after:
            raise KeyboardInterrupt
        self.started.append(target.label)
        if target.label in self.lost:
            raise WorkerLost(f"{target.name}: it ended")
        slower = 1.1 if int(target.label[1:]) >= self.culprit else 1.0
        process = 1 + random.Random(f"{target.label} {hash_seed}").gauss(0, 0.004)
        return FakeWorker(lambda _, repeats: 0.01 * repeats * slower * process, name=target.name)

    def search(self, made: Made | None = None, resumed: Run | None = None) -> Result:
        located = SimpleNamespace(corpus=SimpleNamespace(name="imdb", digest=DIGEST), folder=self.out)
        planned = Bisection([DENSE], [Target("jax", quiet=True)], made or Made(), RULE, [COMPILED])
        spec = planned.run_spec(order_seed=7, resumed=resumed)
        done = run.execute(spec, located, out=self.out, command="made", watch=Deaf())  # type: ignore[arg-type]
        return result.of(done)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., World]:
    """Make a world in which `bench.runner.run` runs."""

    def make(**options: Any) -> World:
        found = World(tmp_path, **options)
        monkeypatch.setattr(run, "WorkerProcess", found.start)
        monkeypatch.setattr(run.targets, "missing", lambda target: target.unusable or None)
        return found

    return make


def timed(run: Run) -> list[tuple[str, int]]:
    """Return the name and the replicate of everything that was timed."""
    return [(one.cell.name, one.replicate) for one in run.records if isinstance(one, TimingRecord)]


def test_a_bisection_finds_the_culprit_and_keeps_every_step(world: Callable[..., World]) -> None:
    """Three halvings of eight; its records alone say what was found, and how each step ended."""
    made = world()
    found = made.search()
    assert (found.conclusion.ending, found.conclusion.culprits, found.conclusion.parent) == ("found", ("c5",), "c4")
    assert [step.kind for step in found.state.steps] == ["ends", "ends again", *["candidate"] * 3, "proof"]
    assert found.run.finished
    assert found.run.missing() == []
    assert set(made.started[:12]) == {"c0", "c8"}
    assert set(made.started[-10:]) == {"c4", "c5"}
    assert found.change is not None
    assert found.change.from_good.value == pytest.approx(1.1, abs=0.01)
    assert {row.title for row in found.rows} >= {"change 5", "change 8"}


def test_a_step_measures_a_candidate_beside_both_ends(world: Callable[..., World]) -> None:
    """Three targets in one pass are neighbours in time; each process of a step has another hash seed."""
    made = world()
    made.search()
    middle = made.started.index("c4")
    assert sorted(made.started[middle - 1 : middle + 2]) == ["c0", "c4", "c8"]


@pytest.mark.parametrize("stops_after", [1, 5, 14, 22, 27, 36])
def test_an_interrupted_bisection_resumes_where_it_was(world: Callable[..., World], stops_after: int) -> None:
    """In the ends, in a step, in the proof: nothing is measured twice, and the answer is that of one session."""
    whole = timed(world().search().run)
    made = world(stops_after=stops_after)
    with pytest.raises(KeyboardInterrupt):
        made.search()
    kept = run.store.read(run.store.runs(made.out)[-1])
    assert result.of(kept).conclusion.reason == "it was interrupted: --resume continues it"
    found = world().search(resumed=kept)
    assert found.conclusion.culprits == ("c5",)
    assert sorted(timed(found.run)) == sorted(whole)
    assert timed(found.run)[: len(timed(kept))] == timed(kept)
    assert found.run.missing() == []


def test_a_bisection_of_other_commits_is_not_resumed(world: Callable[..., World]) -> None:
    """The rule names the candidates: a history that grew is another search."""
    done = world().search()
    grown = Made()
    grown.titles["c9"] = "change 9"
    with pytest.raises(ExpectedError, match="measures other work, or decides by another rule"):
        world().search(grown, resumed=done.run)


def test_a_candidate_that_cannot_be_built_is_skipped_and_recorded(world: Callable[..., World]) -> None:
    """Its reason is on disk, so that a resumed search skips it too; nothing beside it is measured in vain."""
    made = world()
    found = made.search(Made(broken=["c4"]))
    assert found.conclusion.ending == "interval"
    assert found.conclusion.culprits == ("c4", "c5")
    (failure,) = {one.reason for one in found.run.records if isinstance(one, FailureRecord)}
    assert failure == "jax-cpu@c4: cannot install: no wheel"
    assert "c4" not in made.started
    assert [row.reason for row in found.rows if row.answer == "skipped"] == [failure]


def test_a_candidate_whose_worker_ends_is_skipped(world: Callable[..., World]) -> None:
    """A commit that crashes is no slower and no faster one."""
    found = world(culprit=3).search(), world(culprit=3, lost=["c4"]).search()
    assert [one.conclusion.culprits for one in found] == [("c3",), ("c3",)]
    assert [step.answer for step in found[1].state.steps].count("skipped") == 1


def test_an_end_that_cannot_be_built_is_told_before_anything_is_measured(world: Callable[..., World]) -> None:
    made = world()
    with pytest.raises(ExpectedError, match="no wheel"):
        made.search(Made(broken=["c8"]))
    assert run.store.runs(made.out) == []


def test_an_end_whose_worker_ends_stops_the_search(world: Callable[..., World]) -> None:
    """Its reason is the answer."""
    found = world(lost=["c0"]).search()
    assert found.conclusion.ending == "failed"
    assert "it ended" in found.conclusion.reason


def test_commits_are_those_along_first_parents_each_in_a_worktree(repository: Path) -> None:
    """A merged branch is one candidate, the merge; worktrees live until the bisection ends."""
    git(repository, "checkout", "--quiet", "-b", "side", "HEAD~1")
    (repository / "other.py").write_text("OTHER = 1\n")
    git(repository, "add", "other.py")
    git(repository, "commit", "--quiet", "--message", "on the side")
    git(repository, "checkout", "--quiet", "main")
    git(repository, "merge", "--quiet", "--no-ff", "--message", "merged", "side")
    with candidates.commits("HEAD~2", "HEAD", repository=repository, recipes=Path("model.py")) as found:
        assert list(found.titles.values()) == ["number 1", "number 2", "merged"]
        first, *_, last = found.titles
        targets = [found.target(Target("jax"), label) for label in (first, last, first)]
        assert [target.recipes.read_text() for target in targets if target.recipes] == [
            "NUMBER = 1\n",
            "NUMBER = 2\n",
            "NUMBER = 1\n",
        ]
        assert targets[0] == targets[2]
        assert targets[0].folder == targets[0].recipes.parent  # type: ignore[union-attr]
    assert len(git(repository, "worktree", "list").splitlines()) == 1


def test_a_commit_without_the_file_of_recipes_cannot_be_measured(repository: Path) -> None:
    """It is skipped: the file was added later, or was moved."""
    (repository / "later.py").write_text("NUMBER = 3\n")
    git(repository, "add", "later.py")
    git(repository, "commit", "--quiet", "--message", "number 3")
    with candidates.commits("HEAD~2", "HEAD", repository=repository, recipes=Path("later.py")) as found:
        first, *_, last = found.titles
        assert found.target(Target("jax"), last).recipes
        with pytest.raises(ExpectedError, match=r"it has no file later\.py"):
            found.target(Target("jax"), first)


@pytest.mark.parametrize(
    ("good", "bad", "words"),
    [
        ("HEAD", "HEAD~1", "expected HEAD to be an ancestor of HEAD~1; it is none: name an older commit, or swap"),
        ("HEAD", "main", "it is the same"),
    ],
)
def test_a_good_end_is_an_ancestor_of_the_bad_one(repository: Path, good: str, bad: str, words: str) -> None:
    """Between other commits there is no history to search."""
    with pytest.raises(UsageError, match=words):
        worktrees.history(repository, good, bad)


def test_releases_are_those_between_two_versions_oldest_first() -> None:
    """As versions are ordered, not as words are; the ends themselves are given."""
    known = ["3.15.1", "3.9.0", "3.10.0", "3.15.0rc1", "3.8.0"]
    assert between_versions(known, "3.8.0", "3.15.1") == ["3.9.0", "3.10.0", "3.15.0rc1"]
    with pytest.raises(UsageError, match=r"expected --good to be older than --bad; received 3\.15\.1 and 3\.8\.0"):
        between_versions(known, "3.15.1", "3.8.0")
    with pytest.raises(UsageError, match=r"expected a version such as 3\.14\.1; received 'newest'"):
        between_versions(known, "3.8.0", "newest")


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """An index with three versions of keras; the commands that asked it."""
    asked: list[list[str]] = []

    def answer(words: list[str], **_: Any) -> SimpleNamespace:
        asked.append(words)
        known = "keras (3.15.1)\nAvailable versions: 3.15.1, 3.15.0, 3.14.1, not-a-version\n"
        return SimpleNamespace(stdout=known if words[-1] == "keras" else "", stderr="ERROR: No matching distribution\n")

    monkeypatch.setattr(subprocess, "run", answer)
    monkeypatch.setattr(environments, "interpreter", lambda _: environments.Interpreter.here())
    return asked


def test_the_index_lists_the_versions_through_pip(listed: list[list[str]]) -> None:
    """Nightlies only where they are asked for; a package that it does not have says what to do."""
    assert published("keras", nightlies=False) == ["3.15.1", "3.15.0", "3.14.1"]
    assert "--pre" not in listed[0]
    published("keras", nightlies=True)
    assert "--pre" in listed[1]
    with pytest.raises(ExpectedError, match=r"versions of kears: ERROR: No matching distribution; name them .*--cand"):
        published("kears", nightlies=False)


def test_a_release_has_an_environment_that_is_built_when_it_is_asked(
    listed: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A search of 64 nightlies builds eight of them."""
    built: list[str] = []

    def build(
        requirement: environments.Requirement, folder: Path, python: environments.Interpreter, *, notice: object
    ) -> str:
        built.append(requirement.text)
        return f"{requirement.label}/bin/python"

    monkeypatch.setattr(environments, "build", build)
    found = releases("keras", "3.14.1", "3.15.1", folder=Path("made"), notice=print)
    assert list(found.titles) == ["keras==3.14.1", "keras==3.15.0", "keras==3.15.1"]
    assert found.backends == ("jax", "tensorflow")
    assert built == []
    assert found.target(Target("jax"), "keras==3.15.0").python == "keras==3.15.0/bin/python"
    assert built == ["keras==3.15.0"]


def test_candidates_may_be_named_as_whole_requirements(listed: list[list[str]]) -> None:
    """Nightlies of a package may have another name, and their order is what the user says."""
    found = releases(
        "keras",
        "3.14.1",
        "keras-nightly==3.16.0.dev2",
        candidates=["3.15.0", "keras-nightly==3.16.0.dev1"],
        folder=Path("made"),
        notice=print,
    )
    assert [*found.titles] == [
        "keras==3.14.1",
        "keras==3.15.0",
        "keras-nightly==3.16.0.dev1",
        "keras-nightly==3.16.0.dev2",
    ]
    assert listed == []
    with pytest.raises(UsageError, match="two different releases"):
        releases("keras", "3.15.1", "3.15.1", candidates=["3.15.1"], folder=Path("made"), notice=print)
