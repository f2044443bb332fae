"""Trials: a run whose parent or worker is killed at a random instant, resumed, and compared with an undisturbed one."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import psutil

from bench.analysis import regression
from bench.analysis.verification import rules as verify
from bench.plan.gate import Gate
from bench.plan.steps import PROFILES
from bench.plan.targets import Target
from bench.records import catalog, packages, store
from bench.records.schema import TimingRecord
from bench.records.store import Run
from bench.runner import run
from bench.runner.process import WorkerProcess
from bench.runner.run import RunSpec
from bench.runner.sides import Sides
from datasets.locate import Located
from models.recipes import RECIPES
from tests.bench.made import DIGEST

Victim = Literal["parent", "worker"]

# A run that is not whole after so many resumes never will be.
MOST_RESUMES = 6
# A child that hangs is a finding of its own.
HANGS_S = 300.0


# What is tried is often not committed yet, and made workers claim seconds that they do not take.
CHECKOUT = ("from a dirty checkout", "from no git checkout")
MADE = (*CHECKOUT, "its blocks add up")


@dataclass(frozen=True)
class World:
    """What is run in a trial: where the reviews are, what is asked, and the module of the workers.

    ignored  how the problems begin that its runs have in any case
    """

    name: str
    located: Located
    module: str
    asked: Callable[[], RunSpec]
    ignored: tuple[str, ...] = CHECKOUT


@dataclass(frozen=True)
class Outcome:
    """How a trial ended: at which instant whom it killed, how often it was resumed, and what was wrong, if anything."""

    world: str
    seed: int
    victim: Victim
    at_s: float
    resumes: int
    wrong: list[str] = field(default_factory=list)


class Silent:
    """A watcher that draws nothing."""

    def begin(self, step: object) -> None: ...
    def starting(self, target: object) -> None: ...
    def progress(self, values: object) -> None: ...
    def failed(self, record: object) -> None: ...


def fake_run() -> World:
    """A run of the smoke profile with workers that have no framework: a fraction of a second."""
    targets = [Target("jax"), Target("tensorflow")]
    asked = partial(RunSpec, recipes=[RECIPES["dense"]], targets=targets, profile=PROFILES["smoke"])
    return World("run, fake workers", _nowhere(), "tests.bench.fake_worker", asked, MADE)


def fake_gate() -> World:
    """A whole gate, with further processes and confirmations as they fall out, and workers without a framework."""
    targets = tuple(Target("jax", label=label) for label in ("base", "head"))
    gate = Gate([RECIPES["dense"]], targets, replicates=2)
    sides = Sides(targets, {"base": "made", "head": "made"})
    asked = partial(sides.run_spec, gate, margin=0.03, alpha=0.05, order_seed=1)
    return World("regress, fake workers", _nowhere(), "tests.bench.fake_worker", asked, MADE)


def real_run(located: Located, backend: str) -> World:
    """A run of one recipe with a real worker on the real reviews, or on the synthetic ones."""
    targets = [Target(backend)]
    asked = partial(RunSpec, recipes=[RECIPES["pooling-logits"]], targets=targets, profile=PROFILES["smoke"])
    return World(f"run, real worker, {backend}", located, "bench.worker", asked)


def undisturbed(world: World, folder: Path) -> tuple[Run, float]:
    """Return a run of ``world`` that nobody disturbs, and the seconds that it took."""
    begun = time.monotonic()
    _wait(_begin(world, folder, None))
    took_s = time.monotonic() - begun
    return store.read(catalog.find("latest", folder, catalog.ANY)), took_s


def trial(world: World, folder: Path, whole: Run, took_s: float, seed: int) -> Outcome:
    """Kill one process at a random instant, resume until the run is whole, and compare it with ``whole``."""
    chance = random.Random(seed)
    victim: Victim = chance.choice(("parent", "worker"))
    at_s = chance.uniform(0.0, took_s)
    child = _begin(world, folder, None)
    time.sleep(at_s)
    _kill(child, victim, chance)
    _wait(child)
    outcome = Outcome(world.name, seed, victim, round(at_s, 3), 0)
    for resumes in range(MOST_RESUMES):
        found = _newest(folder)
        if found is not None and found.finished and not found.missing() and not found.failures():
            return replace(outcome, resumes=resumes, wrong=differences(found, whole, ignored=world.ignored))
        _wait(_begin(world, folder, found))
    return replace(outcome, resumes=MOST_RESUMES, wrong=["never whole"])


def differences(run: Run, whole: Run, *, ignored: tuple[str, ...] = ()) -> list[str]:
    """Return what a resumed run has otherwise than the undisturbed one, and which rules about its records it breaks.

    Problems that begin with ``ignored`` words are none.
    """
    found = [f"lacks {name}" for name in sorted(map(str, whole.measured - run.measured))]
    if run.is_comparison:  # cells that a killed worker left unresolved got further processes, and the same answer
        found += [] if _answers(run) == _answers(whole) else ["decides otherwise"]
    else:
        found += [f"has {name}" for name in sorted(map(str, run.measured - whole.measured))]
    found += [problem for problem in verify.problems(run) if not problem.startswith(ignored)]
    return found + [f"{step} was timed in two attempts" for step in _torn(run)]


def _answers(run: Run) -> dict[str, str | None]:
    decision = regression.decide(run)
    return {row.cell.name: row.answer for row in (*decision.cells, *decision.controls)}


def _torn(run: Run) -> Iterator[str]:
    """Yield the steps whose cells were not timed together: only neighbouring blocks may be compared."""
    steps: dict[tuple[object, ...], set[int]] = {}
    for record in run.records:
        if isinstance(record, TimingRecord) and record.cell.phase != "startup":
            cell = record.cell
            key = (cell.recipe, cell.phase, cell.batch_size, _piece(run, record), record.replicate)
            steps.setdefault(key, set()).add(record.attempt)
    yield from (str(key) for key, attempts in steps.items() if len(attempts) > 1)


def _piece(run: Run, record: TimingRecord) -> str:
    """Return the path of a gate's cell, which has a step of its own; of a run, all paths share one."""
    return record.cell.path if run.is_comparison else ""


def _begin(world: World, folder: Path, resumed: Run | None) -> int:
    """Fork a process that runs, or resumes, ``world`` in ``folder``; return its id. It imports nothing again."""
    child = os.fork()
    if child:
        return child
    try:
        execute(world, folder, resumed)
        os._exit(0)
    except BaseException:  # noqa: BLE001, the parent of a forked process must not go on here
        traceback.print_exc()
        os._exit(1)


def execute(world: World, folder: Path, resumed: Run | None) -> None:
    """Run, or resume, ``world`` in ``folder``, in this process."""
    with _workers(world.module):
        spec = replace(world.asked(), resumed=resumed)
        run.execute(spec, world.located, out=folder, command="faults", watch=Silent())


@contextmanager
def _workers(module: str) -> Iterator[None]:
    """Let runs start workers of ``module``; a fake one greets with packages of its own."""
    if module == "bench.worker":
        yield
        return
    versions = packages.versions
    run.WorkerProcess = partial(WorkerProcess, module=module)  # type: ignore[assignment, misc, attr-defined]
    packages.versions = lambda: {"keras": "3"}
    try:
        yield
    finally:
        run.WorkerProcess, packages.versions = WorkerProcess, versions  # type: ignore[misc, attr-defined]


def _kill(child: int, victim: Victim, chance: random.Random) -> None:
    """Kill ``child``, or one of its workers; where there is none yet, or no more, nobody."""
    with suppress(psutil.NoSuchProcess, ProcessLookupError, IndexError):
        killed = psutil.Process(child)
        if victim == "worker":
            killed = chance.choice(killed.children())
        os.kill(killed.pid, signal.SIGKILL)


def _wait(child: int) -> None:
    """Wait for ``child`` to end; one that hangs is killed, and its run is then found not to be whole."""
    end = time.monotonic() + HANGS_S
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        if time.monotonic() > end:
            sys.stderr.write(f"process {child} hangs\n")
            os.kill(child, signal.SIGKILL)
        time.sleep(0.005)


def _newest(folder: Path) -> Run | None:
    """Return the run in ``folder``, None where it was killed before it had one."""
    try:
        return store.read(catalog.find("latest", folder, catalog.ANY))
    except store.StoreError:
        return None


def _nowhere() -> Any:
    """Return reviews that nobody reads."""
    corpus = SimpleNamespace(name="imdb", digest=DIGEST, test=SimpleNamespace())
    return SimpleNamespace(corpus=corpus, folder=Path())
