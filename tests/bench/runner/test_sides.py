"""Tests of the sides: which targets the words of a command name."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import ROOT
from bench.plan import steps
from bench.plan.gate import Gate
from bench.plan.steps import Timing
from bench.plan.targets import Target
from bench.records.schema import Record
from bench.runner import environments, sides
from bench.runner.environments import Interpreter, Requirement
from datasets.errors import ExpectedError, UsageError
from models.recipes import DENSE
from tests.bench import made
from tests.bench.made import blocks
from tests.bench.runner.test_worktrees import git, repository

__all__ = ["repository"]

QUIET = [Target("jax", quiet=True), Target("tensorflow", quiet=True)]


def test_this_suite_s_own_commits_differ_in_their_checkout() -> None:
    """The worker of each side is its own: what the suite changes in it is measured."""
    with sides.commits(QUIET, "HEAD") as found:
        names = [target.name for target in found.targets]
        base, head, *_ = found.targets
        assert names == ["jax-cpu@base", "jax-cpu@head", "tensorflow-cpu@base", "tensorflow-cpu@head"]
        assert (head.checkout, base.recipes) == (ROOT, None)
        assert (base.checkout / "bench" / "worker").is_dir()
        assert all(target.quiet for target in found.targets)
        assert list(found.labels) == ["base", "head"]
        assert found.labels["base"].startswith("HEAD (")
    assert not base.checkout.exists()


def test_somebody_else_s_commits_differ_in_their_recipes(repository: Path) -> None:
    """This suite's worker reads each side's own file, and its imports from that side's folder."""
    with sides.commits(QUIET[:1], "HEAD~1", repository=repository, recipes=Path("model.py")) as found:
        base, head = found.targets
        assert (head.checkout, base.checkout) == (ROOT, ROOT)
        assert (head.recipes, head.folder) == (repository / "model.py", repository)
        assert base.recipes is not None
        assert base.recipes.read_text() == "NUMBER = 1\n"
        assert base.folder == base.recipes.parent


@pytest.mark.parametrize(("file", "words"), [(None, "--repo needs --recipes"), (Path("../x.py"), "inside the repos")])
def test_a_file_of_recipes_lies_inside_its_repository(repository: Path, file: Path | None, words: str) -> None:
    """Otherwise both sides would read the same file, and nothing would be compared."""
    with pytest.raises(ExpectedError, match=words), sides.commits(QUIET, "HEAD", repository=repository, recipes=file):
        pass
    assert len(git(repository, "worktree", "list").splitlines()) == 1


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Build no environment; note for which requirements one was asked."""
    asked: list[str] = []

    def build(requirement: Requirement, folder: Path, python: Interpreter, *, notice: object) -> str:
        asked.append(requirement.label)
        return f"{requirement.label}/bin/python"

    monkeypatch.setattr(environments, "build", build)
    monkeypatch.setattr(environments, "interpreter", lambda _: Interpreter.here())
    return asked


@pytest.mark.parametrize(
    ("texts", "backends"),
    [
        (["keras==3.14.1", "keras==3.15.1"], ["jax", "tensorflow"]),
        (["jax==0.9.0", "jax==0.10.2"], ["jax"]),
        (["tensorflow-cpu==2.20", "tensorflow-cpu==2.21"], ["tensorflow"]),
        (["numpy>=2", "numpy<2"], ["jax", "tensorflow"]),
    ],
)
def test_versions_are_compared_where_they_can_be_noticed(
    built: list[str], texts: list[str], backends: list[str]
) -> None:
    """Another JAX does not change TensorFlow, so TensorFlow is left out."""
    found = sides.versions(QUIET, [Requirement(text) for text in texts], Path("made"), notice=print)
    assert built == texts
    assert [(t.backend, t.label, t.python) for t in found.targets] == [
        (backend, text, f"{text}/bin/python") for backend in backends for text in texts
    ]
    assert list(found.labels) == texts


def test_two_locks_of_one_name_are_refused(built: list[str], tmp_path: Path) -> None:
    """A table could not tell them apart, and one would silently take the place of the other."""
    texts = []
    for folder in (tmp_path / "old", tmp_path / "new"):
        folder.mkdir()
        (folder / "cpu.txt").write_text("keras==3.15.1\n")
        texts.append(str(folder / "cpu.txt"))
    with pytest.raises(UsageError, match=r"different names.* received cpu\.txt cpu\.txt; rename a file"):
        sides.versions(QUIET, [Requirement(text) for text in texts], Path("made"), notice=print)
    assert not built


def test_a_lock_s_side_says_what_it_has(built: list[str], tmp_path: Path) -> None:
    """A name of a file tells a reader nothing about what was compared."""
    (tmp_path / "old.txt").write_text("keras==3.14.1\nnumpy==2.4\n")
    wanted = [Requirement(str(tmp_path / "old.txt")), Requirement("keras==3.15.1")]
    found = sides.versions(QUIET, wanted, Path("made"), notice=print)
    assert found.labels == {"old.txt": "keras 3.14.1, numpy 2.4", "keras==3.15.1": "keras==3.15.1"}


def test_a_run_holds_its_rule_before_it_measures(built: list[str]) -> None:
    """Margin, level, sides and controls are on disk first; flagged cells are asked for again."""
    found = sides.versions(QUIET, [Requirement("keras==1"), Requirement("keras==2")], Path("made"), notice=print)
    spec = found.run_spec(Gate([DENSE], found.targets, 2), margin=0.02, alpha=0.1, order_seed=7)
    assert spec.comparison is not None
    assert (spec.comparison.margin, spec.comparison.alpha, spec.comparison.replicates) == (0.02, 0.1, 2)
    assert spec.comparison.controls == {"itself": "base again", "extra work": "base +10% work"}
    assert len(spec.passes()) == 6  # counters and two processes, on two backends
    assert spec.next_passes is not None
    assert list(spec.next_passes(lambda: ())) == []


def test_open_cells_are_settled_before_what_is_slower_is_confirmed(built: list[str]) -> None:
    """Each process is chosen from the records that are there by then: the fourth decides, and others confirm."""
    found = sides.versions(QUIET[:1], [Requirement("keras==1"), Requirement("keras==2")], Path("made"), notice=print)
    gate = Gate([DENSE], found.targets, 5, controls=False)
    spec = found.run_spec(gate, margin=0.03, alpha=0.05, order_seed=7)
    records = compared([1.07, 1.1, 1.13])
    assert spec.next_passes is not None
    asked = []
    for some in spec.next_passes(records.copy):
        asked += [(step.phase, steps.replicate([step])) for step in some if isinstance(step, Timing)]
        records.extend(compared([1.1], first=asked[-1][1]))
    assert asked == [("train", replicate) for replicate in (3, 5, 6, 7)]


def compared(ratios: list[float], *, first: int = 0) -> list[Record]:
    """Return the training cell of both versions in a replicate for each ratio of their seconds."""
    return [
        made.timing(
            made.cell("train", "compiled step", target=f"jax-cpu@{label}"),
            blocks(*[0.01 * slower] * 3),
            replicate=number,
        )
        for number, ratio in enumerate(ratios, first)
        for label, slower in (("keras==1", 1.0), ("keras==2", ratio))
    ]
