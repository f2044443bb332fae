"""The terminal report: rich tables of a summary, readable in 80 columns and as plain text; it decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text

from bench import paths
from bench.advice import Advice
from bench.plan import Counting, Profile, Step, Timing, Training
from bench.record import Cell, CounterRecord, RunHeader
from bench.reference import Row
from bench.report.numbers import MISSING, figure, milliseconds, signed, significant, spread
from bench.report.table import Column, section
from bench.stats import largest
from bench.summary import AccuracyTimeRow, StartupRow, Summary, TimedCell
from models.recipes import RECIPES

# A thousand calls leave less than this behind where nothing leaks: an allocator's slack.
GROWTH_LIMIT_BYTES = 16e6

STYLES = {"passed": "green", "failed": "bold red", "unresolved": "yellow"}


def render(summary: Summary) -> RenderableType:
    """Return the whole report."""
    parts = [heading(summary), accuracy(summary), parity(summary), training(summary), time_to_accuracy(summary)]
    parts += [prediction(summary), vectorization(summary), startup(summary), hardware(summary), counters(summary)]
    parts += [advice(summary), left_out(summary)]
    parts += [failures(summary), closing(summary)]
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
    """Return the training table: throughput, step, share of the floor, first step."""
    columns = [
        Column("path", lambda row: row.cell.path, key=True),
        Column("batch", lambda row: str(row.cell.batch_size), key=True, number=True),
        Column("backend", lambda row: _label(summary, row.cell.target) + _marks(row)),
        Column("reviews/s", lambda row: significant(row.reviews_per_s.value), number=True),
        Column("ms/step", lambda row: milliseconds(row.seconds.value), number=True),
        Column("±", lambda row: spread(row.seconds), number=True),
        Column("floor", lambda row: _floor(row), number=True),
        Column("first s", lambda row: significant(row.first_step_s), number=True),
    ]
    rows = summary.training
    notes = ["first: the first step, compilation included", *_timing_notes(rows)]
    notes += _call_notes(summary) if rows else []
    return section("Training", _replicates(rows), columns, rows, notes, group=_recipe)


def time_to_accuracy(summary: Summary) -> RenderableType | None:
    """Return the table of time to accuracy: seconds of training, compilation included, until a curve reaches it."""
    rows = summary.time_to_accuracy
    columns = [
        Column("recipe", lambda row: row.recipe, key=True),
        Column("until", lambda row: f"{_curve(row.metric)} {figure(row.accuracy)}", key=True),
        Column("path", lambda row: row.path, key=True, hoist=True),
        Column("backend", lambda row: _label(summary, row.target) + ("†" if row.struck else "")),
        Column("seconds", lambda row: _reached(row), number=True),
    ]
    seeds = max((row.seeds for row in rows), default=0)
    caption = f"mean of {seeds} seeds, best and worst dropped" if seeds > 2 else f"{seeds} seed{'s' * (seeds > 1)}"
    return section("Time to accuracy", caption, columns, rows, ["99 % of the best published accuracy"])


def prediction(summary: Summary) -> RenderableType | None:
    """Return the prediction table: percentiles of a call's latency."""
    rows = summary.prediction
    columns = [
        Column("reviews", lambda row: str(row.cell.batch_size), key=True, number=True),
        Column("path", lambda row: row.cell.path, key=True),
        Column("backend", lambda row: _label(summary, row.cell.target) + _marks(row)),
        Column("p50", lambda row: milliseconds(row.p50_s), number=True),
        Column("p90", lambda row: milliseconds(row.p90_s), number=True),
        Column("p95", lambda row: milliseconds(row.p95_s), number=True),
    ]
    if any(row.p99_s is not None for row in rows):
        columns.append(
            Column("p99", lambda row: MISSING if row.p99_s is None else milliseconds(row.p99_s), number=True)
        )
    columns += [
        Column("reviews/s", lambda row: significant(row.reviews_per_s), number=True),
        Column("floor", lambda row: _floor(row), number=True),
    ]
    caption = f"latency of one call in ms, {min(row.calls for row in rows):,} calls or more each" if rows else ""
    return section("Prediction", caption, columns, rows, _timing_notes(rows), group=_recipe, tight=True)


def vectorization(summary: Summary) -> RenderableType | None:
    """Return the vectorization table."""
    columns = [
        Column("path", lambda row: row.cell.path, key=True),
        Column("backend", lambda row: _label(summary, row.cell.target) + _marks(row)),
        Column("reviews/s", lambda row: significant(row.reviews_per_s.value), number=True),
        Column("MB/s", lambda row: significant(row.megabytes_per_s.value), number=True),
        Column("±", lambda row: spread(row.seconds), number=True),
        Column("floor", lambda row: _floor(row), number=True),
    ]
    rows = summary.vectorization
    caption = f"{rows[0].cell.batch_size:,} reviews a call; MB of raw text" if rows else ""
    return section("Vectorization", caption, columns, rows, _timing_notes(rows), group=_recipe)


def startup(summary: Summary) -> RenderableType | None:
    """Return the table of a fresh process: what a user waits for before the first result."""
    names = paths.names("startup")
    columns = [
        Column("recipe", lambda row: row.recipe, key=True),
        Column("backend", lambda row: _label(summary, row.target)),
        *[Column(f"{name} s", _startup_cell(name), number=True) for name in names],
    ]
    return section("Startup", "a fresh process each", columns, summary.startup, [])


def hardware(summary: Summary) -> RenderableType | None:
    """Return how far the hardware is from busy: matrix products of the fastest Keras path beside the peak."""
    columns = [
        Column("recipe", lambda row: row.cell.recipe, key=True),
        Column("work", lambda row: f"{row.cell.phase} {row.cell.batch_size}", key=True),
        Column("backend", lambda row: _label(summary, row.cell.target)),
        Column("fastest path", lambda row: row.cell.path),
        Column("GFLOP/s", lambda row: significant(row.gflops), number=True),
        Column("of peak", lambda row: f"{row.gflops / row.peak_gflops:.1%}", number=True),
    ]
    notes = [
        f"peak on {_label(summary, name)}: {significant(max(peak.product_gflops))} GFLOP/s in a large matrix product, "
        f"{significant(max(peak.copy_gb_per_s))} GB/s in a large copy"
        for name, peak in summary.peaks.items()
    ]
    return section("Hardware", "operations of matrix products alone, counted by hand", columns, summary.hardware, notes)


def counters(summary: Summary) -> RenderableType | None:
    """Return the exact counters: what does not wobble."""
    columns = [
        Column("path", lambda row: row.cell.path, key=True),
        Column("backend", lambda row: _label(summary, row.cell.target)),
        Column("progr.", lambda row: _counted(row, "compilations", "traces"), number=True),
        Column("again", lambda row: _counted(row, "recompilations", "retraces"), number=True),
        Column("graph ops", lambda row: _counted(row, "graph_operations"), number=True),
        Column("MFLOP", lambda row: _counted(row, "program_flops", unit=1e6), number=True),
        Column("MB", lambda row: _counted(row, "program_bytes", unit=1e6), number=True),
        Column("temp MB", lambda row: _counted(row, "program_temporary_bytes", unit=1e6), number=True),
        Column("peak GB", lambda row: _counted(row, "peak_resident_bytes", unit=1e9), number=True),
    ]
    grown = [
        f"{row.cell.recipe} {row.cell.path} on {_label(summary, row.cell.target)}"
        for row in summary.counters
        if row.counters.get("growth_bytes", 0.0) > GROWTH_LIMIT_BYTES
    ]
    notes = [
        "progr.: programs compiled (JAX) or functions traced (TensorFlow) until the first call; again: after it",
        "MFLOP, MB: XLA's own count for one call, loop bodies once; peak GB: of the process, data included",
        f"memory grew over 1,000 predictions: {', '.join(grown) or 'nowhere'}",
    ]
    rows, group = summary.counters, lambda row: f"{row.cell.recipe} {row.cell.phase} {row.cell.batch_size}"
    return section("Exact counters", "they do not wobble", columns, rows, notes, group=group, tight=True)


def advice(summary: Summary) -> RenderableType | None:
    """Return what the run itself recommends, one line each."""
    if not summary.advice:
        return None
    lines = [Text.assemble(("Advice", "bold"), (" — from this run's own ratios, on this machine", "dim"))]
    lines += [Text(_advice(summary, one)) for one in summary.advice]
    return Padding(Group(*lines), (1, 0, 0, 0), expand=False)


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


def _counted(row: CounterRecord, *names: str, unit: float = 1.0) -> str:
    """Return the first of ``names`` that was counted, in ``unit``."""
    values = [row.counters[name] for name in names if name in row.counters]
    if not values:
        return MISSING
    return f"{values[0]:,.0f}" if unit == 1.0 else significant(values[0] / unit)


def _recipe(row: TimedCell) -> str:
    return row.cell.recipe


def _marks(row: TimedCell) -> str:
    return ("†" if row.struck else "") + ("" if row.steady else "*")


def _timing_notes(rows: Sequence[TimedCell]) -> list[str]:
    marks = "".join(_marks(row) for row in rows)
    notes = []
    if any(row.floor is not None for row in rows):
        notes.append("floor: share of the speed of the same work written by hand, from neighbouring blocks")
    if "†" in marks:
        notes.append("† its accuracy failed: this timing belongs to other work and counts in no comparison")
    if "*" in marks:
        notes.append("* was not steady when warm-up ended: repeat on a quieter machine, or with --profile full")
    return notes


def _call_notes(summary: Summary) -> list[str]:
    calls = [row.call_s for row in summary.training if row.call_s is not None]
    return [f"fit: ms/step is its slope; calling it costs {1e3 * max(calls):.0f} ms at most beside"] if calls else []


def _replicates(rows: Sequence[TimedCell]) -> str:
    """Say what stands behind the intervals of ``rows``."""
    fewest = min((row.replicates for row in rows), default=0)
    if fewest == 1:
        return "one process: ± covers its own noise only"
    return f"{fewest} processes or more of each target, ± covers them"


def _floor(row: TimedCell) -> str:
    if row.floor is None:
        return MISSING
    return f"{row.floor.value:.0%}" if row.floor.value >= 0.0095 else "<1%"


def _startup_cell(name: str) -> Callable[[StartupRow], str]:
    return lambda row: significant(row.seconds[name].value) if name in row.seconds else MISSING


def _advice(summary: Summary, one: Advice) -> str:
    cell, times = one.cell, one.times
    what = "trains" if cell.phase == "train" else f"predicts {cell.batch_size} review{'s' * (cell.batch_size > 1)}"
    where = f"{cell.recipe} on {_label(summary, cell.target)}"
    factor = f"{times.value:.1f} ({times.low:.1f} to {times.high:.1f})"
    return f"{where}: {cell.path!r} {what} {factor} times as fast as {one.usual!r}"


def _curve(metric: str) -> str:
    return metric.replace("val_", "validation ").replace("_", " ")


def _reached(row: AccuracyTimeRow) -> str:
    return significant(row.seconds) if row.seconds is not None else f">{row.epochs} epochs"


def left_out(summary: Summary) -> RenderableType | None:
    """Return one line on the cells that this run's profile leaves to the full one."""
    cells = summary.left_out
    if not cells:
        return None
    return Padding(Text(f"Left to --profile full: {_by_phase(cells)}.", style="dim"), (1, 0, 0, 0), expand=False)


def _by_phase(cells: Sequence[Cell]) -> str:
    """Return how many cells of which paths, phase by phase."""
    phases = dict.fromkeys(cell.phase for cell in cells)
    groups = {phase: [cell for cell in cells if cell.phase == phase] for phase in phases}
    words = [f"{phase} {', '.join(dict.fromkeys(c.path for c in group))}" for phase, group in groups.items()]
    return f"{len(cells)} cells ({'; '.join(words)})"


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
        Column("paths", lambda work: _listed(path for step in work for path in _paths(step)) or MISSING),
        Column("targets", lambda work: _listed(target.name for step in work for target in step.targets), hoist=True),
    ]
    notes = [f"timed in {profile.replicates} pass{'es' * (profile.replicates > 1)}, each with processes of its own"]
    notes += [f"left to --profile full: {_by_phase(left_out)}"] if left_out else []
    rows = list(works.values())
    return section(f"Profile {profile.name}", profile.summary, columns, rows, notes) or Text("no steps")


def _work(step: Step) -> str:
    """Return what a step does, in the words that it shares with those that differ in path, seed or target."""
    if isinstance(step, Training):
        return "train to accuracy"
    return f"count {step.cell.phase} {step.cell.batch_size}" if isinstance(step, Counting) else step.name


def _paths(step: Step) -> list[str]:
    if isinstance(step, Training):
        return [step.path]
    cells = [step.cell] if isinstance(step, Counting) else step.cells if isinstance(step, Timing) else []
    return [cell.path for cell in cells]


def _listed(words: Iterable[str]) -> str:
    """Return each word once, in their order."""
    return ", ".join(dict.fromkeys(words))


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
