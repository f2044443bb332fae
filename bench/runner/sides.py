"""The contest: targets of one backend that a command names, ready for a gate: two commits, or versions of a package."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bench import ROOT, protocol
from bench.analysis import regression
from bench.analysis.regression import Decision
from bench.plan import gate
from bench.plan.gate import Gate
from bench.plan.steps import Step
from bench.plan.targets import Target
from bench.records.schema import ComparisonRecord
from bench.runner import environments, worktrees
from bench.runner.environments import Requirement
from bench.runner.run import ReadRecords, RunSpec
from bench.runner.worktrees import WorktreeError

# A file that decides which packages an environment has.
LOCK = Path("requirements") / "cpu.txt"


@dataclass(frozen=True)
class Sides:
    """Targets with what their labels stand for; the first label is the base."""

    targets: tuple[Target, ...]
    sides: dict[str, str]


@contextmanager
def commits(
    targets: Sequence[Target], base: str, *, repository: Path | None = None, recipes: Path | None = None
) -> Iterator[Sides]:
    """Yield the working tree ("head") and the revision ``base`` of it as contestants, the latter in its own worktree.

    Without ``repository`` it is this suite's own, whose worker is measured as well. With one, this suite's worker
    measures the recipes in its file ``recipes``, a path inside it, each side with its own files.
    """
    top = worktrees.root(repository or ROOT)
    commit = worktrees.resolve(top, base)
    with worktrees.worktree(top, commit) as folder:
        sides = {"base": f"{base} ({commit[:10]})", "head": worktrees.describe(top)}
        if repository is None:
            _same_protocol(base, folder)
            if (folder / LOCK).read_bytes() != (top / LOCK).read_bytes():
                sides["base"] += ", measured with the packages of the head's lock file"
            found = [replace(t, checkout=place) for t in targets for place in (folder, top)]
        else:
            inside = _inside(top, recipes)
            found = [replace(t, folder=place, recipes=place / inside) for t in targets for place in (folder, top)]
        labels = ["base", "head"] * len(targets)
        yield Sides(tuple(replace(t, label=label) for t, label in zip(found, labels, strict=True)), sides)


@contextmanager
def identical(targets: Sequence[Target], revision: str) -> Iterator[Sides]:
    """Yield two worktrees of one commit of this suite as contestants: what a gate says of them is known."""
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
    recipes: Path | None = None,
    notice: Callable[[str], object],
) -> Sides:
    """Return an environment for each requirement as contestants, on each backend that can notice one of them."""
    pythons = {one.label: environments.build(one, folder, notice=notice) for one in requirements}
    noticing = {backend for one in requirements for backend in one.backends}
    found = [
        replace(target, label=label, python=python, recipes=recipes)
        for target in targets
        if target.backend in noticing
        for label, python in pythons.items()
    ]
    return Sides(tuple(found), {one.label: one.label for one in requirements})


def order(contest: Sides, planned: Gate, *, margin: float, alpha: float, order_seed: int) -> RunSpec:
    """Return what a run is asked to do so that the contest can be decided."""
    rule = gate.comparison(planned, contest.sides, margin=margin, alpha=alpha)
    return RunSpec(
        recipes=planned.recipes,
        targets=planned.targets(),
        profile=gate.PROFILE,
        order_seed=order_seed,
        comparison=rule,
        fixed_passes=planned.passes(),
        next_passes=_further(planned, rule),
    )


def _further(planned: Gate, rule: ComparisonRecord) -> Callable[[ReadRecords], Iterator[list[Step]]]:
    """Return what adds rounds by the records so far: of open cells where they are settled, then of slower ones."""

    def add(read: ReadRecords) -> Iterator[list[Step]]:
        if rule.settle:
            yield from planned.round(regression.SECOND_ROUND, Decision(rule, tuple(read())).unresolved())
        for number, cells in Decision(rule, tuple(read())).confirmation_cells().items():
            yield from planned.round(number, cells)

    return add


def _same_protocol(revision: str, folder: Path) -> None:
    """Raise WorktreeError where the worker in ``folder`` cannot be spoken to: before anything is measured."""
    spoken = protocol.version_of(folder)
    if spoken != protocol.PROTOCOL_VERSION:
        raise WorktreeError(
            f"expected the worker of {revision} to speak protocol {protocol.PROTOCOL_VERSION}, as this checkout does; "
            f"it speaks {spoken or 'none'}: name a later commit with --base, or measure both with the older "
            "checkout's own suite"
        )


def _inside(repository: Path, file: Path | None) -> Path:
    """Return ``file`` relative to its repository."""
    if file is None:
        raise WorktreeError("--repo needs --recipes FILE, a file inside that repository with RECIPE and build(recipe)")
    place = (file if file.is_absolute() else repository / file).resolve()
    if not place.is_relative_to(repository.resolve()):
        raise WorktreeError(f"expected a file inside the repository; received {file.name}")
    return place.relative_to(repository.resolve())
