"""The lists that need no run: kept runs, a profile's steps, reference seeds, what this machine can measure."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.text import Text

from bench.plan.steps import BaselineTraining, Counting, Profile, Step, Timing, Training
from bench.records.reference import Row
from bench.records.schema import Cell, RunHeader
from bench.report.numbers import MISSING, figure
from bench.report.table import Column, section
from bench.report.words import by_phase, listed


def run_list(headers: Sequence[RunHeader]) -> RenderableType:
    """Return the kept runs, oldest first."""
    columns = [
        Column("run", lambda header: header.run_id),
        Column("corpus", lambda header: header.corpus),
        Column("commit", lambda header: header.commit.revision[:10] if header.commit else MISSING),
        Column("machine", lambda header: header.machine.cpu),
    ]
    return section("Runs", "", columns, headers, []) or Text("no runs yet: `nox -s bench-cpu` makes one")


def step_list(profile: Profile, steps: Sequence[Step], left_out: Sequence[Cell]) -> RenderableType:
    """Return the work of a profile's first pass in its order, and the cells that it leaves to the full one."""
    works: dict[tuple[str, str], list[Step]] = {}
    for step in steps:
        works.setdefault((step.recipe.name, _work(step)), []).append(step)
    columns = [
        Column("recipe", lambda work: work[0].recipe.name, key=True),
        Column("work", lambda work: _work(work[0])),
        Column("paths", lambda work: listed(path for step in work for path in _paths(step)) or MISSING),
        Column("targets", lambda work: listed(_targets(work, steps)), hoist=True),
    ]
    notes = [f"timed in {profile.replicates} pass{'es' * (profile.replicates > 1)}, each with processes of its own"]
    notes += [f"left to --profile full: {by_phase(left_out)}"] if left_out else []
    rows = list(works.values())
    return section(f"Profile {profile.name}", profile.summary, columns, rows, notes) or Text("no steps")


def _targets(work: Sequence[Step], every: Sequence[Step]) -> list[str]:
    """Return whose work it is; a peer stands beside all of them, in whichever process it is trained."""
    beside_all = any(isinstance(step, BaselineTraining) for step in work)
    return [target.name for step in (every if beside_all else work) for target in step.targets]


def _work(step: Step) -> str:
    """Return what a step does, in the words that it shares with those that differ in path, seed or target."""
    if isinstance(step, Training | BaselineTraining):
        return "train to accuracy" if isinstance(step, Training) else "train peers"
    return f"count {step.phase} {step.batch_size}" if isinstance(step, Counting) else step.name


def _paths(step: Step) -> list[str]:
    if isinstance(step, Training | BaselineTraining):
        return [step.path if isinstance(step, Training) else step.baseline]
    return [cell.path for cell in step.cells] if isinstance(step, Counting | Timing) else []


def references(rows: Sequence[Row], corpus: str) -> RenderableType:
    """Return every published figure beside its distribution over seeds."""
    columns = [
        Column("recipe", lambda row: row.recipe, key=True),
        Column("metric", lambda row: row.metric + (f" ep. {row.epoch}" if row.epoch else ""), key=True),
        Column("publ.", lambda row: figure(row.published if corpus == "imdb" else None), key=True, number=True),
        Column("backend", lambda row: row.backend),
        Column("mean", lambda row: figure(row.measured.mean), number=True),
        Column("SD", lambda row: figure(row.measured.deviation), number=True),
        Column("seeds", lambda row: str(len(row.measured.values)), number=True),
    ]
    title = f"Reference seeds on {corpus}"
    return section(title, "", columns, rows, []) or Text("no reference seeds yet: `bench reference` measures them")


def diagnosis(
    backends: Sequence[tuple[str, str | None]], *, data: str, gpus: Sequence[str], refused: str | None
) -> RenderableType:
    """Return what this machine can measure, one line a finding."""
    lines = [
        Text(f"{name}: {reason or 'installed'}", style="yellow" if reason else "green") for name, reason in backends
    ]
    lines.append(Text(f"reviews: {data}"))
    lines.append(Text(f"GPU: {'; '.join(gpus) or 'none, so CPU targets only'}"))
    if refused:
        lines.append(Text(f"environment: {refused}", style="bold red"))
    return Group(*lines)


def fallback_banner() -> RenderableType:
    """Return the banner for a run whose real reviews could not be had."""
    words = (
        "The IMDB reviews could not be fetched: this run uses the built-in SYNTHETIC reviews.\n"
        "Its accuracies are held against the synthetic reference, and its records are never compared with the IMDB's.\n"
        "For the real reviews, give the archive: --data PATH, or the variable KERASMARK_DATA."
    )
    return Panel(Text(words), title="SYNTHETIC REVIEWS", border_style="bold yellow", box=box.HEAVY)
