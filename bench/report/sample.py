"""The report of a sample: each review, and beside it what every recipe's model is given of it; it decides nothing."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from bench.report.table import Column, section
from bench.runner.sample import Encoded, Sampled

LABELS = {0: ("negative", "bold red"), 1: ("positive", "bold green")}
LONGEST_TEXT = 400
SHOWN_IDS = 5
SHOWN_WORDS = 27


def render(sampled: Sequence[Sampled]) -> RenderableType:
    """Return every review with its encodings."""
    return Group(*[_review(one) for one in sampled])


def _review(one: Sampled) -> RenderableType:
    label, style = LABELS[one.label]
    head = Text.assemble((f"{one.split} review {one.index} ", "bold"), (label, style))
    body = [
        Text(shortened(one.text, LONGEST_TEXT)),
        Text(f"as ids: {shortened(one.decoded, LONGEST_TEXT)}", style="dim"),
    ]
    return Padding(Group(head, *body, _encodings(one.encodings)), (0, 0, 1, 0), expand=False)


def _encodings(rows: Sequence[Encoded]) -> RenderableType:
    columns = [
        Column("recipe", lambda row: row.recipe),
        Column("row", lambda row: f"multi-hot {row.width:,}" if row.form == "multi_hot" else f"{row.width} ids"),
        Column("ids", lambda row: ids(row)),
        Column("reads as", lambda row: shortened(row.words, SHOWN_WORDS)),
        Column("lost", lambda row: f"{row.lost:.0%}", number=True),
    ]
    notes = ["lost: tokens that do not reach the model, cut off or unknown to its vocabulary"]
    return section("What each model is given", "", columns, rows, notes, tight=True) or Text("")


def ids(row: Encoded) -> str:
    """Return the first ids, and how many more there are."""
    more = len(row.ids) - SHOWN_IDS
    return " ".join(map(str, row.ids[:SHOWN_IDS])) + (f" +{more}" if more > 0 else "")


def shortened(text: str, width: int) -> str:
    return textwrap.shorten(text, width, placeholder=" …")
