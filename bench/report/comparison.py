"""The report of a comparison: ratios with intervals, three answers, controls and counters; it decides nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from bench.analysis import regression
from bench.analysis.regression import CellVerdict, Control, Count, Decision
from bench.analysis.stats import Estimate
from bench.records.schema import ComparisonRecord, TargetRecord
from bench.records.store import Run
from bench.report.numbers import MISSING, significant
from bench.report.table import Column, section
from bench.report.words import disturbed

# From here on a ratio is told as times, not as a percentage.
TIMES = 2.0

STYLES = {"slower": "bold red", "faster": "green", "same": "green", "unresolved": "yellow"}


def render(run: Run) -> RenderableType:
    """Return the whole report of a run that compared targets."""
    decision = regression.decide(run)
    deciding = [one for one in decision.cells if one.decides]
    beside = [one for one in decision.cells if not one.decides]
    parts = [
        _heading(run, decision),
        _cells("Gate cells", _caption(decision), deciding, decision),
        _cells("Beside", "as users drive them: these decide nothing", beside, decision),
        _counts(decision.counts),
        _controls(decision),
        _failures(run, decision),
        _closing(decision),
    ]
    return Group(*[part for part in parts if part is not None])


def common_versions(run: Run) -> str:
    """Return the packages that have one version on every target; what differs is what is compared."""
    facts = [record.facts for record in run.records if isinstance(record, TargetRecord)]
    seen: dict[str, set[str]] = {}
    for one in facts:
        for name, version in one.versions.items():
            seen.setdefault(name, set()).add(version)
    alike = [f"{name} {versions.pop()}" for name, versions in sorted(seen.items()) if len(versions) == 1]
    return ", ".join(alike) or "nothing"


def state(run: Run) -> str:
    """Return the commit of the suite that measured."""
    commit = run.header.commit
    return "none" if commit is None else commit.title


def where(judged: CellVerdict) -> str:
    """Return the backend, and the label of the target where more than one is compared."""
    return judged.cell.where.removesuffix("-cpu")


def label(judged: CellVerdict) -> str:
    return judged.cell.label


def ratio(estimate: Estimate | None) -> str:
    """Return a ratio of seconds as a change: "+5.1%"; `~` where there is none."""
    return "~" if estimate is None else change(estimate.value)


def interval(estimate: Estimate | None) -> str:
    return MISSING if estimate is None else f"{change(estimate.low)} to {change(estimate.high)}"


def change(value: float) -> str:
    """Return how much more than one ``value`` is: "+5.1%", or how many times, from twice on: "2.3×"."""
    if not math.isfinite(value):
        return MISSING
    return f"{value - 1:+.1%}".replace("-0.0%", "+0.0%") if value < TIMES else f"{significant(value, 2)}×"


def count(value: float) -> str:
    """Return an exact counter: a whole number, thousands separated."""
    return f"{value:,.0f}"


def notes(rows: Sequence[CellVerdict], rule: ComparisonRecord) -> list[str]:
    """Return what a reader should do about cells that are not settled, and what confirmed those that are slower."""
    deciding = [row for row in rows if row.decides]  # how often others are timed is nobody's choice
    needed = max((row.needed for row in deciding if row.needed is not None), default=0)
    many = rule.replicates
    settled = any(row.ratio is not None and row.ratio.count > many for row in deciding)
    found = [f"{2 * many} processes: cells that the first {many} left open"] if settled else []
    found += [f"{row.cell.name}: {row.reason} ({ratio(row.confirmed)})" for row in rows if row.confirmed is not None]
    if needed:
        found.append(f"to settle every open cell that can be: --replicates {needed}")
    if many < needed <= 2 * many and not rule.settle:
        found.append("without --no-settle, open cells alone get as many processes again")
    return found


def _heading(run: Run, decision: Decision) -> RenderableType:
    header = run.header
    base, *others = decision.rule.sides.items()
    lines = [
        f"kerasmark · comparison · {header.started_at} · commit {state(run)}",
        header.machine.title,
        f"on every side: {common_versions(run)}",
        f"corpus {header.corpus} ({header.corpus_digest[:12]})",
        f"base   {base[0]}: {base[1]}" if base[0] != base[1] else f"base   {base[0]}",
        *(f"against {name}: {words}" if name != words else f"against {name}" for name, words in others),
    ]
    text = Text("\n".join(lines), style="dim").append_text(disturbed(run))
    banner = Text("SYNTHETIC REVIEWS: not the IMDB, never compared with results on the IMDB", style="bold yellow")
    return Group(text, banner) if header.corpus == "synthetic" else text


def _caption(decision: Decision) -> str:
    rule = decision.rule
    return f"{processes(rule)} of each, same within {rule.margin:.0%}, false alarms below {rule.alpha:.0%}"


def processes(rule: ComparisonRecord) -> str:
    """Return how many fresh processes stand behind an answer."""
    return f"{rule.replicates} or {2 * rule.replicates} processes" if rule.settle else f"{rule.replicates} processes"


def _cells(title: str, caption: str, rows: Sequence[CellVerdict], decision: Decision) -> RenderableType | None:
    columns = [
        Column("recipe", lambda row: row.cell.recipe, key=True),
        Column("work", lambda row: f"{row.cell.phase} {row.cell.batch_size}", key=True),
        Column("backend", where),
        Column("seconds", lambda row: ratio(row.ratio), number=True),
        Column("95% interval", lambda row: interval(row.ratio), number=True),
        Column("sees", lambda row: change(row.min_detectable), number=True),
        Column("answer", lambda row: Text(row.answer, style=STYLES[row.answer]), number=True),
    ]
    if len(decision.rule.sides) > 2:
        ordered = sorted(rows, key=lambda row: list(decision.rule.sides).index(label(row)))
        group = lambda row: f"{label(row)} against {next(iter(decision.rule.sides))}"  # noqa: E731
        return section(title, caption, columns, ordered, _cell_notes(rows, decision), tight=True, group=group)
    return section(title, caption, columns, rows, _cell_notes(rows, decision), tight=True)


def _cell_notes(rows: Sequence[CellVerdict], decision: Decision) -> list[str]:
    paths = {row.cell.phase: row.cell.path for row in rows}
    how = "; ".join(f"{phase}: {path}" for phase, path in paths.items())
    sees = "sees: the smallest slowdown that would have been called slower 9 times in 10"
    return [how, sees, *notes(rows, decision.rule)]


def _counts(rows: Sequence[Count]) -> RenderableType | None:
    columns = [
        Column("cell", lambda row: row.cell.name),
        Column("counter", lambda row: row.counter.replace("_", " ")),
        Column("base", lambda row: count(row.before), number=True),
        Column("now", lambda row: count(row.after), number=True),
        Column("", lambda row: Text("more", style="bold red") if row.worse else Text("fewer", style="green")),
    ]
    return section("Exact counters that differ", "these do not wobble", columns, rows, [], tight=True)


def _controls(decision: Decision) -> RenderableType | None:
    words = {"itself": "the base again", "extra work": "the base with 10% more work"}
    columns = [
        Column("control", lambda row: words[row.name], key=True),
        Column("cell", lambda row: f"{row.verdict.cell.recipe} {row.verdict.cell.operation} {where(row.verdict)}"),
        Column("seconds", lambda row: ratio(row.verdict.ratio), number=True),
        Column("answer", lambda row: row.verdict.answer, number=True),
        Column("", lambda row: Text(standing(row), style="green" if row.passed else "bold red")),
    ]
    rows: list[Control] = decision.controls
    return section("Controls", "known answers that the gate must give", columns, rows, [], tight=True)


def standing(control: Control) -> str:
    """Return whether a control held, and when."""
    if control.passed:
        return "held when asked again" if control.remeasured else "held"
    return "FAILED twice" if control.remeasured else "FAILED"


def _failures(run: Run, decision: Decision) -> RenderableType | None:
    if not decision.failures:
        return None
    lines = [Text("Not measured", style="bold red")]
    lines += [Text(f"  {f.target}: {f.recipe} {f.work}: {f.reason}") for f in decision.failures]
    return Padding(Group(*lines, Text(f"  logs: {run.folder / 'logs'}", style="dim")), (1, 0, 0, 0), expand=False)


def _closing(decision: Decision) -> RenderableType:
    return Padding(Text(closing(decision)), (1, 0, 0, 0), expand=False)


def closing(decision: Decision) -> str:
    """Return the decision in one line."""
    if decision.rule.controls and decision.void:
        return "VOID: a control did not come out as it must, so the other answers mean nothing; repeat, quieter"
    deciding = [one for one in decision.cells if one.decides]
    counts = {name: sum(one.answer == name for one in deciding) for name in STYLES}
    words = [f"{number} {name}" for name, number in counts.items() if number]
    more = sum(count.worse for count in decision.counts)
    words += [f"{more} counter{'s' * (more > 1)} higher"] if more else []
    return f"Gate cells: {', '.join(words) or 'none was compared'}"
