"""Execution: find the reviews, run a specification with progress on stderr, and report what was measured."""

from __future__ import annotations

import os
import secrets
import shlex
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from bench import COMMAND, exit_codes
from bench.analysis import accuracy, summary
from bench.analysis.bisection import evidence as bisections
from bench.analysis.bisection import result
from bench.analysis.bisection.result import Result
from bench.cli import Outcome
from bench.plan import targets
from bench.plan.targets import Target
from bench.records import catalog, store
from bench.records.catalog import Wanted
from bench.records.store import Run
from bench.report import comparison, notices, terminal
from bench.report import json as documents
from bench.report import markdown as pages
from bench.report.bisection import report as bisection
from bench.report.progress import DownloadReport, ProgressReport
from bench.report.tables import runs as tables
from bench.runner import run
from bench.runner.run import RunSpec
from datasets import locate
from datasets.errors import ExpectedError
from datasets.locate import Located
from models.recipes import Recipe


def execute(spec: RunSpec, data: str | None, out: Path | None) -> Run:
    """Run ``spec`` with progress on stderr."""
    located = corpus(data, spec.recipes)
    planned = [step for steps in spec.passes() for step in steps]
    with ProgressReport(terminal.console(stderr=True), planned, budget_s=spec.budget_s) as watch:
        return run.execute(spec, located, out=out or store.DEFAULT_FOLDER, command=command(), watch=watch)


def report(
    done: Run, *, json: bool, every: bool = False, markdown: Path | None = None, allow_unresolved: bool = False
) -> Outcome:
    """Return the answer of a finished run, ``every`` table of it, or its JSON document.

    A comparison has one report; its summary is written to ``markdown``. So has a bisection.
    """
    if done.header.profile == bisections.PROFILE:
        return _bisected(result.of(done), json=json, markdown=markdown)
    found = summary.summarize(done)
    if done.is_comparison:
        code = exit_codes.of_comparison(found.decision, allow_unresolved=allow_unresolved)
    else:
        code = exit_codes.of_run(found.verdicts, measured=found.measured, unjudged=bool(found.unjudged))
    if markdown is not None and done.is_comparison:
        store.write_atomically(markdown, pages.pull_request(found).encode())
    with suppress(OSError):  # its folder is gone, or cannot be written: `bench runs` reads it again
        catalog.remembered(done.folder, lambda: tables.answer(found))
    if json:
        return Outcome(documents.render(found, code), int(code))
    return Outcome(comparison.render(found) if done.is_comparison else terminal.render(found, every=every), int(code))


def answer(done: Run) -> str:
    """Return what a run answers in a few words."""
    is_bisection = done.header.profile == bisections.PROFILE
    return bisection.verdict(result.of(done)) if is_bisection else tables.answer(summary.summarize(done))


def _bisected(found: Result, *, json: bool, markdown: Path | None) -> Outcome:
    code = exit_codes.of_bisection(found.conclusion)
    if markdown is not None:
        store.write_atomically(markdown, bisection.page(found).encode())
    return Outcome(documents.bisected(found, code) if json else bisection.render(found), int(code))


def corpus(data: str | None, recipes: Sequence[Recipe] | None = None) -> Located:
    """Find the reviews, unless none of ``recipes`` reads them; a banner tells when synthetic ones replace them."""
    refused = targets.refused(os.environ)
    if refused is not None:
        raise ExpectedError(refused)
    if recipes is not None and not any(recipe.reads_reviews for recipe in recipes):
        return locate.without_reviews()
    screen = terminal.console(stderr=True)
    located = locate.open_corpus(data, environ=os.environ, notice=say, progress=DownloadReport(screen))
    if located.origin == "fallback":
        screen.print(notices.fallback_banner())
    return located


def train_seeds(
    recipes: Sequence[Recipe],
    targets: Sequence[Target],
    located: Located,
    seeds: Sequence[int],
    file: Path,
    data: str | None,
    *,
    on: str | None,
) -> None:
    """Train what ``file`` lacks of ``seeds``: here, or on the Dask cluster ``on``."""
    from bench.runner import cluster
    from bench.runner.training import cluster_seeds
    from bench.runner.training import train_seeds as here

    if on is None:
        here.collect([*recipes], [*targets], located, seeds=seeds, file=file, notice=say)
        return
    cluster_seeds.collect(
        recipes,
        targets,
        located,
        seeds=seeds,
        file=file,
        connect=partial(cluster.connected, on),
        words=words({"data": data}),
        say=say,
    )


def words(options: dict[str, object]) -> list[str]:
    """Return ``options`` as words of a command line, without those that were not given."""
    found: list[str] = []
    for name, value in options.items():
        if value is not None:
            found += [f"--{name}", *(map(str, value) if isinstance(value, list) else [str(value)])]
    return found


def find(name: str, runs: Path | None, wanted: Wanted = catalog.WITH_RESULTS) -> Run:
    """Return the run called ``name`` in the folder ``runs``; "latest" is the newest that is ``wanted``.

    A note says which one that is where a newer one was passed over.
    """
    folder = runs or store.DEFAULT_FOLDER
    found = catalog.find(name, folder, wanted)
    if name == "latest" and found.name != store.runs(folder)[-1].name:
        say(f"latest: {found.name}, the newest run {wanted.words} that nobody is writing")
    return store.read(found)


def say_damage(run: Run) -> bool:
    """Say what of ``run`` is damaged, and return whether anything is: its report does not show it."""
    for words in accuracy.damaged(run):
        say(f"{run.header.run_id} is damaged: {words}")
    return bool(run.open_damage)


def say(words: str) -> None:
    """Print a note on stderr."""
    terminal.console(stderr=True).print(words, style="dim")


def seed(given: int | None) -> int:
    """Return the given seed, or draw one."""
    return secrets.randbelow(2**31) if given is None else given


def command() -> str:
    """Return the command as a shell can repeat it, without paths of this machine."""
    words = [*COMMAND.split(), *sys.argv[1:]]
    return shlex.join(Path(word).name if Path(word).is_absolute() else word for word in words)
