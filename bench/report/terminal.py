"""The terminal report: rich tables of a summary, readable in 80 columns and as plain text; it decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text

from bench.plan import Profile, Step
from bench.record import RunHeader
from bench.reference import Row
from bench.report.numbers import MISSING, figure, milliseconds, signed, significant, spread
from bench.report.table import Column, section
from bench.stats import largest
from bench.summary import AccuracyTimeRow, PredictionRow, Summary, TrainingRow, VectorizationRow
from models.recipes import RECIPES

STYLES = {"passed": "green", "failed": "bold red", "unresolved": "yellow"}


def render(summary: Summary) -> RenderableType:
    """Return the whole report."""
    parts = [heading(summary), accuracy(summary), parity(summary), training(summary), prediction(summary)]
    parts += [vectorization(summary), failures(summary), closing(summary)]
    return Group(*[part for part in parts if part is not None])


def heading(summary: Summary) -> RenderableType:
    """Return what is common to every table: machine, date, commit, versions, corpus."""
    header = summary.run.header
    versions = {name: v for t in summary.targets.values() for name, v in t.facts.versions.items() if name != "python"}
    state = "not a git checkout"
    if header.commit is not None:
        state = f"{header.commit.revision[:10]}{' with uncommitted changes' if header.commit.dirty else ''}"
    lines = [
        f"kerasmark · profile {header.profile} · {header.started_at} · commit {state}",
        header.machine.title,
        ", ".join(f"{name} {version}" for name, version in sorted(versions.items())),
        f"corpus {header.corpus} ({header.corpus_digest[:12]}), targets {', '.join(summary.targets) or 'none'}",
    ]
    text = Text("\n".join(lines), style="dim")
    banner = Text("SYNTHETIC REVIEWS: not the IMDB, never compared with results on the IMDB", style="bold yellow")
    return Group(text, banner) if header.corpus == "synthetic" else text


def accuracy(summary: Summary) -> RenderableType | None:
    """Return the accuracy table: published beside measured, with the verdict and the source."""
    rows = summary.accuracy
    if not rows:
        return None
    sources = {name: number for number, name in enumerate(dict.fromkeys(row.recipe.name for row in rows), start=1)}
    columns = [
        Column("recipe", lambda row: row.recipe.name, key=True),
        Column("backend", lambda row: _label(summary, row.target), key=True),
        Column("metric", lambda row: _short(row.figure)),
        Column("publ.", lambda row: figure(row.published), number=True),
        Column("meas.", lambda row: figure(row.measured), number=True),
        Column("diff.", lambda row: signed(row.difference), number=True),
        Column("verdict", lambda row: _verdict(row.answer) if row.decides else MISSING, number=True),
        Column("src", lambda row: f"[{sources[row.recipe.name]}]", number=True),
    ]
    seeds = max(row.seeds for row in rows)
    caption = f"mean of {seeds} seeds, best and worst dropped" if seeds > 2 else f"{seeds} seed{'s' * (seeds > 1)}"
    notes = [f"[{number}] {RECIPES[name].source}" for name, number in sources.items()]
    notes += [f"{row.recipe.name} {row.target}: {row.reason}" for row in rows if row.answer != "passed"]
    return section("Accuracy", caption, columns, rows, notes, tight=True)


def parity(summary: Summary) -> RenderableType | None:
    """Return the table of equal work: the same predictions and losses from the same weights."""
    if not summary.parity:
        return None
    columns = [
        Column("recipe", lambda row: row[0].recipe),
        Column("backends", lambda row: " = ".join(_label(summary, name) for name in row[0].targets)),
        Column("predictions", lambda row: f"{row[0].prediction_difference:.1e}", number=True),
        Column("losses", lambda row: f"{largest(row[0].loss_differences):.1e}", number=True),
        Column("verdict", lambda row: _verdict(row[1].answer), number=True),
    ]
    first = summary.parity[0][0]
    caption = f"from equal weights, largest differences of {first.reviews:,} predictions and {first.steps} losses"
    return section("Equal work", caption, columns, summary.parity, [])


def training(summary: Summary) -> RenderableType | None:
    """Return the training table: throughput, step, first step, time to accuracy."""
    times = {(row.recipe, row.target): row for row in summary.time_to_accuracy}
    columns = [
        Column("recipe", lambda row: row.recipe, key=True),
        Column("path", lambda row: row.path, key=True, hoist=True),
        Column("batch", lambda row: str(row.batch_size), key=True, number=True),
        Column("backend", lambda row: _label(summary, row.target) + _marks(row)),
        Column("reviews/s", lambda row: significant(row.reviews_per_s.value), number=True),
        Column("ms/step", lambda row: milliseconds(row.step_s.value), number=True),
        Column("±", lambda row: spread(row.step_s), number=True),
        Column("first s", lambda row: significant(row.first_step_s), number=True),
        Column("acc. s", lambda row: _reached(times.get((row.recipe, row.target))), number=True),
    ]
    notes = [
        "±: half of the median's 95 % interval; first: the first step, compilation included",
    ]
    goals = [_goal(row) for row in _one_each(summary.time_to_accuracy)]
    notes += ["acc.: seconds of training until " + "; ".join(goals)] if goals else []
    return section("Training", "median over turns", columns, summary.training, notes + _mark_notes(summary.training))


def prediction(summary: Summary) -> RenderableType | None:
    """Return the prediction table: percentiles of a call's latency."""
    columns = [
        Column("recipe", lambda row: row.recipe, key=True),
        Column("path", lambda row: row.path, key=True, hoist=True),
        Column("reviews", lambda row: str(row.batch_size), key=True, number=True),
        Column("backend", lambda row: _label(summary, row.target) + _marks(row)),
        Column("p50 ms", lambda row: milliseconds(row.p50_s), number=True),
        Column("p90 ms", lambda row: milliseconds(row.p90_s), number=True),
        Column("p95 ms", lambda row: milliseconds(row.p95_s), number=True),
        Column("reviews/s", lambda row: significant(row.reviews_per_s), number=True),
    ]
    rows = summary.prediction
    caption = f"latency of one call, {min(row.calls for row in rows)} calls or more each" if rows else ""
    return section("Prediction", caption, columns, rows, _mark_notes(rows))


def vectorization(summary: Summary) -> RenderableType | None:
    """Return the vectorization table."""
    columns = [
        Column("recipe", lambda row: row.recipe, key=True),
        Column("path", lambda row: row.path, key=True, hoist=True),
        Column("backend", lambda row: _label(summary, row.target) + _marks(row)),
        Column("reviews/s", lambda row: significant(row.reviews_per_s.value), number=True),
        Column("MB/s", lambda row: significant(row.megabytes_per_s.value), number=True),
        Column("±", lambda row: spread(row.megabytes_per_s), number=True),
    ]
    rows = summary.vectorization
    caption = f"{rows[0].batch_size:,} reviews a call; MB of raw text" if rows else ""
    return section("Vectorization", caption, columns, rows, _mark_notes(rows))


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


def _label(summary: Summary, target: str) -> str:
    """Return the target's name, without the device where all targets of the run share it."""
    devices = {record.facts.device for record in summary.targets.values()}
    return target.removesuffix(f"-{devices.pop()}") if len(devices) == 1 else target


def _short(figure_name: str) -> str:
    """Return a figure's name as it fits a column."""
    short = figure_name.replace("validation", "val.").replace("training ", "").replace(", epoch", " ep")
    return short if short.startswith("test") else short.replace("accuracy", "acc.")


def _verdict(answer: str) -> Text:
    return Text(answer, style=STYLES[answer])


def _marks(row: TrainingRow | PredictionRow | VectorizationRow) -> str:
    struck = not isinstance(row, VectorizationRow) and row.struck
    return ("†" if struck else "") + ("" if row.steady else "*")


def _mark_notes(rows: Sequence[TrainingRow] | Sequence[PredictionRow] | Sequence[VectorizationRow]) -> list[str]:
    marks = "".join(_marks(row) for row in rows)
    notes = []
    if "†" in marks:
        notes.append("† its accuracy failed: this timing belongs to other work and counts in no comparison")
    if "*" in marks:
        notes.append("* was not steady when warm-up ended: repeat on a quieter machine, or with --profile full")
    return notes


def _reached(row: AccuracyTimeRow | None) -> str:
    if row is None:
        return MISSING
    return significant(row.seconds) if row.seconds is not None else f">{row.epochs} ep."


def _goal(row: AccuracyTimeRow) -> str:
    words = row.metric.replace("val_", "validation ").replace("_", " ")
    return f"{row.recipe} {words} {row.accuracy:.4f}"


def _one_each(rows: Sequence[AccuracyTimeRow]) -> list[AccuracyTimeRow]:
    return list({row.recipe: row for row in rows}.values())


def run_list(headers: Sequence[RunHeader]) -> RenderableType:
    """Return the kept runs, oldest first."""
    columns = [
        Column("run", lambda header: header.run_id),
        Column("corpus", lambda header: header.corpus),
        Column("commit", lambda header: header.commit.revision[:10] if header.commit else MISSING),
        Column("machine", lambda header: header.machine.cpu),
    ]
    return section("Runs", "", columns, headers, []) or Text("no runs yet: `nox -s bench-cpu` makes one")


def step_list(profile: Profile, steps: Sequence[Step]) -> RenderableType:
    """Return the steps of a profile in their order."""
    columns = [
        Column("recipe", lambda step: step.recipe.name, key=True),
        Column("work", lambda step: step.name),
        Column("targets", lambda step: ", ".join(target.name for target in step.targets)),
    ]
    return section(f"Profile {profile.name}", profile.summary, columns, steps, []) or Text("no steps")


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
