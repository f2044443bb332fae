"""What each chart shows in one sentence, for those who do not see it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from bench.analysis import best_path
from bench.analysis.history import FEWEST_RUNS, CellHistory
from bench.analysis.rows import RunDocument, once
from bench.report.tables import words
from bench.report.tables.columns import significant
from bench.report.tables.speed import StepPart


def speed(document: RunDocument, phase: str) -> str:
    """Say how far the usual path stays behind its floor, for a chart of ``phase``."""
    usual = best_path.USUAL[phase]
    rows = [row for row in document.timed(phase) if row.path == usual and row.floor_share and not row.excluded]
    if not rows:
        return "No path was timed beside its floor."
    ordered = sorted(rows, key=lambda row: row.floor_share or 0)
    ends = [f"{row.floor_share:.0%} ({row.recipe} on {words.name(document, row.target)})" for row in ordered]
    return f"{usual} reaches from {ends[0]} to {ends[-1]} of the speed of the same work written by hand."


def time_to_accuracy(document: RunDocument) -> str:
    """Say how long training took until it was good enough."""
    found = [row for row in document.time_to_accuracy if row.seconds is not None and not row.excluded]
    recipes = once(row.recipe for row in found)
    said = []
    for recipe in recipes:
        rows = [row for row in found if row.recipe == recipe]
        times = ", ".join(f"{words.name(document, row.target)} {significant(row.seconds or 0)} s" for row in rows)
        said.append(f"{recipe}: {times}")
    missing = once(row.recipe for row in document.time_to_accuracy if row.seconds is None)
    tail = f" Not reached in the epochs that were trained: {', '.join(missing)}." if missing else ""
    return (f"Seconds of training until 99 % of the published accuracy: {'; '.join(said)}." if said else "") + tail


def curves(document: RunDocument) -> str:
    """Say what the curves are."""
    seeds = once(str(row.seed) for row in document.curves)
    return f"Training as dots, validation as a line, published figures dashed behind; seed {', '.join(seeds)}."


def step(parts: Sequence[StepPart]) -> str:
    """Say which part of a step is largest, and how often."""
    groups: dict[tuple[str, str], list[StepPart]] = {}
    for part in parts:
        groups.setdefault((part.recipe, part.target), []).append(part)
    largest = Counter(max(group, key=lambda part: part.share).part for group in groups.values())
    said = [f"{part_} in {count}" for part_, count in largest.most_common()]
    return f"The largest part of a step by fit, over {len(groups)} recipes and backends: {', '.join(said)}."


def gate(document: RunDocument) -> str:
    """Say how many of the deciding cells are slower."""
    answers = [row.answer for row in document.deciding]
    slower = answers.count("slower")
    return f"{slower} of {len(answers)} deciding cells are slower than the base; shaded is the margin that is the same."


def history(histories: Sequence[CellHistory]) -> str:
    """Say how many cells changed over how many runs."""
    changed = sum(bool(one.changes) for one in histories)
    runs = max((len(one.points) for one in histories), default=0)
    few = f" A change is looked for from {FEWEST_RUNS} runs on." if runs < FEWEST_RUNS else ""
    return (
        f"Each cell's share of its floor over {runs} published runs of this machine; {changed} of {len(histories)} "
        f"changed their level.{few}"
    )
