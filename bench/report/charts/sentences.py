"""What each chart shows in one sentence, for those who do not see it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from bench.analysis import best_path
from bench.analysis.history import FEWEST_RUNS, CellHistory
from bench.analysis.rows import AnswerRow, RunDocument, TimeToAccuracyRow, once
from bench.report.tables import words
from bench.report.tables.answers import VIEWS
from bench.report.tables.columns import significant
from bench.report.tables.machines import favoured
from bench.report.tables.speed import StepPart
from datasets.synthetic_sampling import ROWS
from models.recipes import RECIPES, Recipe

# So many recipes are summed up from the least to the most.
MANY = 3


def answers(document: RunDocument) -> str:
    """Say where the rival of a pair, TensorFlow where it is compared with JAX, is the faster one."""
    rivals = once(row.rival for row in document.answers)
    ahead = [said for rival in rivals for said in _ahead(document, rival)]
    return " ".join([*ahead, *_startup(document), *_first_epochs(document)])


def _ahead(document: RunDocument, rival: str) -> list[str]:
    """Say, view by view, at what ``rival`` is told apart as the faster one."""
    rows = [row for row in document.answers if row.rival == rival and favoured(row) == rival]
    name = words.name(document, rival)
    told = {title: [row for row in rows if row.view == view] for view, title in VIEWS.items()}
    found = [f"{name} is faster, {title}, at {_listed(document, mine)}." for title, mine in told.items() if mine]
    return found or [f"{name} is nowhere told apart as the faster one."]


def _listed(document: RunDocument, rows: Sequence[AnswerRow]) -> str:
    """Return the work of ``rows`` with how many times as fast the rival is."""
    works: dict[str, list[tuple[str, float]]] = {}
    for row in rows:
        works.setdefault(words.work(document, row.phase, row.batch_size), []).append((row.recipe, 1 / row.ratio))
    return "; ".join(f"{work} ({_times(found)})" for work, found in works.items())


def _times(found: Sequence[tuple[str, float]]) -> str:
    """Return factors recipe by recipe, or from the least to the most of many."""
    if len(found) < MANY:
        return ", ".join(f"{recipe} {significant(times, 2)} times" for recipe, times in found)
    ends = [significant(pick(times for _, times in found), 2) for pick in (min, max)]
    return f"{ends[0]} to {ends[1]} times, {len(found)} recipes"


def _startup(document: RunDocument) -> list[str]:
    """Say what another target than the first one does sooner in a fresh process; such seconds have no interval."""
    names = once(row.target for row in document.startup)
    return [said for rival in names[1:] if (said := _sooner(document, names[0], rival))]


def _sooner(document: RunDocument, first: str, rival: str) -> str:
    rows = {(row.recipe, row.target): row for row in document.startup}
    recipes = [recipe for recipe, target in rows if target == rival and (recipe, first) in rows]
    said = []
    for name in ("import", "build", "first step", "first prediction"):
        field = f"{name.replace(' ', '_')}_s"
        pairs = [(recipe, *(getattr(rows[recipe, one], field) for one in (first, rival))) for recipe in recipes]
        times = [(recipe, mine / other) for recipe, mine, other in pairs if mine and other and mine > other]
        said += [f"{name} ({_times(times)})"] if times else []
    return f"At start-up {words.name(document, rival)} takes less time for {'; '.join(said)}." if said else ""


def _first_epochs(document: RunDocument) -> list[str]:
    """Say on which recipes another target's first epoch by the usual path is the shorter one: it compiles for less."""
    found = [said for recipe in RECIPES.values() if (said := _first_epoch(document, recipe))]
    return [f"A first epoch by fit, compilation included, is shorter on {'; '.join(found)}."] if found else []


def _first_epoch(document: RunDocument, recipe: Recipe) -> str:
    steps = -(-(ROWS - recipe.phases[-1].held_out) // recipe.batch_size)
    rows = [row for row in document.timed("train") if (row.recipe, row.path) == (recipe.name, best_path.USUAL["train"])]
    known = [row for row in rows if row.seconds and row.first_step_s and not row.excluded]
    epochs = {row.target: (row.first_step_s or 0.0) + (steps - 1) * (row.seconds or 0.0) for row in known}
    best = min(epochs, key=epochs.__getitem__, default="")
    if len(epochs) < 2 or best == known[0].target:
        return ""
    mine, others = (significant(epochs[target], 2) for target in (best, known[0].target))
    return f"{words.name(document, best)} for {recipe.name} ({mine} s against {others})"


def speed(document: RunDocument, phase: str) -> str:
    """Say how far the usual path stays behind its floor, for a chart of ``phase``, and what its intervals tell."""
    usual = best_path.USUAL[phase]
    every = [row for row in document.timed(phase) if row.path == usual and row.floor_share and not row.excluded]
    rows = [row for row in every if row.has_floor]
    if not rows:
        return f"No path was timed beside its floor. {ABSOLUTE}"
    ordered = sorted(rows, key=lambda row: row.floor_share or 0)
    ends = [f"{row.floor_share:.0%} ({row.recipe} on {words.name(document, row.target)})" for row in ordered]
    return f"{usual} reaches from {ends[0]} to {ends[-1]} of the speed of the same work written by hand. {ABSOLUTE}"


ABSOLUTE = (
    "All panels have one scale. Lines are 95% intervals of absolute speed: two may overlap where the paired ratio "
    "tells them apart."
)


def time_to_accuracy(document: RunDocument) -> str:
    """Say how long training took until it was good enough, and by which path."""
    found = [row for row in document.time_to_accuracy if row.seconds is not None and not row.excluded]
    said = []
    for recipe in once(row.recipe for row in found):
        rows = [row for row in found if row.recipe == recipe]
        paths = once(row.path for row in rows)
        by = [f"by {path} {' and '.join(_reached(document, r) for r in rows if r.path == path)}" for path in paths]
        said.append(f"{recipe} {', '.join(by)}")
    missing = once(row.recipe for row in document.time_to_accuracy if row.seconds is None)
    tail = f" Not reached in the epochs that were trained: {', '.join(missing)}." if missing else ""
    begin = "Seconds of training until 99 % of the published accuracy (grey; each panel has its own scale):"
    return (f"{begin} {'; '.join(said)}." if said else "") + tail


def _reached(document: RunDocument, row: TimeToAccuracyRow) -> str:
    return f"{words.name(document, row.target)} {significant(row.seconds or 0)} s"


def curves(document: RunDocument) -> str:
    """Say what the curves are."""
    seeds = once(str(row.seed) for row in document.curves)
    return (
        "Training as dots, validation as a line, published figures in grey; each panel has its own scale; "
        f"seed {', '.join(seeds)}."
    )


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
        f"Each cell's share of its floor over {runs} published runs of this machine; {changed} of "
        f"{len(histories)} changed their level (a dashed line). Each panel has its own scale.{few}"
    )
