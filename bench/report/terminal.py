"""The terminal report: rich tables of a summary, readable in 80 columns and as plain text; it decides nothing."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from bench.analysis.summary import Summary
from bench.report import hardware, quality, speed
from bench.report.words import STYLES, by_phase, disturbed


def render(summary: Summary) -> RenderableType:
    """Return the whole report."""
    parts = [part(summary) for part in PARTS]
    return Group(*[part for part in parts if part is not None])


def heading(summary: Summary) -> RenderableType:
    """Return what is common to every table: machine, date, commit, versions, corpus."""
    header = summary.run.header
    versions = {name: v for t in summary.targets.values() for name, v in t.facts.versions.items() if name != "python"}
    state = "not a git checkout" if header.commit is None else header.commit.title
    lines = [
        f"kerasmark · profile {header.profile} · {header.started_at} · commit {state}",
        *([f"gone on with {', '.join(summary.run.resumed_at)}"] if summary.run.resumed_at else []),
        header.machine.title,
        ", ".join(f"{name} {version}" for name, version in sorted(versions.items())),
        f"corpus {header.corpus} ({header.corpus_digest[:12]}), targets {', '.join(summary.targets) or 'none'}",
    ]
    text = Text("\n".join(lines), style="dim").append_text(disturbed(summary.run))
    banner = Text("SYNTHETIC REVIEWS: not the IMDB, never compared with results on the IMDB", style="bold yellow")
    return Group(text, banner) if header.corpus == "synthetic" else text


def failures(summary: Summary) -> RenderableType | None:
    """Return what was not measured, each with its reason and log."""
    if not summary.failures:
        return None
    lines = [Text("Not measured", style="bold red")]
    for key, group in groupby(summary.failures, key=lambda f: (f.target, f.reason, f.log)):
        missing = list(group)
        lines.append(Text(f"  {key[0]}: {key[1]}; log: {summary.run.folder / key[2]}"))
        lines.append(
            Text(f"    costs {len(missing)}: " + ", ".join(f"{f.recipe} {f.work}" for f in missing), style="dim")
        )
    return Padding(Group(*lines), (1, 0, 0, 0), expand=False)


def closing(summary: Summary) -> RenderableType:
    """Return the run in one line: how many verdicts held, and where the records are."""
    counts = {answer: sum(v.answer == answer for v in summary.verdicts) for answer in STYLES}
    words = [Text(f"{number} {answer}", style=STYLES[answer]) for answer, number in counts.items() if number]
    return Padding(Text.assemble("Verdicts: ", Text(", ").join(words or [Text("none")])), (1, 0, 0, 0), expand=False)


def console(*, stderr: bool = False) -> Console:
    """Return a console: 80 columns where there is no terminal, plain text in a pipe, no colour with NO_COLOR."""
    return Console(stderr=stderr, highlight=False, soft_wrap=False)


def left_out(summary: Summary) -> RenderableType | None:
    """Return one line on the cells that this run's profile leaves to the full one."""
    cells = summary.left_out
    if not cells:
        return None
    return Padding(Text(f"Left to --profile full: {by_phase(cells)}.", style="dim"), (1, 0, 0, 0), expand=False)


# The order of the report: what was measured, whether it is right, how fast it is, what to do, what is missing.
PARTS: tuple[Callable[[Summary], RenderableType | None], ...] = (
    heading,
    quality.accuracy,
    quality.peers,
    quality.parity,
    quality.serving,
    speed.training,
    quality.time_to_accuracy,
    speed.prediction,
    speed.vectorization,
    speed.startup,
    hardware.hardware,
    hardware.counters,
    speed.advice,
    left_out,
    failures,
    closing,
)
