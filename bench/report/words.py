"""The words that several tables share: a target's name, a verdict, marks and their notes; it makes no table."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from rich.text import Text

from bench.analysis.stats import TRIMMED
from bench.analysis.summary import Summary, TimedCell
from bench.records.schema import Cell
from bench.records.store import BUSY, Run
from bench.report.numbers import MISSING, share

STYLES = {"passed": "green", "failed": "bold red", "unresolved": "yellow"}


def label(summary: Summary, target: str) -> str:
    """Return the target's name, without the device where all targets of the run share it."""
    devices = {record.facts.device for record in summary.targets.values()}
    return target.removesuffix(f"-{devices.pop()}") if len(devices) == 1 else target


def verdict(answer: str) -> Text:
    return Text(answer, style=STYLES[answer])


def recipe(row: TimedCell) -> str:
    return row.cell.recipe


def marks(row: TimedCell) -> str:
    return ("†" if row.struck else "") + ("" if row.steady else "*")


def timing_notes(rows: Sequence[TimedCell]) -> list[str]:
    seen = "".join(marks(row) for row in rows)
    notes = []
    if any(row.floor is not None for row in rows):
        notes.append("floor: share of the speed of the same work written by hand, from neighbouring blocks")
    if "†" in seen:
        notes.append("† its accuracy failed: this timing belongs to other work and counts in no comparison")
    if "*" in seen:
        notes.append("* was not steady when warm-up ended: repeat on a quieter machine, or with --profile full")
    return notes


def replicates(rows: Sequence[TimedCell]) -> str:
    """Say what stands behind the intervals of ``rows``."""
    fewest, most = (pick((row.replicates for row in rows), default=0) for pick in (min, max))
    if fewest == 1:
        return "one process: ± covers its own noise only"
    return f"{_between(fewest, most)} processes of each target, ± covers them"


def over_seeds(seeds: Collection[int]) -> str:
    """Say how the figures of so many seeds each became one; an unfinished run has fewer of some recipes."""
    fewest, most = min(seeds, default=0), max(seeds, default=0)
    many = f"{_between(fewest, most)} seed{'s' * (most != 1)}"
    if most < TRIMMED:
        return many
    return f"mean of {many}, best and worst dropped" + " of three or more" * (fewest < TRIMMED)


def _between(fewest: int, most: int) -> str:
    return f"{most}" if fewest == most else f"{fewest} to {most}"


def share_of_floor(row: TimedCell) -> str:
    return MISSING if row.floor is None else share(row.floor.value)


def curve(metric: str) -> str:
    return metric.replace("val_", "validation ").replace("_", " ")


def by_phase(cells: Sequence[Cell]) -> str:
    """Return how many cells of which paths, phase by phase."""
    phases = dict.fromkeys(cell.phase for cell in cells)
    groups = {phase: [cell for cell in cells if cell.phase == phase] for phase in phases}
    words = [f"{phase} {', '.join(dict.fromkeys(c.path for c in group))}" for phase, group in groups.items()]
    return f"{len(cells)} cells ({'; '.join(words)})"


def interference(stolen: float) -> str:
    """Say what others took of the machine."""
    words = f"other guests of the host took {share(stolen)} of the processors' time while clocks ran"
    return words + ("; a quieter hour would tell more" if stolen >= BUSY else "")


def disturbed(run: Run) -> Text:
    """Return a heading's last line; it stands out where the hour was a busy one.

    Nothing where nothing was taken: the machine has no other guest, or its system does not count what they take.
    """
    if not run.stolen:
        return Text()
    return Text("\n" + interference(run.stolen), style="yellow" if run.stolen >= BUSY else "")


def listed(words: Iterable[str]) -> str:
    """Return each word once, in their order."""
    return ", ".join(dict.fromkeys(words))
