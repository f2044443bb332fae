"""The command line, and the only place that prints or exits; it measures and decides nothing itself."""

from __future__ import annotations

import os
import sys
import traceback
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, CycloptsError, Parameter

from bench import choices

if TYPE_CHECKING:
    from bench.run import Order
    from bench.store import Run
    from datasets.locate import Located

# Imports of everything else wait until a command runs: `--help` answers at once.

app = App(
    name="bench",
    help="Benchmark Keras 3 models on JAX and TensorFlow: accuracy first, then speed.",
    help_epilogue=(
        "Exit status: 0 all held, 1 slower (confirmed), 2 wrong use, 3 accuracy or parity failed, 4 nothing comparable "
        "or unresolved, 5 some cells failed, 6 data, device or environment not usable, 70 a bug in the suite, "
        "130 interrupted."
    ),
    version="kerasmark 0.1.0",
    suppress_keyboard_interrupt=False,
)

Names = Annotated[list[str] | None, Parameter(consume_multiple=True, negative=())]
RecipeFile = Annotated[Path | None, Parameter(help="Python file with RECIPE and build(recipe).")]
Data = Annotated[str | None, Parameter(help='Archive or folder of the IMDB reviews, or "synthetic".')]


@app.command
def run(
    *,
    recipe: Names = None,
    backend: Names = None,
    profile: str = "default",
    seeds: int | None = None,
    budget: float | None = None,
    data: Data = None,
    device: Literal["cpu", "gpu"] = "cpu",
    out: Path | None = None,
    order_seed: int | None = None,
    stall_limit: float = 300.0,
    json: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Train every recipe to its published accuracy on every backend, time it, and print the tables.

    Parameters
    ----------
    recipe
        Recipes to run: dense, pooling-dropout, pooling-logits, lstm. All of them if not given.
    backend
        Backends to run: jax, tensorflow. Both if not given.
    profile
        How much: smoke (a word of everything), default (ten minutes on two cores), full (every cell, five seeds).
    seeds
        Trainings of each recipe on each backend; the profile's number if not given.
    budget
        Minutes to spend: after the first pass, on further replicates of the cells with the widest intervals.
    device
        cpu or gpu.
    out
        Folder for the run's records; results/runs if not given.
    order_seed
        Seed of the order in which backends take turns; drawn and recorded if not given.
    stall_limit
        Seconds of silence after which a backend's process is ended.
    json
        Print one JSON document instead of tables.
    """
    from bench import run as runs

    order = runs.Order(
        recipes=choices.recipes(recipe),
        targets=choices.targets(backend, device),
        profile=choices.profile(profile),
        seeds=choices.at_least("--seeds", seeds),
        order_seed=_seed(order_seed),
        stall_limit_s=stall_limit,
        budget_s=choices.minutes(budget),
    )
    return _report(_execute(order, data, out), json=json)


@app.command
def regress(
    *,
    base: str,
    repo: Path | None = None,
    recipes: RecipeFile = None,
    recipe: Names = None,
    backend: Names = None,
    replicates: int = 6,
    turns: int = 40,
    margin: float = 0.03,
    alpha: float = 0.05,
    beside: bool = True,
    allow_unresolved: Annotated[bool, Parameter(negative=())] = False,
    data: Data = None,
    out: Path | None = None,
    order_seed: int | None = None,
    markdown: Path | None = None,
    json: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Say whether this checkout is slower than a revision of it, with known error rates.

    Both take turns, block by block, in fresh processes: this checkout ("head") and the revision in a worktree of its
    own ("base"). Exit status 1 only where a cell is slower and a fresh batch of processes confirms it, or an exact
    counter (compilations, bytes, operations of a graph) rose.

    Parameters
    ----------
    base
        Revision to compare with: a branch, a tag, a commit.
    repo
        Another repository than kerasmark's own, whose models are measured: needs --recipes.
    recipes
        Python file with RECIPE and build(recipe); inside --repo, each side uses its own.
    recipe
        Recipes to compare; all of them if not given.
    backend
        Backends to compare on; both if not given.
    replicates
        Fresh processes of each side in a batch: more of them see smaller differences.
    turns
        Blocks of each cell in a process.
    margin
        Ratios within this are the same: 0.03 for 3 %.
    alpha
        How often a whole gate may call a cell slower or faster that is not, before confirmation.
    beside
        Also time fit and predict_on_batch, as users drive them; they decide nothing.
    allow_unresolved
        Exit with 0 where nothing is slower but something could not be told.
    out
        Folder for the run's records; results/runs if not given.
    order_seed
        Seed of the order in which sides take turns; drawn and recorded if not given.
    markdown
        File to write a summary to, for a pull request.
    json
        Print one JSON document instead of tables.
    """
    from bench import checkouts, contest, gate

    chosen = choices.targets(backend, "cpu")
    _gate_options(replicates, turns, margin, alpha)
    inside = checkouts.root(repo) if repo else None
    file = (inside / recipes if inside and recipes and not recipes.is_absolute() else recipes) if recipes else None
    found = choices.recipes(recipe, file, inside)
    quiet = [replace(target, quiet=True, recipes=file) for target in chosen]
    with contest.commits(quiet, base, repository=repo, recipes=file) as contestants:
        planned = gate.Gate(found, contestants.targets, replicates, turns, beside=beside)
        order = contest.order(contestants, planned, margin=margin, alpha=alpha, order_seed=_seed(order_seed))
        done = _execute(order, data, out)
    return _report_comparison(done, json=json, markdown=markdown, allow_unresolved=allow_unresolved)


@app.command
def versions(
    requirements: Annotated[list[str], Parameter(negative=())],
    /,
    *,
    recipes: RecipeFile = None,
    recipe: Names = None,
    backend: Names = None,
    replicates: int = 6,
    turns: int = 40,
    margin: float = 0.03,
    alpha: float = 0.05,
    beside: bool = True,
    data: Data = None,
    out: Path | None = None,
    order_seed: int | None = None,
    markdown: Path | None = None,
    json: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Compare versions of any package: "keras==3.14.1" "keras==3.15.1", or paths of a checkout or a wheel.

    Each has an environment of its own, built once and kept; the first one given is the base of every ratio.

    Parameters
    ----------
    requirements
        Two or more requirements, as pip takes them, or paths.
    recipes
        Python file with a recipe of your own: RECIPE and build(recipe).
    recipe
        Recipes to compare; all of them if not given.
    backend
        Backends to compare on; those that can notice the package if not given.
    replicates
        Fresh processes of each version in a batch: more of them see smaller differences.
    turns
        Blocks of each cell in a process.
    margin
        Ratios within this are the same: 0.03 for 3 %.
    alpha
        How often the whole comparison may call a cell slower or faster that is not, before confirmation.
    beside
        Also time fit and predict_on_batch, as users drive them; they decide nothing.
    out
        Folder for the run's records; results/runs if not given.
    order_seed
        Seed of the order in which versions take turns; drawn and recorded if not given.
    markdown
        File to write a summary to.
    json
        Print one JSON document instead of tables.
    """
    from bench import contest, environments, gate
    from bench.environments import Requirement
    from bench.report import terminal

    wanted = [Requirement(text) for text in dict.fromkeys(requirements)]
    if len(wanted) < 2:
        raise choices.WrongUse("versions takes two or more requirements, such as keras==3.14.1 keras==3.15.1")
    _gate_options(replicates, turns, margin, alpha)
    screen = terminal.console(stderr=True)
    targets = [replace(target, quiet=True) for target in choices.targets(backend, "cpu")]
    found = choices.recipes(recipe, recipes)
    folder = environments.folder(os.environ)
    contestants = contest.versions(targets, wanted, folder, recipes=recipes, notice=screen.print)
    planned = gate.Gate(found, contestants.targets, replicates, turns, beside=beside)
    order = contest.order(contestants, planned, margin=margin, alpha=alpha, order_seed=_seed(order_seed))
    return _report_comparison(_execute(order, data, out), json=json, markdown=markdown, allow_unresolved=True)


@app.command
def calibrate(
    *,
    replicates: int = 60,
    gates: int = 12,
    show: Annotated[bool, Parameter(negative=())] = False,
    minutes: float | None = None,
    data: Data = None,
) -> int:
    """Measure how often the gate is wrong, for hours; goes on where it stopped, and writes results/calibration.

    Parameters
    ----------
    replicates
        Replicates in the pool of identical and slowed targets, all sessions together.
    gates
        Whole gates on identical targets, all sessions together.
    show
        Measure nothing; compute the rates from what is there, print them and write the page.
    minutes
        Begin nothing new after so long; without end if not given.
    """
    from bench import calibrate as calibration
    from bench import error_rates, gate, store
    from bench.gate import Gate
    from bench.report import calibration as report
    from bench.report import terminal
    from bench.report.progress import ProgressReport
    from models.recipes import RECIPES

    screen = terminal.console(stderr=True)
    if not show:
        targets = [replace(target, quiet=True) for target in choices.targets(None, "cpu")]
        with ProgressReport(screen, []) as watch:
            plan = calibration.Calibration(list(RECIPES.values()), targets, _corpus(data), watch)
            wanted = calibration.Wanted(replicates, gates, choices.minutes(minutes))
            calibration.collect(plan, wanted, folder=calibration.FOLDER, notice=screen.print)
    settings = gate.comparison(Gate([], [], controls=False), {}, margin=calibration.MARGIN, alpha=calibration.ALPHA)
    pool = error_rates.Pool.of(calibration.records(calibration.FOLDER))
    kept = calibration.load_gates(calibration.FOLDER / calibration.GATES)
    found = report.rates(pool, kept, settings, notice=screen.print)
    store.write_atomically(calibration.FOLDER / "README.md", report.page(found).encode())
    terminal.console().print(report.terminal(found))
    return 0


@app.command
def compare(
    first: str,
    second: str,
    /,
    *,
    run: str = "latest",
    margin: float = 0.03,
    alpha: float = 0.05,
    anyway: Annotated[bool, Parameter(negative=())] = False,
    out: Path | None = None,
    json: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Compare two finished runs, or two targets of one run, from their records.

    Targets of one run took turns: their seconds are compared. Two runs did not: what is compared is each cell's
    seconds over those of its floor, which took turns with it. `~` stands where nothing can be told. Runs of different
    machines, settings or reviews are refused.

    Parameters
    ----------
    first
        A run's id or folder; or a target, such as jax. Its time is one.
    second
        The run or target that is held against it.
    run
        The run of which the two are targets.
    margin
        Ratios within this are the same: 0.03 for 3 %.
    alpha
        How often the whole table may call a cell slower or faster that is not.
    anyway
        Print the numbers without verdicts where the runs differ in a field that matters.
    out
        Folder in which runs are kept; results/runs if not given.
    json
        Print one JSON document instead of tables.
    """
    import json as encoder

    from bench import contrast, store, summary
    from bench.exit_codes import of_contrast
    from bench.report import contrast as report
    from bench.report import terminal

    folder, options = out or store.DEFAULT_FOLDER, {"margin": margin, "alpha": alpha}
    try:
        pair = [summary.summarize(store.read(store.find(name, folder))) for name in (first, second)]
    except store.StoreError:
        of = summary.summarize(store.read(store.find(run, folder)))
        found = contrast.targets(of, first, second, **options)
    else:
        found = contrast.runs(pair[0], pair[1], **options)
    code = of_contrast(found)
    if json:
        print(encoder.dumps(report.document(found, int(code)), indent=2))
    else:
        terminal.console().print(report.render(found, anyway=anyway))
    return int(code)


@app.command
def show(
    name: str = "latest", /, *, out: Path | None = None, json: Annotated[bool, Parameter(negative=())] = False
) -> int:
    """Print every table of a finished run again, from its records alone.

    Parameters
    ----------
    name
        A run's id, its folder, or "latest".
    out
        Folder in which runs are kept; results/runs if not given.
    json
        Print one JSON document instead of tables.
    """
    from bench import store

    found = store.read(store.find(name, out or store.DEFAULT_FOLDER))
    if found.is_comparison:
        return _report_comparison(found, json=json, markdown=None, allow_unresolved=False)
    return _report(found, json=json)


@app.command
def history(*, add: str | None = None, cell: str | None = None, dirty: bool = False, out: Path | None = None) -> int:
    """Show the published runs: each cell's share of its floor over time, and where it changed.

    Parameters
    ----------
    add
        Publish this run first: an id, a folder, or "latest".
    cell
        A cell's name or a part of it: its course, run by run, with a chart.
    dirty
        Publish a run from a checkout with uncommitted changes.
    out
        Folder in which runs are kept; results/runs if not given.
    """
    from bench import history as published
    from bench import store, summary
    from bench.report import history as report
    from bench.report import terminal

    screen = terminal.console()
    if add is not None:
        run = store.read(store.find(add, out or store.DEFAULT_FOLDER))
        new = published.add(published.of_run(summary.summarize(run), dirty=dirty))
        screen.print(f"{run.header.run_id} is {'published' if new else 'there already'}")
    courses = published.courses(published.load())
    if cell is None:
        screen.print(report.overview(courses))
        return 0
    found = [course for course in courses if cell in course.cell]
    if not found:
        raise choices.WrongUse(f"no published run has a cell {cell!r}; `bench history` lists them")
    for course in found:
        screen.print(report.course(course, width=screen.width, ascii_only=not screen.encoding.startswith("utf")))
    return 0


@app.command
def export(name: str = "latest", /, *, format: str = "csv", out: Path | None = None, to: Path | None = None) -> int:  # noqa: A002
    """Write a finished run in the format of another tool.

    Parameters
    ----------
    name
        A run's id, its folder, or "latest".
    format
        pytest-benchmark, github-action-benchmark, bencher, benchfmt (benchstat), pyperf or csv.
    out
        Folder in which runs are kept; results/runs if not given.
    to
        File to write; the terminal or a pipe if not given.
    """
    from bench import exports, store, summary

    written = choices.one_of("--format", format, exports.FORMATS)
    text = written(summary.summarize(store.read(store.find(name, out or store.DEFAULT_FOLDER))))
    if to is None:
        print(text, end="")
    else:
        store.write_atomically(to, text.encode())
    return 0


@app.command
def runs(*, out: Path | None = None) -> int:
    """List the runs that were kept, oldest first.

    Parameters
    ----------
    out
        Folder in which runs are kept; results/runs if not given.
    """
    from bench import store
    from bench.report import lists, terminal

    folder = out or store.DEFAULT_FOLDER
    terminal.console().print(lists.run_list([store.read(path).header for path in store.runs(folder)]))
    return 0


@app.command(name="list")
def list_cells(*, profile: str = "default", recipe: Names = None, backend: Names = None) -> int:
    """List every cell: those that a profile measures, and those that it leaves to the full one.

    Parameters
    ----------
    profile
        smoke, default or full.
    recipe
        Recipes; all of them if not given.
    backend
        Backends; both if not given.
    """
    from bench import plan
    from bench.report import lists, terminal

    chosen = choices.profile(profile)
    recipes, targets = choices.recipes(recipe), choices.targets(backend, "cpu")
    steps = plan.passes(recipes, targets, chosen, seeds=chosen.seeds)[0]
    left_out = plan.left_out(recipes, targets, chosen)
    terminal.console().print(lists.step_list(chosen, steps, left_out))
    return 0


@app.command
def sample(
    count: int = 3,
    /,
    *,
    seed: int | None = None,
    recipe: Names = None,
    split: Literal["train", "test"] = "train",
    data: Data = None,
) -> int:
    """Show reviews with their labels, decoded from ids, and what each recipe's encoding makes of them.

    Parameters
    ----------
    count
        How many.
    seed
        Which ones: the same seed shows the same reviews; drawn anew if not given.
    recipe
        Recipes whose encodings are shown; all of them if not given.
    split
        train or test.
    """
    from bench import sample as samples
    from bench.report import sample as report
    from bench.report import terminal

    choices.at_least("COUNT", count)
    found = samples.draw(_corpus(data).corpus, choices.recipes(recipe), count=count, seed=_seed(seed), split=split)
    terminal.console().print(report.render(found))
    return 0


@app.command
def doctor() -> int:
    """Say what this machine can measure: backends, data, GPU, and what stands in the way."""
    from bench import hardware, targets
    from bench.report import lists, terminal

    found = [(name, targets.missing(targets.Target(name))) for name in targets.BACKENDS]
    lines = lists.diagnosis(found, data=_data_state(), gpus=hardware.gpus(), refused=targets.refused(os.environ))
    terminal.console().print(lines)
    return 0


@app.command
def reference(
    *,
    seeds: int = 20,
    recipe: Names = None,
    backend: Names = None,
    data: Data = None,
    show: Annotated[Literal["imdb", "synthetic"] | None, Parameter(show_choices=True)] = None,
) -> int:
    """Measure how every figure scatters over seeds, one training on each processor; goes on where it stopped.

    The results, in results/reference, decide which accuracies pass.

    Parameters
    ----------
    seeds
        Trainings of each recipe on each backend.
    recipe
        Recipes; all of them if not given.
    backend
        Backends; both if not given.
    show
        Measure nothing; print what is known of this corpus.
    """
    import tempfile

    from bench import collect
    from bench import reference as measured
    from bench.report import lists, terminal

    chosen = choices.recipes(recipe)
    if show is not None:
        rows = measured.rows(measured.load(measured.path(show)), chosen)
        terminal.console().print(lists.references(rows, show))
        return 0
    located, screen = _corpus(data), terminal.console(stderr=True)
    collect.collect(
        chosen,
        choices.targets(backend, "cpu"),
        seeds={one.name: seeds for one in chosen},
        corpus=(located.corpus.name, located.corpus.digest, located.folder),
        file=measured.path(located.corpus.name),
        logs=Path(tempfile.mkdtemp(prefix="kerasmark-reference-")),
        notice=screen.print,
    )
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit status; what is wrong is said in one line on stderr."""
    from bench.exit_codes import ExitCode

    try:
        return int(app(arguments, exit_on_error=False, print_error=False, result_action="return_value") or 0)
    except (CycloptsError, choices.WrongUse) as error:
        return _complain(str(error), ExitCode.USAGE)
    except KeyboardInterrupt:
        return _complain("interrupted: what was measured is kept, `bench show latest` prints it", ExitCode.INTERRUPTED)
    except _unusable() as error:
        return _complain(str(error), ExitCode.UNUSABLE)
    except Exception as error:  # noqa: BLE001, the last resort: a bug has an exit status of its own
        traceback.print_exception(error)
        return _complain(f"this is a bug in kerasmark, please report it: {error!r}", ExitCode.BUG)


def _unusable() -> tuple[type[Exception], ...]:
    from bench.checkouts import CheckoutError
    from bench.contrast import ContrastError
    from bench.environments import BuildError
    from bench.history import HistoryError
    from bench.pool import PoolError
    from bench.process import WorkerLost
    from bench.recipe_file import RecipeFileError
    from bench.store import StoreError
    from datasets.errors import DataError

    data = (DataError, HistoryError, PoolError, StoreError)
    return (BuildError, CheckoutError, ContrastError, RecipeFileError, WorkerLost, *data)


def _complain(words: str, code: int) -> int:
    print(f"bench: {' '.join(words.split())}", file=sys.stderr)
    return int(code)


def _report(done: Run, *, json: bool) -> int:
    from bench import summary
    from bench.exit_codes import of_run
    from bench.report import document, terminal

    found = summary.summarize(done)
    code = of_run(found.verdicts, measured=found.measured)
    if json:
        print(document.render(found, code))
    else:
        terminal.console().print(terminal.render(found))
    return int(code)


def _report_comparison(done: Run, *, json: bool, markdown: Path | None, allow_unresolved: bool) -> int:
    from bench import judge, store
    from bench.exit_codes import of_comparison
    from bench.report import comparison, document, terminal
    from bench.report import markdown as pages

    decision = judge.decide(done)
    code = of_comparison(decision, allow_unresolved=allow_unresolved)
    if markdown is not None:
        store.write_atomically(markdown, pages.comparison(done).encode())
    if json:
        print(document.comparison(done, decision, code))
    else:
        terminal.console().print(comparison.render(done))
    return int(code)


def _execute(order: Order, data: str | None, out: Path | None) -> Run:
    """Do what ``order`` asks, with progress on stderr."""
    from bench import run, store
    from bench.report import terminal
    from bench.report.progress import ProgressReport

    located = _corpus(data)
    planned = [step for steps in order.passes() for step in steps]
    with ProgressReport(terminal.console(stderr=True), planned, budget_s=order.budget_s) as watch:
        return run.execute(order, located, out=out or store.DEFAULT_FOLDER, command=_command(), watch=watch)


def _gate_options(replicates: int, turns: int, margin: float, alpha: float) -> None:
    choices.at_least("--replicates", replicates, 2)
    choices.at_least("--turns", turns, 3)
    choices.between("--margin", margin, 0, 1)
    choices.between("--alpha", alpha, 0, 0.5)


def _seed(given: int | None) -> int:
    import secrets

    return secrets.randbelow(2**31) if given is None else given


def _corpus(data: str | None) -> Located:
    """Find the reviews; the banner says so where the synthetic ones stand in for the real ones."""
    from bench import targets
    from bench.report import lists, terminal
    from bench.report.progress import DownloadReport
    from datasets import locate
    from datasets.errors import DataError

    refused = targets.refused(os.environ)
    if refused is not None:
        raise DataError(refused)
    screen = terminal.console(stderr=True)
    located = locate.open_corpus(
        data,
        environ=os.environ,
        notice=lambda words: screen.print(words, style="dim"),
        progress=DownloadReport(screen),
    )
    if located.origin == "fallback":
        screen.print(lists.fallback_banner())
    return located


def _data_state() -> str:
    from datasets import locate

    given = os.environ.get(locate.DATA_VARIABLE)
    return (
        f"{locate.DATA_VARIABLE} is set"
        if given
        else f"{locate.DATA_VARIABLE} is not set: the cache, then the download"
    )


def _command() -> str:
    """Return the command as it can be repeated, without paths of this machine."""
    words = ["python", "-m", "bench", *sys.argv[1:]]
    return " ".join(Path(word).name if Path(word).is_absolute() else word for word in words)


if __name__ == "__main__":
    sys.exit(main())
