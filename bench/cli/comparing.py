"""The commands that compare: `regress`, `versions`, `compare`, and `calibrate`, which says how often they are wrong."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from bench.cli import arguments
from bench.cli import options as common
from bench.cli.gate_options import DEFAULTS, GateOptions
from bench.cli.options import Data, Flag, Names, RecipeFile
from bench.cli.outcome import Outcome
from datasets.errors import UsageError


def regress(
    *,
    base: str,
    repo: Path | None = None,
    recipes: RecipeFile = None,
    recipe: Names = None,
    backend: Names = None,
    options: GateOptions = DEFAULTS,
    allow_unresolved: Flag = False,
    data: Data = None,
    out: Path | None = None,
    order_seed: int | None = None,
    markdown: Path | None = None,
    json: Flag = False,
) -> Outcome:
    """Say whether this checkout is slower than a revision of it, with known error rates.

    Both take turns, block by block, in fresh processes: this checkout ("head") and the revision in a worktree of its
    own ("base"). Exit status 1 only where a cell is slower and a fresh round of processes confirms it, or an exact
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
    from bench.cli import reports
    from bench.runner import sides, worktrees

    options.check()
    chosen = arguments.targets(backend, "cpu")
    inside = worktrees.root(repo) if repo else None
    file = (inside / recipes if inside and recipes and not recipes.is_absolute() else recipes) if recipes else None
    found = arguments.recipes(recipe, file, inside)
    quiet = [replace(target, quiet=True, recipes=file) for target in chosen]
    with sides.commits(quiet, base, repository=repo, recipes=file) as contestants:
        planned = options.gate(found, contestants.targets)
        order = sides.order(
            contestants, planned, margin=options.margin, alpha=options.alpha, order_seed=common.seed(order_seed)
        )
        done = common.execute(order, data, out)
    return reports.of_comparison(done, json=json, markdown=markdown, allow_unresolved=allow_unresolved)


def versions(
    requirements: Annotated[list[str], Parameter(negative=())],
    /,
    *,
    recipes: RecipeFile = None,
    recipe: Names = None,
    backend: Names = None,
    options: GateOptions = DEFAULTS,
    data: Data = None,
    out: Path | None = None,
    order_seed: int | None = None,
    markdown: Path | None = None,
    json: Flag = False,
) -> Outcome:
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
    out
        Folder for the run's records; results/runs if not given.
    order_seed
        Seed of the order in which versions take turns; drawn and recorded if not given.
    markdown
        File to write a summary to.
    json
        Print one JSON document instead of tables.
    """
    from bench.cli import reports
    from bench.report import terminal
    from bench.runner import environments, sides
    from bench.runner.environments import Requirement

    wanted = [Requirement(text) for text in dict.fromkeys(requirements)]
    if len(wanted) < 2:
        raise UsageError("versions takes two or more requirements, such as keras==3.14.1 keras==3.15.1")
    options.check()
    screen = terminal.console(stderr=True)
    targets = [replace(target, quiet=True) for target in arguments.targets(backend, "cpu")]
    found = arguments.recipes(recipe, recipes)
    folder = environments.folder(os.environ)
    contestants = sides.versions(targets, wanted, folder, recipes=recipes, notice=screen.print)
    planned = options.gate(found, contestants.targets)
    order = sides.order(
        contestants, planned, margin=options.margin, alpha=options.alpha, order_seed=common.seed(order_seed)
    )
    return reports.of_comparison(common.execute(order, data, out), json=json, markdown=markdown, allow_unresolved=True)


def compare(
    first: str,
    second: str,
    /,
    *,
    run: str = "latest",
    margin: float = 0.03,
    alpha: float = 0.05,
    anyway: Flag = False,
    out: Path | None = None,
    json: Flag = False,
) -> Outcome:
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

    from bench.analysis import compare_runs, summary
    from bench.exit_codes import of_run_comparison
    from bench.records import store
    from bench.report import compare_runs as report

    folder, options = out or store.DEFAULT_FOLDER, {"margin": margin, "alpha": alpha}
    try:
        pair = [summary.summarize(store.read(store.find(name, folder))) for name in (first, second)]
    except store.StoreError:
        of = summary.summarize(store.read(store.find(run, folder)))
        found = compare_runs.targets(of, first, second, **options)
    else:
        found = compare_runs.runs(pair[0], pair[1], **options)
    code = of_run_comparison(found)
    document = encoder.dumps(report.document(found, int(code)), indent=2)
    return Outcome(document if json else report.render(found, anyway=anyway), int(code))


def calibrate(
    *,
    gates: int = 12,
    show: Flag = False,
    minutes: float | None = None,
    data: Data = None,
) -> Outcome:
    """Measure how often the gate is wrong, for hours; goes on where it stopped, and writes results/calibration.

    Parameters
    ----------
    gates
        Whole gates on identical targets, all sessions together; their replicates are the pool.
    show
        Measure nothing; compute the rates from what is there, print them and write the page.
    minutes
        Begin nothing new after so long; no limit if not given.
    """
    from bench.analysis.calibration import error_rates
    from bench.plan import gate
    from bench.plan.gate import Gate
    from bench.records import store
    from bench.report import calibration as report
    from bench.report import terminal
    from bench.report.progress import ProgressReport
    from bench.runner import calibrate as calibration
    from models.recipes import RECIPES

    screen = terminal.console(stderr=True)
    if not show:
        targets = [replace(target, quiet=True) for target in arguments.targets(None, "cpu")]
        with ProgressReport(screen, []) as watch:
            plan = calibration.Calibration(list(RECIPES.values()), targets, common.corpus(data), watch)
            wanted = calibration.Wanted(gates, arguments.minutes(minutes))
            calibration.collect(plan, wanted, folder=calibration.FOLDER, notice=screen.print)
    settings = gate.comparison(Gate([], [], controls=False), {}, margin=calibration.MARGIN, alpha=calibration.ALPHA)
    pool = error_rates.Pool.of(calibration.records(calibration.FOLDER))
    kept = calibration.load_gates(calibration.FOLDER / calibration.GATES)
    found = report.rates(pool, kept, settings, notice=screen.print)
    store.write_atomically(calibration.FOLDER / "README.md", report.page(found).encode())
    return Outcome(report.terminal(found))
