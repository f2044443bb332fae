"""The sides of a gate: two commits, or versions of a package, as targets that are compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bench import ROOT, protocol
from bench.analysis.regression import Decision
from bench.plan import gate
from bench.plan.gate import Gate
from bench.plan.steps import Step
from bench.plan.targets import Target
from bench.records import identity
from bench.records.schema import ComparisonRecord
from bench.runner import environments, worktrees
from bench.runner.environments import Requirement
from bench.runner.run import ReadRecords, RunSpec
from datasets.errors import ExpectedError, UsageError

# The lock file of the measuring environment.
LOCK = Path("requirements") / "cpu.txt"


@dataclass(frozen=True)
class Sides:
    """Targets to compare, and what each of their labels stands for; the first label is the base."""

    targets: tuple[Target, ...]
    labels: dict[str, str]

    def run_spec(self, planned: Gate, *, margin: float | None, alpha: float, order_seed: int) -> RunSpec:
        """Return the run that decides between them; the rule is part of it, fixed before anything is measured."""
        rule = gate.comparison(planned, self.labels, margin=margin, alpha=alpha)
        return RunSpec(
            recipes=planned.recipes,
            targets=planned.targets(),
            profile=gate.PROFILE,
            order_seed=order_seed,
            comparison=rule,
            fixed_passes=planned.passes(),
            next_passes=_further(planned, rule),
        )


@contextmanager
def commits(
    targets: Sequence[Target], base: str, *, repository: Path | None = None, recipes: Path | None = None
) -> Iterator[Sides]:
    """Yield the revision ``base``, in a worktree of its own, and the working tree ("head").

    Without ``repository``, both are of this suite, and each side uses its own worker. With one, this suite's worker
    measures the file ``recipes`` inside it, and each side uses its own version of that file and its imports.
    """
    top = worktrees.root(repository or ROOT)
    commit = worktrees.resolve(top, base)
    with worktrees.worktree(top, commit) as folder:
        sides = {"base": f"{base} ({commit[:10]})", "head": worktrees.describe(top)}
        if repository is None:
            require_same_protocol(base, folder)
            if (folder / LOCK).read_bytes() != (top / LOCK).read_bytes():
                sides["base"] += ", measured with the packages of the head's lock file"
            found = [replace(t, checkout=place) for t in targets for place in (folder, top)]
        else:
            file = inside(top, recipes)
            found = [replace(t, folder=place, recipes=place / file) for t in targets for place in (folder, top)]
        labels = ["base", "head"] * len(targets)
        yield Sides(tuple(replace(t, label=label) for t, label in zip(found, labels, strict=True)), sides)


@contextmanager
def identical(targets: Sequence[Target], revision: str) -> Iterator[Sides]:
    """Yield two worktrees of one commit of this suite: a gate that calls them different is wrong."""
    top = worktrees.root(ROOT)
    commit = worktrees.resolve(top, revision)
    with worktrees.worktree(top, commit) as base, worktrees.worktree(top, commit) as head:
        sides = {"base": base, "head": head}
        found = [replace(t, checkout=place, label=label) for t in targets for label, place in sides.items()]
        yield Sides(tuple(found), dict.fromkeys(sides, commit[:10]))


def versions(
    targets: Sequence[Target],
    requirements: Sequence[Requirement],
    folder: Path,
    *,
    notice: Callable[[str], object],
) -> Sides:
    """Return a side for each requirement, in its own environment, on each backend that can notice one of them.

    All of them are of one Python that each installs on. Raises UsageError if two of them have one name.
    """
    if len({one.label for one in requirements}) < len(requirements):
        raise UsageError(
            "expected requirements with different names, since tables tell them apart by these; "
            f"received {' '.join(one.label for one in requirements)}; rename a file or folder"
        )
    python = environments.interpreter(requirements)
    pythons = {one.label: environments.build(one, folder, python, notice=notice) for one in requirements}
    noticing = {backend for one in requirements for backend in one.backends}
    found = [
        replace(target, label=label, python=python)
        for target in targets
        if target.backend in noticing
        for label, python in pythons.items()
    ]
    return Sides(tuple(found), {one.label: one.title(python) for one in requirements})


def _further(planned: Gate, rule: ComparisonRecord) -> Callable[[ReadRecords], Iterator[list[Step]]]:
    """Return what plans further processes from the records so far: for open cells, then for slower ones."""

    def add(read: ReadRecords) -> Iterator[list[Step]]:
        asked: set[str] = set()
        while (due := Decision(rule, tuple(read())).due(asked)) is not None:
            asked |= {identity.timing(cell, due.replicate) for cell in due.cells}
            yield from planned.round(due.replicate, due.cells)

    return add


def require_same_protocol(revision: str, folder: Path) -> None:
    """Raise ExpectedError, before anything is measured, if the worker in ``folder`` speaks another protocol."""
    spoken = protocol.version_of(folder)
    if spoken != protocol.PROTOCOL_VERSION:
        raise ExpectedError(
            f"expected the worker of {revision} to speak protocol {protocol.PROTOCOL_VERSION}, as this checkout does; "
            f"it speaks {spoken or 'none'}: name a later commit with --base, or measure both with the older "
            "checkout's own suite"
        )


def inside(repository: Path, file: Path | None) -> Path:
    """Return ``file`` relative to its repository."""
    if file is None:
        raise ExpectedError("--repo needs --recipes FILE, a file inside that repository with RECIPE and build(recipe)")
    place = (file if file.is_absolute() else repository / file).resolve()
    if not place.is_relative_to(repository.resolve()):
        raise ExpectedError(f"expected a file inside the repository; received {file.name}; move it there")
    return place.relative_to(repository.resolve())
