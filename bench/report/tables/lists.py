"""Tables that need no run: the rules about records, a profile's steps, reference seeds, the published history."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any

from bench.analysis.history import CellHistory
from bench.analysis.rows import once
from bench.analysis.verify import CheckRow
from bench.plan.steps import BaselineTraining, Counting, Profile, Step, Timing, Training
from bench.records.reference import Row
from bench.records.schema import Cell
from bench.report.tables import words
from bench.report.tables.columns import MISSING, Column, Table, share, table

CHANGE = "◆"


def checks(run_id: str, rows: Sequence[CheckRow]) -> Table:
    """Return the rules about the records of a run, with what each found."""
    columns = (Column("rule", "rule"), Column("answer", "answer", "answer"), Column("found", "found"))
    return table("checks", "Records", run_id, columns, rows)


def steps(profile: Profile, planned: Sequence[Step], left_out: Sequence[Cell]) -> Table:
    """Return the work of a profile's first pass in its order, and the cells that it leaves to the full one."""
    works: dict[tuple[str, str], list[Step]] = {}
    for step in planned:
        works.setdefault((step.recipe.name, _work(step)), []).append(step)
    columns = (
        Column("recipe", "recipe", value=lambda work: work[0].recipe.name, merge=True),
        Column("work", "work", value=lambda work: _work(work[0])),
        Column("paths", "paths", value=lambda work: _listed(path for step in work for path in _paths(step)) or None),
        Column("targets", "targets", value=lambda work: _listed(_targets(work, planned)), hoist=True),
    )
    notes = (
        f"timed in {profile.replicates} pass{'es' * (profile.replicates > 1)}, each with processes of its own",
        f"left to --profile full: {words.by_phase(left_out)}" if left_out else None,
        None if profile.counted else "counters (compilations, program bytes, memory): by --profile full and every gate",
    )
    return table("steps", f"Profile {profile.name}", profile.summary, columns, works.values(), *notes)


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


def histories(found: Sequence[CellHistory]) -> Table:
    """Return a row for each cell: how many runs, its share of the floor now, and when it last changed."""
    columns = (
        Column("cell", "cell"),
        Column("runs", "runs", "count", lambda history: len(history.points)),
        Column("floor_share", "floor", "percent", lambda history: history.points[-1].floor_share),
        Column("changed", "changed", "right", lambda history: history.last_change),
    )
    note = "floor: share of the speed by hand, in the newest run without doubts; `--cell` shows every run of a cell"
    where = Column("where", "measured on", value=lambda history: f"{history.machine}, {history.corpus}")
    rows = sorted(found, key=where.text)  # stable: cells stay in their order
    return table("histories", "History", "published runs", columns, rows, note, group=where)


def history(found: CellHistory) -> Table:
    """Return every published run of one cell, with its changes of level marked."""
    columns = (
        Column("run", "run", value=lambda index: found.points[index].run_id),
        Column("commit", "commit", value=lambda index: found.points[index].commit[:10]),
        Column("keras", "keras", value=lambda index: found.points[index].versions.get("keras", MISSING)),
        Column("floor_share", "floor", "percent", lambda index: found.points[index].floor_share),
        Column("change", " ", value=lambda index: _mark(found, index)),
    )
    note = f"{CHANGE} a new level begins here (PELT on the logarithms of the shares)" if found.changes else None
    rows = range(len(found.points))
    return table("history", found.cell, f"{found.machine}, {found.corpus}", columns, rows, note)


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


def _mark(found: CellHistory, index: int) -> str:
    """Return the mark of a new level, and the median of the level before it."""
    if index not in found.changes:
        return ""
    start = max((change for change in found.changes if change < index), default=0)
    before = statistics.median(point.floor_share for point in found.points[start:index])
    return f"{CHANGE} from {share(before)}"
