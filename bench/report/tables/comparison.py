"""Tables of comparisons: a gate's cells, its controls and counters; two runs, or two targets of one."""

from __future__ import annotations

from collections.abc import Sequence

from bench.analysis.compare_runs import RunComparison
from bench.analysis.rows import ComparisonRow, CounterChangeRow, RunDocument, once
from bench.analysis.summary import order, place
from bench.plan.gate import CALLED
from bench.report.tables import words
from bench.report.tables.columns import Column, Table, change, interval_column, table
from bench.report.tables.quality import RECIPE

# Where two are not told apart.
UNKNOWN = "~"
# Notes below the table of counters: another release changes the calls of every cell.
MOST_EXPLANATIONS = 8

N_PROCESSES = "n: fresh processes of each side until the cell was decided"
MIN_DETECTABLE = "min. detectable: the smallest slowdown that would have been called slower 9 times in 10"
CONTROLS = {"itself": "the base again", "extra work": "the base with 10% more work"}


def where(target: str) -> str:
    """Return the backend of a target, without its label."""
    return target.partition("@")[0].removesuffix("-cpu")


WORK = Column("work", "work", value=lambda row: f"{row.phase} {row.batch_size}", merge=True)
BACKEND = Column("target", "backend", value=lambda row: where(row.target), hoist=True)
CHANGE = "change: of a cell's seconds from its base's; + takes longer"
RATIO = Column("ratio", "change", "change", lambda row: UNKNOWN if row.ratio is None else row.ratio, note=CHANGE)


def gate_cells(document: RunDocument) -> Table:
    """Return the compiled programs on which the gate decides; in older documents, all of its cells."""
    rows = [row for row in document.deciding if row.tier != CALLED]
    return _cells("gate_cells", "Compiled programs", _caption(document), document, rows)


def called_cells(document: RunDocument) -> Table:
    """Return the calls of Keras on which the gate decides."""
    rows = [row for row in document.deciding if row.tier == CALLED]
    return _cells("called_cells", "Keras as it is called", _caption(document), document, rows)


def _caption(document: RunDocument) -> str:
    return f"{processes(document)} of each, false alarms below {document.alpha or 0:.0%}"


def beside(document: RunDocument) -> Table:
    """Return the cells of an older gate that were shown beside and decided nothing."""
    rows = [row for row in document.comparisons if not (row.decides or row.control)]
    return _cells("beside", "Beside", "as users drive them: these decided nothing", document, rows)


def gate_findings(document: RunDocument) -> Table:
    """Return the deciding cells that are slower or faster, of both tiers."""
    rows = [row for row in document.deciding if row.answer in ("slower", "faster")]
    return _cells("gate_findings", "What changed", "confirmed where slower", document, rows)


def controls(document: RunDocument) -> Table:
    """Return the cells whose answers are known beforehand."""
    control = Column("control", "control", value=lambda row: CONTROLS.get(row.control, row.control))
    columns = (
        RECIPE,
        WORK,
        Column("path", "path", wide=True),
        BACKEND,
        RATIO,
        Column("answer", "answer"),
        Column("standing", "result", "answer", standing),
    )
    rows = [row for row in document.comparisons if row.control is not None]
    return table("controls", "Controls", "known answers that the gate must give", columns, rows, group=control)


def standing(row: ComparisonRow) -> str:
    """Return whether a control passed, and when."""
    if row.passed:
        return "held when re-measured" if row.remeasured else "held"
    return "FAILED twice" if row.remeasured else "FAILED"


def counter_changes(document: RunDocument, *, failing: bool = False) -> Table:
    """Return the counters that differ from the base's, those that fail the gate first, or those alone."""
    columns = (
        Column("counter", "counter", value=lambda row: row.counter.replace("_", " ")),
        Column("before", "base", "count", words=lambda row: number(row.before)),
        Column("after", "now", "count", words=lambda row: number(row.after)),
        Column("ratio", "change", "change", lambda row: row.after / row.before if row.before > 0 else None),
        Column("decides", "finding", "answer", _finding, short=" "),
    )
    rows = [row for row in document.counter_changes if row.fails or not failing]
    rows.sort(key=lambda row: not row.fails)
    caption = "fails: an exact one that rose by more than its margin; more and fewer decide nothing"
    cell = Column("cell", "cell")
    return table("counter_changes", "Counters that differ", caption, columns, rows, *_explanations(rows), group=cell)


def number(value: float) -> str:
    """Return a count; calls of a repeat may be a fraction."""
    return f"{value:,.3f}".rstrip("0").rstrip(".")


def _finding(row: CounterChangeRow) -> str:
    return "fails" if row.fails else "more" if row.worse else "fewer"


def _explanations(rows: Sequence[CounterChangeRow]) -> list[str]:
    """Return which functions explain the changes of calls, those of several cells once."""
    found: dict[str, list[str]] = {}
    for row in rows:
        calls = [f"{one.function}: {number(one.before)} → {number(one.after)}" for one in row.functions]
        if calls:
            found.setdefault("; ".join(calls), []).append(f"{row.cell} {row.counter.replace('_', ' ')}")
    notes = [f"{where[0]}{_more(len(where) - 1)}: {calls}" for calls, where in found.items()]
    left = len(notes) - MOST_EXPLANATIONS
    return notes[:MOST_EXPLANATIONS] + ([f"{left} more explanations: --json"] if left > 0 else [])


def _more(others: int) -> str:
    return f" and {others} more" if others else ""


def processes(document: RunDocument) -> str:
    """Return how many fresh processes stand behind an answer."""
    many = document.replicates or 0
    if document.fewest is None:  # an older gate
        return f"{many} or {2 * many} processes" if document.settle else f"{many} processes"
    return f"{words.between(document.fewest, many)} processes"


def hints(rows: Sequence[ComparisonRow]) -> list[str]:
    """Return what a reader should do about unresolved cells, and what confirmed those that are slower."""
    deciding = [row for row in rows if row.decides]  # no option says how often others are timed
    needed = max((row.needed for row in deciding if row.needed is not None), default=0)
    found = [f"{row.cell.name}: {row.reason} ({change(row.confirmed)})" for row in rows if row.confirmed is not None]
    if needed:
        found.append(f"to resolve every cell that can be: --replicates {needed}")
    return found


def _cells(key: str, title: str, caption: str, document: RunDocument, rows: Sequence[ComparisonRow]) -> Table:
    base, *others = document.sides or [""]
    sides = Column("side", "side", value=lambda row: f"{row.label} against {base}") if len(others) > 1 else None
    columns = (
        RECIPE if sides else None,
        Column("path", "path", merge=True),
        BACKEND,
        RATIO,
        interval_column("ratio", "95% interval", "change"),
        Column("min_detectable", "min. detectable", "change", note=MIN_DETECTABLE, short="min. det."),
        Column("answer", "answer", "answer"),
        Column("processes", "n", "count"),
        Column("reason", "reason", wide=True),
    )
    recipes, order = once(row.recipe for row in rows), {other: number for number, other in enumerate(others)}
    rows = sorted(rows, key=lambda row: (order.get(row.label, len(order)), recipes.index(row.recipe)))
    notes = (*_margins(document, rows), N_PROCESSES, *hints(rows))
    return table(key, title, caption, columns, rows, *notes, group=sides or RECIPE)


def _margins(document: RunDocument, rows: Sequence[ComparisonRow]) -> list[str]:
    """Say within which margin the cells of each path are the same."""
    margins: dict[float, list[str]] = {}
    for row in rows:
        margins.setdefault(row.margin or document.margin or 0.0, []).append(row.path)
    return ["same within " + "; ".join(f"{margin:.0%}: {', '.join(once(paths))}" for margin, paths in margins.items())]


def differences(found: RunComparison) -> Table:
    """Return the fields in which two runs differ."""
    columns = (
        Column("field", "field"),
        Column("first", "first"),
        Column("second", "second"),
        Column("matters", " ", "answer", lambda row: "matters" if row.matters else "told"),
    )
    return table("differences", "What differs", "", columns, found.differences)


def compared_cells(found: RunComparison) -> Table:
    """Return the cells of two runs, or of two targets of one, the first one's seconds being one."""
    columns = (
        WORK,
        Column("path", "path", merge=True),
        Column("target", "backend", value=lambda row: row.target.removesuffix("-cpu"), hoist=True),
        RATIO,
        interval_column("ratio", "interval", "change"),
        Column("answer", "answer", "answer", lambda row: answer(found, row)),
    )
    unsettled = any(row.answer in (None, "unresolved") for row in found.rows)
    note = f"{UNKNOWN}: not told apart; run more processes of each, with --budget or --profile full"
    recipes = order(sorted(row.recipe for row in found.rows))
    rows = sorted(found.rows, key=lambda row: place(row.cell, recipes))
    caption = f"{found.measure}, against {found.first}"
    rule = words.TOLD_APART if found.rows else None
    return table("cells", "Cells", caption, columns, rows, rule, note if unsettled else None, group=RECIPE)


def answer(found: RunComparison, row: ComparisonRow) -> str:
    """Return what is told of a cell; `~` where that is nothing."""
    return UNKNOWN if row.answer in (None, "unresolved") or not found.verdicts else str(row.answer)
