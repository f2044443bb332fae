"""The command line, and the only place that prints or exits; it measures and decides nothing itself."""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, CycloptsError, Parameter

if TYPE_CHECKING:
    from bench.plan import Profile
    from bench.store import Run
    from bench.targets import Target
    from datasets.locate import Located
    from models.recipes import Recipe

# Imports of everything else wait until a command runs: `--help` answers at once.

app = App(
    name="bench",
    help="Benchmark Keras 3 models on JAX and TensorFlow: accuracy first, then speed.",
    help_epilogue=(
        "Exit status: 0 all held, 2 wrong use, 3 accuracy or parity failed, 4 nothing comparable or unresolved, "
        "5 some cells failed, 6 data, device or environment not usable, 70 a bug in the suite, 130 interrupted."
    ),
    version="kerasmark 0.1.0",
    suppress_keyboard_interrupt=False,
)

Names = Annotated[list[str] | None, Parameter(consume_multiple=True, negative=())]
Data = Annotated[str | None, Parameter(help='Archive or folder of the IMDB reviews, or "synthetic".')]


class WrongUse(Exception):
    """A word on the command line that means nothing here; the message says what to use instead."""


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
    import secrets

    from bench import run as runs
    from bench import store
    from bench.report import terminal
    from bench.report.progress import ProgressReport

    order = runs.Order(
        recipes=_recipes(recipe),
        targets=_targets(backend, device),
        profile=_profile(profile),
        seeds=_positive("--seeds", seeds),
        order_seed=secrets.randbelow(2**31) if order_seed is None else order_seed,
        stall_limit_s=stall_limit,
        budget_s=_minutes(budget),
    )
    located = _corpus(data)
    planned = [step for steps in order.passes() for step in steps]
    with ProgressReport(terminal.console(stderr=True), planned, budget_s=order.budget_s) as watch:
        done = runs.execute(order, located, out=out or store.DEFAULT_FOLDER, command=_command(), watch=watch)
    return _report(done, json=json)


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

    return _report(store.read(store.find(name, out or store.DEFAULT_FOLDER)), json=json)


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

    chosen = _profile(profile)
    recipes, targets = _recipes(recipe), _targets(backend, "cpu")
    steps = plan.passes(recipes, targets, chosen, seeds=chosen.seeds)[0]
    left_out = plan.left_out(recipes, targets, chosen)
    terminal.console().print(lists.step_list(chosen, steps, left_out))
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

    chosen = _recipes(recipe)
    if show is not None:
        rows = measured.rows(measured.load(measured.path(show)), chosen)
        terminal.console().print(lists.references(rows, show))
        return 0
    located, screen = _corpus(data), terminal.console(stderr=True)
    collect.collect(
        chosen,
        _targets(backend, "cpu"),
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
    except (CycloptsError, WrongUse) as error:
        return _complain(str(error), ExitCode.USAGE)
    except KeyboardInterrupt:
        return _complain("interrupted: what was measured is kept, `bench show latest` prints it", ExitCode.INTERRUPTED)
    except _unusable() as error:
        return _complain(str(error), ExitCode.UNUSABLE)
    except Exception as error:  # noqa: BLE001, the last resort: a bug has an exit status of its own
        traceback.print_exception(error)
        return _complain(f"this is a bug in kerasmark, please report it: {error!r}", ExitCode.BUG)


def _unusable() -> tuple[type[Exception], ...]:
    from bench.process import WorkerLost
    from bench.store import StoreError
    from datasets.errors import DataError

    return (DataError, StoreError, WorkerLost)


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


def _recipes(names: list[str] | None) -> list[Recipe]:
    from models import recipes

    try:
        return [recipes.find(name) for name in _each(names)] or list(recipes.RECIPES.values())
    except KeyError as error:
        raise WrongUse(error.args[0]) from error


def _targets(names: list[str] | None, device: Literal["cpu", "gpu"]) -> list[Target]:
    from bench import hardware, targets
    from datasets.errors import DataError

    try:
        found = [targets.find(name, device) for name in _each(names) or targets.BACKENDS]
    except targets.TargetError as error:
        raise WrongUse(str(error)) from error
    if device == "gpu" and (reason := hardware.why_no_gpu()):
        raise DataError(reason)
    return found


def _profile(name: str) -> Profile:
    import difflib

    from bench.plan import PROFILES

    if name not in PROFILES:
        nearest = difflib.get_close_matches(name, PROFILES, n=1, cutoff=0.3)
        hint = f"did you mean {nearest[0]!r}? " if nearest else ""
        raise WrongUse(f"unknown profile {name!r}: {hint}known are {', '.join(PROFILES)}")
    return PROFILES[name]


def _each(names: list[str] | None) -> list[str]:
    """Return the names, given one by one or with commas, once each."""
    return list(dict.fromkeys(part for name in names or [] for part in name.split(",") if part))


def _positive(option: str, number: int | None) -> int | None:
    if number is not None and number < 1:
        raise WrongUse(f"{option} takes a whole number from 1 on; received {number}")
    return number


def _minutes(budget: float | None) -> float | None:
    """Return ``budget``, minutes, in seconds."""
    if budget is not None and budget <= 0:
        raise WrongUse(f"--budget takes a number of minutes above 0; received {budget}")
    return None if budget is None else 60 * budget


def _command() -> str:
    """Return the command as it can be repeated, without paths of this machine."""
    words = ["python", "-m", "bench", *sys.argv[1:]]
    return " ".join(Path(word).name if Path(word).is_absolute() else word for word in words)


if __name__ == "__main__":
    sys.exit(main())
