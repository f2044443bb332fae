"""What several commands share: their options' types, the reviews, and a run with its progress on stderr."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

from cyclopts import Parameter

if TYPE_CHECKING:
    from bench.plan.targets import Target
    from bench.records.store import Run
    from bench.runner.run import RunSpec
    from datasets.locate import Located

Flag = Annotated[bool, Parameter(negative=())]
Names = Annotated[list[str] | None, Parameter(consume_multiple=True, negative=())]
RecipeFile = Annotated[Path | None, Parameter(help="Python file with RECIPE and build(recipe).")]
Data = Annotated[str | None, Parameter(help='Archive or folder of the IMDB reviews, or "synthetic".')]


def execute(order: RunSpec, data: str | None, out: Path | None) -> Run:
    """Do what ``order`` asks, with progress on stderr."""
    from bench.records import store
    from bench.report import terminal
    from bench.report.progress import ProgressReport
    from bench.runner import run

    located = corpus(data)
    planned = [step for steps in order.passes() for step in steps]
    with ProgressReport(terminal.console(stderr=True), planned, budget_s=order.budget_s) as watch:
        return run.execute(order, located, out=out or store.DEFAULT_FOLDER, command=command(), watch=watch)


def with_recipes(target: Target, file: Path | None) -> Target:
    """Return ``target`` with a file of one's own recipes, where there is one; its imports are found beside it."""
    from dataclasses import replace

    return target if file is None else replace(target, recipes=file.resolve(), folder=file.resolve().parent)


@contextmanager
def lines(file: Path | None) -> Iterator[IO[bytes]]:
    """Yield ``file``, or standard input, to be read by lines; DataError where it cannot be opened."""
    from datasets.errors import DataError

    if file is None:
        yield sys.stdin.buffer
        return
    try:
        opened = file.open("rb")
    except OSError as error:
        raise DataError(f"expected a file with a text on each line; {file}: {error.strerror}") from error
    with opened:
        yield opened


def say(words: str) -> None:
    """Tell on stderr what is done beside what was asked for."""
    from bench.report import terminal

    terminal.console(stderr=True).print(words, style="dim")


def seed(given: int | None) -> int:
    """Return the seed that was given, or draw one."""
    import secrets

    return secrets.randbelow(2**31) if given is None else given


def corpus(data: str | None) -> Located:
    """Find the reviews; the banner says so where the synthetic ones stand in for the real ones."""
    from bench.plan import targets
    from bench.report import lists, terminal
    from bench.report.progress import DownloadReport
    from datasets import locate
    from datasets.errors import DataError

    refused = targets.refused(os.environ)
    if refused is not None:
        raise DataError(refused)
    screen = terminal.console(stderr=True)
    located = locate.open_corpus(
        data,
        environ=os.environ,
        notice=lambda words: screen.print(words, style="dim"),
        progress=DownloadReport(screen),
    )
    if located.origin == "fallback":
        screen.print(lists.fallback_banner())
    return located


def command() -> str:
    """Return the command as a shell can repeat it, without paths of this machine."""
    words = ["python", "-m", "bench", *sys.argv[1:]]
    return shlex.join(Path(word).name if Path(word).is_absolute() else word for word in words)
