"""What several commands share: their options' types, the reviews, and a run with its progress on stderr."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

if TYPE_CHECKING:
    from bench.run import Order
    from bench.store import Run
    from datasets.locate import Located

Flag = Annotated[bool, Parameter(negative=())]
Names = Annotated[list[str] | None, Parameter(consume_multiple=True, negative=())]
RecipeFile = Annotated[Path | None, Parameter(help="Python file with RECIPE and build(recipe).")]
Data = Annotated[str | None, Parameter(help='Archive or folder of the IMDB reviews, or "synthetic".')]


def execute(order: Order, data: str | None, out: Path | None) -> Run:
    """Do what ``order`` asks, with progress on stderr."""
    from bench import run, store
    from bench.report import terminal
    from bench.report.progress import ProgressReport

    located = corpus(data)
    planned = [step for steps in order.passes() for step in steps]
    with ProgressReport(terminal.console(stderr=True), planned, budget_s=order.budget_s) as watch:
        return run.execute(order, located, out=out or store.DEFAULT_FOLDER, command=command(), watch=watch)


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
    from bench import targets
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
    """Return the command as it can be repeated, without paths of this machine."""
    words = ["python", "-m", "bench", *sys.argv[1:]]
    return " ".join(Path(word).name if Path(word).is_absolute() else word for word in words)
