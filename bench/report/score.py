"""Scores of texts: with a bar and a colour for people, tab-separated for programs."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

BAR = 10


def plain(texts: Sequence[str], scores: Sequence[float]) -> str:
    """Return "score TAB text" a line, as programs read it; a text is one line."""
    return "\n".join(f"{score:.4f}\t{' '.join(text.splitlines())}" for text, score in zip(texts, scores, strict=True))


class Scores:
    """Scores with their texts for people: a bar and a colour."""

    def __init__(self, texts: Sequence[str], scores: Sequence[float]) -> None:
        self._rows = list(zip(texts, scores, strict=True))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for text, score in self._rows:
            style = "green" if score > 0.5 else "red"
            filled = round(score * BAR)
            full, empty = ("#", "-") if options.ascii_only else ("━", "─")
            bar = (full * filled, style), (empty * (BAR - filled), "dim")
            yield Text.assemble((f"{score:.4f} ", f"bold {style}"), *bar, "  ", text)
