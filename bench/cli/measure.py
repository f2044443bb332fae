"""The commands that train and time recipes: `run`, `peers` beside them, and `reference` over many seeds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from bench.cli import arguments, options
from bench.cli.options import Data, Flag, Names
from bench.cli.outcome import Outcome
from bench.exit_codes import ExitCode
from datasets.errors import UsageError


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
    resume: str | None = None,
    json: Flag = False,
) -> Outcome:
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
    resume
        Go on with an interrupted run: its id, its folder, or latest. It is asked for the same as before, and what it
        has is not measured again.
    json
        Print one JSON document instead of tables.
    """
    from bench.cli import reports
    from bench.runner import run as runs

    if resume is not None:
        if recipe or backend or seeds or budget or profile != "default" or device != "cpu":
            raise UsageError("--resume goes on with what the run was asked for; give no other choice with it")
        return _go_on(resume, data, out, options.seed(order_seed), stall_limit, json=json)
    order = runs.RunSpec(
        recipes=arguments.recipes(recipe),
        targets=arguments.targets(backend, device),
        profile=arguments.profile(profile),
        seeds=arguments.at_least("--seeds", seeds),
        order_seed=options.seed(order_seed),
        stall_limit_s=stall_limit,
        budget_s=arguments.minutes(budget),
    )
    return reports.of_run(options.execute(order, data, out), json=json)


def _go_on(name: str, data: str | None, out: Path | None, seed: int, stall_limit: float, *, json: bool) -> Outcome:
    from bench.analysis import resume
    from bench.cli import reports
    from bench.records import store
    from bench.runner import run as runs

    folder = out or store.DEFAULT_FOLDER
    done = store.read(store.find(name, folder))
    chosen = resume.options(done)
    order = runs.RunSpec(
        recipes=arguments.recipes(chosen.recipes),
        targets=arguments.targets(chosen.backends, chosen.device),
        profile=arguments.profile(done.header.profile),
        seeds=chosen.seeds,
        order_seed=seed,
        stall_limit_s=stall_limit,
        budget_s=chosen.budget_s,
        resumed=done,
    )
    if not order.passes() and order.budget_s is None:
        options.say(f"{done.header.run_id} lacks nothing")
        return reports.of_run(done, json=json)
    return reports.of_run(options.execute(order, data, folder), json=json)


def peers(*, recipe: Names = None, data: Data = None, out: Path | None = None, json: Flag = False) -> Outcome:
    """Train scikit-learn's linear models on the recipes' encodings: what is there to be had without a network?

    Parameters
    ----------
    recipe
        Recipes whose encodings are used; all of them if not given.
    out
        Folder for the run's records; results/runs if not given.
    json
        Print one JSON document instead of tables.
    """
    from rich.console import Group

    from bench.analysis import summary
    from bench.plan import steps
    from bench.report import document, quality, terminal
    from bench.runner import run as runs

    recipes, (target,) = arguments.recipes(recipe), arguments.targets(["jax"], "cpu")
    work: list[steps.Step] = [steps.BaselineTraining(one, target, peer) for one in recipes for peer in steps.BASELINES]
    done = options.execute(runs.RunSpec(recipes, [target], steps.PROFILES["full"], fixed_passes=[work]), data, out)
    found = summary.summarize(done)
    parts = [terminal.heading(found), quality.peers(found), terminal.failures(found)]
    code = ExitCode.CELLS_FAILED if found.failures else ExitCode.HELD
    return Outcome(document.render(found, code) if json else Group(*[part for part in parts if part]), int(code))


def reference(
    *,
    seeds: int = 20,
    recipe: Names = None,
    backend: Names = None,
    data: Data = None,
    show: Annotated[Literal["imdb", "synthetic"] | None, Parameter(show_choices=True)] = None,
) -> Outcome:
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

    from bench.records import reference as measured
    from bench.report import lists, terminal
    from bench.runner.training import train_seeds

    chosen = arguments.recipes(recipe)
    if show is not None:
        rows = measured.rows(measured.load(measured.path(show)), chosen)
        return Outcome(lists.references(rows, show))
    located, screen = options.corpus(data), terminal.console(stderr=True)
    train_seeds.collect(
        chosen,
        arguments.targets(backend, "cpu"),
        seeds={one.name: seeds for one in chosen},
        corpus=(located.corpus.name, located.corpus.digest, located.folder),
        file=measured.path(located.corpus.name),
        logs=Path(tempfile.mkdtemp(prefix="kerasmark-reference-")),
        notice=screen.print,
    )
    return Outcome()
