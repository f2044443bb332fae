"""The candidates of a bisection: commits of a repository or releases of a package, each built when it is first asked.

A label names a candidate in tables and records. What cannot be built is an ExpectedError: the search tries a neighbour.
"""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from packaging.version import InvalidVersion, Version

from bench import ROOT
from bench.backends import BACKENDS
from bench.plan.targets import Target
from bench.runner import environments, sides, worktrees
from bench.runner.environments import Interpreter, Requirement
from datasets.errors import ExpectedError, UsageError
from datasets.plain_text import one_line, shortened

# The title of a commit in tables and records.
LONGEST_TITLE = 100

_AVAILABLE = re.compile(r"^Available versions: (.+)$", re.MULTILINE)


class Candidates(Protocol):
    """Candidates in their order, the good end first."""

    @property
    def titles(self) -> dict[str, str]:
        """What each label stands for."""

    @property
    def backends(self) -> tuple[str, ...]:
        """The backends that can notice a difference between them."""

    def target(self, base: Target, label: str) -> Target:
        """Return ``base`` as the candidate has it; ExpectedError where that cannot be built."""


@dataclass(frozen=True)
class Commits:
    """Commits of a repository, each in a worktree of its own until the bisection ends.

    inside  the user's file of recipes in that repository; None where the suite's own worker is what is measured
    """

    repository: Path
    commits: dict[str, str]
    titles: dict[str, str]
    inside: Path | None
    stack: ExitStack
    folders: dict[str, Path] = field(default_factory=dict)
    backends: tuple[str, ...] = tuple(BACKENDS)

    def target(self, base: Target, label: str) -> Target:
        """Return ``base`` with the worktree of a commit."""
        if label not in self.folders:
            worktree = worktrees.worktree(self.repository, self.commits[label])
            self.folders[label] = self.stack.enter_context(worktree)
        folder = self.folders[label]
        if self.inside is None:
            sides.require_same_protocol(label, folder)
            return replace(base, label=label, checkout=folder)
        if not (folder / self.inside).is_file():
            raise ExpectedError(f"it has no file {self.inside}")
        return replace(base, label=label, folder=folder, recipes=folder / self.inside)


@dataclass(frozen=True)
class Releases:
    """Releases of a package, each in an environment of ``python`` that is built once and kept."""

    requirements: dict[str, Requirement]
    python: Interpreter
    folder: Path
    notice: Callable[[str], object]

    @property
    def titles(self) -> dict[str, str]:
        return {label: one.title(self.python) for label, one in self.requirements.items()}

    @property
    def backends(self) -> tuple[str, ...]:
        return tuple({name: None for one in self.requirements.values() for name in one.backends})

    def target(self, base: Target, label: str) -> Target:
        """Return ``base`` with the environment of a release."""
        own = environments.build(self.requirements[label], self.folder, self.python, notice=self.notice)
        return replace(base, label=label, python=own)


@contextmanager
def commits(good: str, bad: str, *, repository: Path | None = None, recipes: Path | None = None) -> Iterator[Commits]:
    """Yield the commits from ``good`` to ``bad`` along first parents, and remove their worktrees afterwards.

    Without ``repository`` they are this suite's own, as in `sides.commits`.
    """
    top = worktrees.root(repository or ROOT)
    inside = None if repository is None else sides.inside(top, recipes)
    found = worktrees.history(top, good, bad)
    labels = {commit[:10]: commit for commit, _ in found}
    titles = {commit[:10]: shortened(one_line(title), LONGEST_TITLE) for commit, title in found}
    with ExitStack() as stack:
        yield Commits(top, labels, titles, inside, stack)


def releases(
    package: str,
    good: str,
    bad: str,
    *,
    candidates: Sequence[str] = (),
    nightlies: bool = False,
    folder: Path,
    notice: Callable[[str], object],
) -> Releases:
    """Return the releases of ``package`` from ``good`` to ``bad``: ``candidates`` in this order, or the index's.

    A word with an operator, such as keras-nightly==3.15.0.dev1, is a whole requirement; else it is a version. All are
    installed on one Python, that both ends install on.
    """
    between = list(candidates) or between_versions(published(package, nightlies=nightlies), good, bad)
    texts = [_requirement(package, word) for word in (good, *between, bad)]
    found = {one.label: one for one in map(Requirement, dict.fromkeys(texts))}
    if len(found) < 2:
        raise UsageError(f"expected two different releases with --good and --bad; received {good} and {bad}")
    first, *_, last = found.values()
    return Releases(found, environments.interpreter([first, last]), folder, notice)


def between_versions(known: Sequence[str], good: str, bad: str) -> list[str]:
    """Return the versions of ``known`` between two others, oldest first; UsageError where these are none."""
    first, last = _version(good), _version(bad)
    if first >= last:
        raise UsageError(
            f"expected --good to be older than --bad; received {good} and {bad}: name --candidates in order"
        )
    return [str(one) for one in sorted(map(Version, known)) if first < one < last]


def published(package: str, *, nightlies: bool) -> list[str]:
    """Return the versions of ``package`` that the index has for this Python, as pip lists them; ExpectedError else."""
    pip = [sys.executable, "-m", "pip"]
    if importlib.util.find_spec("pip") is None:
        pip = [sys.executable, "-m", "uv", "tool", "run", "--quiet", "--python", sys.executable, "pip"]
    words = [*pip, "index", "versions", *(["--pre"] if nightlies else []), "--disable-pip-version-check", "--", package]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    listed = _AVAILABLE.search(done.stdout)
    if listed is None:
        said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        raise ExpectedError(
            f"cannot list the versions of {package}: {said[-1] if said else 'pip said nothing'}; name them in their "
            "order with --candidates"
        )
    return [word for word in listed[1].replace(" ", "").split(",") if _is_version(word)]


def _requirement(package: str, word: str) -> str:
    return word if re.search(r"[=<>~/@ ]", word) else f"{package}=={word}"


def _version(word: str) -> Version:
    try:
        return Version(word)
    except InvalidVersion as error:
        raise UsageError(
            f"expected a version such as 3.14.1; received {word!r}: or name --candidates in order"
        ) from error


def _is_version(word: str) -> bool:
    try:
        Version(word)
    except InvalidVersion:
        return False
    return True
