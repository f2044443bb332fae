"""The report of a sample: each review, and what every recipe's model is given of it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from bench.report import terminal
from bench.report.tables.training import encodings, shortened
from bench.runner.sample import Sampled

LABELS = {0: ("negative", "bold red"), 1: ("positive", "bold green")}
LONGEST_TEXT = 400


def render(sampled: Sequence[Sampled]) -> RenderableType:
    """Return every review with its encodings."""
    return Group(*map(_review, sampled))


def _review(one: Sampled) -> RenderableType:
    label, style = LABELS[one.label]
    head = Text.assemble((f"{one.split} review {one.index} ", "bold"), (label, style))
    body = [
        Text(shortened(one.text, LONGEST_TEXT)),
        Text(f"as ids: {shortened(one.decoded, LONGEST_TEXT)}", style="dim"),
    ]
    return Padding(
        terminal.group([head, *body, terminal.section(encodings(one.encodings))]), (0, 0, 1, 0), expand=False
    )
