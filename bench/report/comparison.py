"""The report of a comparison: of two commits or versions by a gate, or of finished runs by `bench compare`."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from bench.analysis.compare_runs import RunComparison
from bench.analysis.rows import RunDocument
from bench.analysis.summary import Summary
from bench.plan.paths import FLOORS
from bench.records.schema import TargetRecord
from bench.records.store import Run
from bench.report import terminal
from bench.report.tables import comparison as tables
from bench.report.tables import runs

ANSWERS = {"slower": "slower", "faster": "faster", "same": "the same", tables.UNKNOWN: "not told apart"}


def render(summary: Summary) -> RenderableType:
    """Return the whole report of a run that compared targets."""
    document = summary.document
    shown = (tables.gate_cells, tables.called_cells, tables.counter_changes, tables.controls)
    return terminal.group(
        [
            _heading(summary),
            *[terminal.section(make(document)) for make in shown],
            _failures(summary),
            terminal.spaced(Text(closing(document))),
        ]
    )


def compared(found: RunComparison, *, anyway: bool) -> RenderableType:
    """Return what two runs, or two targets of one, say of each other.

    With ``anyway``, numbers without verdicts where fields that matter differ.
    """
    head = Text(f"{found.second} against {found.first}", style="bold")
    head.append(f"\nin the run {found.run_id}" if found.run_id else "", style="dim not bold")
    head.append(f"\n{answers(found)}" if found.verdicts else "", style="not bold")
    parts = [head, terminal.section(tables.differences(found))]
    if not found.verdicts and not anyway:
        return terminal.group([*parts, _refusal(found)])
    return terminal.group([*parts, terminal.section(tables.compared_cells(found)), _missing(found)])


def answers(found: RunComparison) -> str:
    """Return how many cells are slower, faster, the same and not told apart, without floors, which nobody runs."""
    cells = [tables.answer(found, row) for row in found.rows if row.path not in FLOORS]
    said = [f"{cells.count(one)} {word}" for one, word in ANSWERS.items() if one in cells]
    return f"{len(cells)} cell{'s' * (len(cells) != 1)}: {', '.join(said) or 'none was compared'}"


def common_versions(run: Run) -> str:
    """Return the packages that have one version on every target; what differs is what is compared."""
    facts = [record.facts for record in run.records if isinstance(record, TargetRecord)]
    pairs = {pair for one in facts for pair in one.versions.items()}
    names = [name for name, _ in pairs]
    return ", ".join(f"{name} {version}" for name, version in sorted(pairs) if names.count(name) == 1) or "nothing"


def state(run: Run) -> str:
    """Return the commit of the suite that measured."""
    commit = run.header.commit
    return "none" if commit is None else commit.title


def closing(document: RunDocument) -> str:
    """Return the decision in one line."""
    if document.void:
        return "VOID: the base differs from itself, so the other answers mean nothing; repeat in a quieter hour"
    return f"Gate cells: {runs.decided(document) or 'none was compared'}"


def _heading(summary: Summary) -> RenderableType:
    run, document = summary.run, summary.document
    base, *others = document.sides.items()
    lines = [
        f"kerasmark · comparison · {document.started_at} · commit {state(run)}",
        document.machine.title,
        f"on every side: {common_versions(run)}",
        f"corpus {document.corpus} ({document.corpus_digest[:12]})",
        f"base   {base[0]}: {base[1]}" if base[0] != base[1] else f"base   {base[0]}",
        *(f"against {name}: {words}" if name != words else f"against {name}" for name, words in others),
    ]
    return terminal.announced(lines, document)


def _failures(summary: Summary) -> RenderableType | None:
    if not (summary.failures or summary.incomplete):
        return None
    lines = [Text(f"  {f.target}: {f.recipe} {f.work}: {f.reason}") for f in summary.failures]
    lines += [Text(f"  {reason}") for reason in summary.incomplete]
    logs = Text(f"  logs: {summary.run.folder / 'logs'}", style="dim")
    return terminal.spaced(Text("Not measured", style="bold red"), *lines, logs)


def _refusal(found: RunComparison) -> RenderableType:
    fields = ", ".join(difference.field for difference in found.differences if difference.matters)
    words = f"Not compared: {fields} differ. Measure both in one session, or see the numbers without verdicts: --anyway"
    return terminal.spaced(Text(words, style="bold red"))


def _missing(found: RunComparison) -> RenderableType | None:
    if not found.missing:
        return None
    first = ", ".join(found.missing[:6]) + (", …" if len(found.missing) > 6 else "")
    words = f"Not in both, or without a floor beside: {len(found.missing)} cells ({first})"
    return terminal.spaced(Text(words, style="dim"))
