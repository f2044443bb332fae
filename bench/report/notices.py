"""Notices in a terminal: what this machine can measure, and the banner above synthetic reviews."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from bench.analysis.machine.doctor import Diagnosis, Effect

STYLES = {"good": "green", "note": "yellow", "problem": "bold red"}


def diagnosis(found: Diagnosis) -> RenderableType:
    """Return what this machine can measure, a finding each: what was found and, below it, what to do."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_column()
    for one in found.findings:
        said = Text(one.found)
        if one.advice:
            said.append(f"\n{one.advice}", style="dim")
        grid.add_row(Text(one.answer, style=STYLES[one.answer]), one.topic, said)
    return Group(grid, *([] if not found.effects else [Text(), _effects(found.effects)]))


def _effects(found: Sequence[Effect]) -> RenderableType:
    """Return the smallest effects in sentences."""
    (run, *gates) = found
    seen = ", ".join(f"{one.smallest:+.1%} with {one.processes}" for one in gates)
    return Text(
        f"From this noise, 9 times in 10 a default run ({run.processes} processes) tells {run.smallest:+.1%} apart. "
        f"A gate finds {seen} processes of each side. Frameworks add noise of their own: these are lower bounds."
    )


def fallback_banner() -> RenderableType:
    """Return the banner for a run whose real reviews could not be had."""
    words = (
        "The IMDB reviews could not be fetched: this run uses the built-in SYNTHETIC reviews.\n"
        "Its accuracies are compared with the synthetic reference, and its records never with the IMDB's.\n"
        "For the real reviews, give the archive: --data PATH, or the variable KERASMARK_DATA."
    )
    return Panel(Text(words), title="SYNTHETIC REVIEWS", border_style="bold yellow", box=box.HEAVY)
