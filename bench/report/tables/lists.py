"""Tables that need no run: the rules about records, a profile's steps, reference seeds, the published history."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any

from bench.analysis.history import CellHistory, Point
from bench.analysis.rows import once
from bench.analysis.verification.rules import CheckRow
from bench.plan.steps import BaselineTraining, Counting, Profile, Step, Timing, Training
from bench.records.reference import Row
from bench.records.schema import Cell
from bench.records.store import BUSY
from bench.report.tables import words
from bench.report.tables.columns import MISSING, SPREAD, Column, Table, share, spread, table

CHANGE = "◆"
SHARE = "floor: share of the speed of the same work by hand, in the newest run without doubts"
BEFORE = "before: the median of the level that ended where the present one begins"
DOUBT = f"? a busy hour: others took {BUSY:.0%} of the processors' time or more"


def checks(run_id: str, rows: Sequence[CheckRow]) -> Table:
    """Return the rules about the records of a run, with what each found."""
    wrong = [row for row in rows if row.answer != "passed"]
    columns = (
        Column("rule", "rule"),
        Column("answer", "answer", "answer"),
        Column("found", "found", value=lambda row: row.found or None) if any(row.found for row in rows) else None,
    )
    caption = f"{run_id}: {len(rows) - len(wrong)} of {len(rows)} rules passed"
    return table("checks", "Records", caption, columns, rows)


def steps(profile: Profile, planned: Sequence[Step], left_out: Sequence[Cell]) -> Table:
    """Return the work of a profile's first pass in its order, and the cells that it leaves to the full one."""
    works: dict[tuple[str, str], list[Step]] = {}
    for step in planned:
        works.setdefault((step.recipe.name, _work(step)), []).append(step)
    rows: dict[tuple[str, str, str], list[list[Step]]] = {}  # what several recipes share stands once
    for (_, work), found in works.items():
        paths = _listed(path for step in found for path in _paths(step))
        rows.setdefault((work, paths, _listed(_targets(found, planned))), []).append(found)
    every = once(step.recipe.name for step in planned)

    def recipes(row: tuple[tuple[str, str, str], list[list[Step]]]) -> str:
        names = once(work[0].recipe.name for work in row[1])
        return "all" if len(names) == len(every) > 1 else ", ".join(names)

    columns = (
        Column("work", "work", value=lambda row: row[0][0], merge=True),
        Column("paths", "paths", value=lambda row: row[0][1] or None),
        Column("recipes", "recipes", value=recipes, hoist=True),
        Column("targets", "targets", value=lambda row: row[0][2], hoist=True),
    )
    notes = (
        f"all: {', '.join(every)}" if len(every) > 1 else None,
        f"timed in {profile.replicates} pass{'es' * (profile.replicates > 1)}, each with processes of its own",
        f"left to --profile full: {words.by_phase(left_out)}" if left_out else None,
        None if profile.counted else "counters (compilations, program bytes, memory): by --profile full and every gate",
    )
    return table("steps", f"Profile {profile.name}", profile.summary, columns, rows.items(), *notes)


def references(rows: Sequence[Row], corpus: str) -> Table:
    """Return every published figure beside its distribution over seeds."""
    columns = (
        Column("recipe", "recipe", merge=True),
        Column("metric", "metric", value=lambda r: r.metric + (f" ep. {r.epoch}" if r.epoch else ""), merge=True),
        Column("published", "publ.", "figure", lambda row: row.published if corpus == "imdb" else None, merge=True),
        Column("backend", "backend"),
        Column("mean", "mean", "figure", lambda row: row.measured.mean),
        Column("deviation", "SD", "figure", lambda row: row.measured.deviation),
        Column("seeds", "seeds", "count", lambda row: len(row.measured.values)),
    )
    return table("references", f"Reference seeds on {corpus}", "", columns, rows)


def histories(found: Sequence[CellHistory], title: str, caption: str = "") -> Table:
    """Return a row for each cell of one machine and corpus: its share of the floor, its level before, since when."""
    changed = any(history.changes for history in found)
    columns = (
        Column("work", "work", value=lambda history: f"{history.of.phase} {history.of.batch_size}", merge=True),
        Column("path", "path", value=lambda history: history.of.path, merge=True),
        Column("target", "backend", value=lambda history: history.of.target.removesuffix("-cpu"), hoist=True),
        Column("floor_share", "floor", "percent", lambda history: history.points[-1].floor_share, note=SHARE),
        Column("before", "before", "percent", _before, note=BEFORE) if changed else None,
        Column("changed", "since", "right", lambda history: history.last_change) if changed else None,
        Column("runs", "runs", "count", lambda history: len(history.points), hoist=True),
    )
    group = Column("recipe", "recipe", value=lambda history: history.of.recipe)
    return table("histories", title, caption, columns, found, group=group)


def history(found: CellHistory) -> Table:
    """Return every published run of one cell, with its changes of level marked."""
    columns = (
        Column("run", "measured", value=lambda index: words.minute(found.points[index].started_at)),
        Column("commit", "commit", value=lambda index: found.points[index].commit[:10], hoist=True),
        Column("keras", "keras", value=lambda index: found.points[index].versions.get("keras", MISSING), hoist=True),
        Column("floor_share", "floor", "percent", lambda index: found.points[index].floor_share),
        Column("spread", "±", "right", lambda index: _spread(found.points[index])),
        Column("change", " ", value=lambda index: _marks(found, index)),
    )
    notes = (
        SPREAD,
        f"{CHANGE} a new level begins here (PELT on the logarithms of the shares)" if found.changes else None,
        DOUBT if any(words.is_busy(point.taken_share) for point in found.points) else None,
    )
    rows = range(len(found.points))
    return table("history", found.cell, f"{found.machine}, {found.corpus}", columns, rows, *notes)


def history_points(points: Sequence[dict[str, Any]]) -> Table:
    """Return the table of the history's chart: every published run of every cell."""
    fields = {"recipe": "recipe", "operation": "operation", "target": "backend", "run": "run", "commit": "commit"}
    columns = (
        *[Column(key, heading, value=itemgetter(key)) for key, heading in fields.items()],
        Column("share", "floor", "percent", itemgetter("share")),
        Column("change", "change", value=lambda point: "a new level begins" if point["changed"] else None),
    )
    return table("history", "History", "each cell's share of its floor, run by run", columns, points)


def _listed(found: Iterable[str]) -> str:
    return ", ".join(once(found))


def _targets(work: Sequence[Step], planned: Sequence[Step]) -> list[str]:
    """Return whose work it is; a baseline stands beside all of them, in whichever process it is trained."""
    beside_all = any(isinstance(step, BaselineTraining) for step in work)
    return [target.name for step in (planned if beside_all else work) for target in step.targets]


def _work(step: Step) -> str:
    """Return what a step does, in the words that it shares with those that differ in path, seed or target."""
    if isinstance(step, Training | BaselineTraining):
        return "train to accuracy" if isinstance(step, Training) else "train baselines"
    return f"count {step.phase} {step.batch_size}" if isinstance(step, Counting) else step.name


def _paths(step: Step) -> list[str]:
    if isinstance(step, Training | BaselineTraining):
        return [step.path if isinstance(step, Training) else step.baseline]
    return [cell.path for cell in step.cells] if isinstance(step, Counting | Timing) else []


def _before(found: CellHistory) -> float | None:
    return found.level_before(found.changes[-1]) if found.changes else None


def _spread(point: Point) -> str:
    return spread(point.floor_share, point.low, point.high)


def _marks(found: CellHistory, index: int) -> str:
    """Return the mark of a new level with the median of the level before it, and the mark of a busy hour."""
    changed = f"{CHANGE} from {share(found.level_before(index))}" if index in found.changes else ""
    return " ".join(filter(None, [changed, "?" if words.is_busy(found.points[index].taken_share) else ""]))
