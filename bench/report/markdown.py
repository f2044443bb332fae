"""The Markdown summary of a comparison, fit for a pull request: first what to know, then tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from bench.analysis import regression
from bench.analysis.regression import CellVerdict, Decision
from bench.records.store import Run
from bench.report.comparison import (
    change,
    closing,
    common_versions,
    count,
    interval,
    label,
    notes,
    processes,
    ratio,
    standing,
    state,
    where,
)

SIGNS = {"slower": "🔴 slower", "faster": "🟢 faster", "same": "same", "unresolved": "❔ unresolved"}

Columns = Sequence[tuple[str, Callable[[Any], str]]]


def comparison(run: Run) -> str:
    """Return the summary of a run that compared targets."""
    decision = regression.decide(run)
    deciding = [one for one in decision.cells if one.decides]
    loud = [one for one in deciding if one.answer in ("slower", "faster")]
    parts = [
        f"## kerasmark: {closing(decision)}",
        _sides(decision),
        table(_columns(decision), loud),
        table(_COUNTS, [count for count in decision.counts if count.worse]),
        _folded(f"All {len(deciding)} gate cells", table(_columns(decision), deciding), notes(deciding, decision.rule)),
        _folded("As users drive them (decides nothing)", table(_columns(decision), _beside(decision)), []),
        _folded("Controls", table(_CONTROLS, decision.controls), []),
        _failures(decision),
        _footer(run),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def table(columns: Columns, rows: Sequence[Any]) -> str:
    """Return a Markdown table, or nothing without rows; what a cell shows is escaped."""
    if not rows:
        return ""
    lines = [[heading for heading, _ in columns], ["---"] * len(columns)]
    lines += [[escaped(show(row)) for _, show in columns] for row in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def escaped(text: str) -> str:
    """Return ``text`` so that Markdown and HTML show it as it is."""
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("|", "\\|"), ("\n", " ")):
        text = text.replace(character, entity)
    return text


def _columns(decision: Decision) -> Columns:
    sides: Columns = [("target", label)] if len(decision.rule.sides) > 2 else []
    return [
        *sides,
        ("cell", lambda row: f"{row.cell.recipe} {row.cell.operation}"),
        ("backend", where),
        ("seconds", lambda row: ratio(row.ratio)),
        ("95 % interval", lambda row: interval(row.ratio)),
        ("sees", lambda row: change(row.min_detectable)),
        ("answer", lambda row: SIGNS[row.answer]),
    ]


_COUNTS: Columns = [
    ("counter", lambda row: row.counter.replace("_", " ")),
    ("cell", lambda row: row.cell.name),
    ("base", lambda row: count(row.before)),
    ("now", lambda row: count(row.after)),
]

_CONTROLS: Columns = [
    ("control", lambda row: {"itself": "the base again", "extra work": "the base with 10 % more work"}[row.name]),
    ("cell", lambda row: f"{row.verdict.cell.recipe} {row.verdict.cell.operation} {where(row.verdict)}"),
    ("seconds", lambda row: ratio(row.verdict.ratio)),
    ("answer", lambda row: row.verdict.answer),
    ("", standing),
]


def _sides(decision: Decision) -> str:
    return "\n".join(f"- **{escaped(name)}**: {escaped(words)}" for name, words in decision.rule.sides.items())


def _beside(decision: Decision) -> list[CellVerdict]:
    return [one for one in decision.cells if not one.decides]


def _folded(title: str, body: str, below: Sequence[str]) -> str:
    if not body:
        return ""
    feet = "".join(f"\n\n{escaped(line)}" for line in below)
    return f"<details><summary>{escaped(title)}</summary>\n\n{body}{feet}\n\n</details>"


def _failures(decision: Decision) -> str:
    lines = [f"- {escaped(f'{f.target}: {f.recipe} {f.work}: {f.reason}')}" for f in decision.failures]
    return "**Not measured**\n\n" + "\n".join(lines) if lines else ""


def _footer(run: Run) -> str:
    rule, header = regression.decide(run).rule, run.header
    return (
        f"<sub>{header.started_at[:10]}, kerasmark {state(run)}; {escaped(header.machine.title)}; on every side "
        f"{escaped(common_versions(run))}; corpus {header.corpus}; {processes(rule)} of each side; same "
        f"within {rule.margin:.0%}; false alarms below {rule.alpha:.0%}; a slowdown is confirmed by a fresh round. "
        "“sees”: the smallest slowdown that would have been called slower 9 times in 10.</sub>"
    )
