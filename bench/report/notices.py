"""Notices in a terminal: what this machine can measure, and the banner above synthetic reviews."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.text import Text


def diagnosis(
    backends: Sequence[tuple[str, str | None]], *, data: str, gpus: Sequence[str], refused: str | None
) -> RenderableType:
    """Return what this machine can measure, one line a finding."""
    lines = [
        Text(f"{name}: {reason or 'installed'}", style="yellow" if reason else "green") for name, reason in backends
    ]
    lines.append(Text(f"reviews: {data}"))
    lines.append(Text(f"GPU: {'; '.join(gpus) or 'none, so CPU targets only'}"))
    if refused:
        lines.append(Text(f"environment: {refused}", style="bold red"))
    return Group(*lines)


def fallback_banner() -> RenderableType:
    """Return the banner for a run whose real reviews could not be had."""
    words = (
        "The IMDB reviews could not be fetched: this run uses the built-in SYNTHETIC reviews.\n"
        "Its accuracies are compared with the synthetic reference, and its records never with the IMDB's.\n"
        "For the real reviews, give the archive: --data PATH, or the variable KERASMARK_DATA."
    )
    return Panel(Text(words), title="SYNTHETIC REVIEWS", border_style="bold yellow", box=box.HEAVY)
