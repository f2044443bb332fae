"""The checkouts, with real repositories: a revision in a folder of its own, and no trace of it afterwards."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bench.runner import worktrees
from datasets.errors import ExpectedError


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with two commits: `model.py` says 1 in the first and 2 in the second."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    for number in (1, 2):
        (folder / "model.py").write_text(f"NUMBER = {number}\n")
        git(folder, "add", "model.py")
        git(folder, "commit", "--quiet", "--message", f"number {number}")
    return folder


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=made", "-c", "user.email=made@example.com")
    return subprocess.run(["git", *who, *words], cwd=folder, capture_output=True, text=True, check=True).stdout


def test_a_revision_has_a_folder_of_its_own_for_a_while(repository: Path) -> None:
    """The working tree stays as it is, and nothing is left behind."""
    commit = worktrees.resolve(repository, "HEAD~1")
    with worktrees.worktree(repository, commit) as folder:
        assert (folder / "model.py").read_text() == "NUMBER = 1\n"
        assert (repository / "model.py").read_text() == "NUMBER = 2\n"
    assert not folder.exists()
    assert len(git(repository, "worktree", "list").splitlines()) == 1


def test_the_folder_goes_even_if_the_work_in_it_fails(repository: Path) -> None:
    commit = worktrees.resolve(repository, "main")
    with pytest.raises(RuntimeError, match="made"), worktrees.worktree(repository, commit):
        raise RuntimeError("made")
    assert len(git(repository, "worktree", "list").splitlines()) == 1


def test_a_dirty_tree_is_said_to_be_one(repository: Path) -> None:
    """What is measured as the head is what lies there."""
    clean = worktrees.describe(repository)
    (repository / "model.py").write_text("NUMBER = 3\n")
    assert worktrees.describe(repository) == f"{clean} with uncommitted changes"


@pytest.mark.parametrize("revision", ["nonsense", "--help", ""])
def test_a_revision_that_is_none_says_what_to_do(repository: Path, revision: str) -> None:
    """Not fetched is the usual reason in continuous integration; a word is never taken for an option."""
    with pytest.raises(ExpectedError, match=r"no commit .* here; fetch it first"):
        worktrees.resolve(repository, revision)


def test_a_folder_that_is_no_repository(tmp_path: Path) -> None:
    with pytest.raises(ExpectedError, match="expected a git repository"):
        worktrees.root(tmp_path)


def test_the_root_is_found_from_within(repository: Path) -> None:
    (repository / "inner").mkdir()
    assert worktrees.root(repository / "inner") == repository.resolve()
