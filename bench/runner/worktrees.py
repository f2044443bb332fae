"""Git worktrees: a revision of a repository in a temporary folder while it is measured."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.records import machine
from bench.runner import scratch
from datasets.errors import ExpectedError, UsageError


def root(folder: Path) -> Path:
    """Return the top folder of the repository that holds ``folder``."""
    return Path(_git(folder, "rev-parse", "--show-toplevel", wrong=f"expected a git repository; received {folder}"))


def resolve(repository: Path, revision: str) -> str:
    """Return the full hash of the commit that ``revision`` names in ``repository``."""
    return _git(
        repository,
        *("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"),
        wrong=f"no commit {revision!r} here; fetch it first (in CI: fetch-depth: 0), or name another",
    )


def describe(repository: Path) -> str:
    """Return the commit that is checked out in ``repository``, and whether files differ from it."""
    commit = machine.commit(repository)
    return "not a git checkout" if commit is None else commit.title


def history(repository: Path, first: str, last: str) -> list[tuple[str, str]]:
    """Return the commits from ``first`` to ``last`` along first parents, each with its title, both ends included.

    Raises UsageError where ``first`` is no ancestor of ``last``.
    """
    ends = resolve(repository, first), resolve(repository, last)
    log = ("log", "--first-parent", "--reverse", "--format=%H %s")
    before, after = (
        _git(repository, *log, *words, wrong="cannot read the history").splitlines()
        for words in (("-1", ends[0]), (f"{ends[0]}..{ends[1]}",))
    )
    oldest = _git(repository, "merge-base", *ends, wrong="expected two commits of one history")
    if oldest != ends[0] or not after:
        raise UsageError(
            f"expected {first} to be an ancestor of {last}; it is {'the same' if ends[0] == ends[1] else 'none'}: "
            "name an older commit, or swap the two"
        )
    return [(commit, title) for commit, _, title in (line.partition(" ") for line in (*before, *after))]


@contextmanager
def worktree(repository: Path, commit: str) -> Iterator[Path]:
    """Yield a temporary folder with the files of ``commit``."""
    with scratch.folder() as parent:
        folder = parent / commit[:10]
        _git(repository, "worktree", "prune", wrong="cannot forget the worktrees of runs that were killed")
        _git(repository, "worktree", "add", "--detach", "--quiet", str(folder), commit, wrong="cannot make a worktree")
        try:
            yield folder
        finally:
            _git(repository, "worktree", "remove", "--force", str(folder), wrong="cannot remove a worktree")


def _git(folder: Path, *words: str, wrong: str) -> str:
    try:
        done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True)
    except OSError as error:
        raise ExpectedError(f"{wrong}: git cannot run ({error.strerror})") from error
    except subprocess.CalledProcessError as error:
        said = error.stderr.strip().splitlines()
        raise ExpectedError(f"{wrong}{': ' + said[-1] if said else ''}") from error
    return done.stdout.strip()
