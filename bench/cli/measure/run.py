"""`bench run`: train recipes to their published accuracy and time them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from bench import PROGRAM
from bench.cli import Outcome
from bench.cli.options import (
    ABOVE_ZERO,
    AT_LEAST_ONE,
    All,
    AnyBackends,
    Data,
    DeviceName,
    Json,
    On,
    OrderSeed,
    ProfileName,
    RecipeFile,
    Recipes,
    Runs,
    ShardName,
)
from datasets.errors import ExpectedError, UsageError

if TYPE_CHECKING:
    from bench.records.store import Run
    from bench.runner.run import RunSpec


def run(
    *,
    recipe: Recipes = None,
    recipes: RecipeFile = None,
    backend: AnyBackends = None,
    profile: ProfileName = "default",
    seeds: Annotated[int | None, AT_LEAST_ONE] = None,
    budget: Annotated[float | None, ABOVE_ZERO] = None,
    data: Data = None,
    device: DeviceName = "cpu",
    out: Runs = None,
    order_seed: OrderSeed = None,
    shard: ShardName = None,
    on: On = None,
    worker_timeout: Annotated[float, ABOVE_ZERO, Parameter(alias="--stall-limit")] = 300.0,
    resume: str | None = None,
    all: All = False,  # noqa: A002, the word of the command line
    json: Json = False,
) -> Outcome:
    """Train recipes to their published accuracy, then time them.

    Your own recipes come from --recipes: all of them, or those that --recipe names, beside any of the suite.

    Parameters
    ----------
    profile
        smoke: a quick check of every stage. default: ten minutes on two cores. full: every cell, five seeds. serving:
        predictions alone, on every backend and in every export format that is installed.
    seeds
        Seeds per recipe and backend (default: from the profile).
    budget
        Minutes to spend: after the first pass, replicates go to the cells with the widest intervals.
    worker_timeout
        Worker timeout in seconds: a worker that is silent for longer is stopped.
    resume
        Resume an interrupted run with its own options: its id, its folder, or "latest". Your own recipes need
        --recipes again.
    """
    from bench.cli import arguments, execution
    from bench.cli.measure import cluster_run
    from bench.plan import shards
    from bench.plan.steps import PROFILES
    from bench.records import catalog
    from bench.runner.run import RunSpec

    if on and resume:
        return cluster_run.resume(resume, on=on, out=out, as_json=json)
    if on and (shard or budget):
        raise UsageError("--on parts the run by itself: drop --shard and --budget")
    if resume is None:
        spec = RunSpec(
            recipes=arguments.recipes(recipe, recipes),
            targets=arguments.targets(backend or _serving(profile, device), device, recipes, training=False),
            profile=PROFILES[profile],
            seeds=seeds,
            budget_s=60 * budget if budget else None,
            shard=shards.parse(shard) if shard else None,
        )
        if not spec.planned():
            raise UsageError(
                f"shard {shard} has no work in this run: `{PROGRAM} list --as github-matrix` names those that have"
            )
    elif recipe or backend or seeds or budget or shard or profile != "default" or device != "cpu":
        raise UsageError("--resume uses the options of the interrupted run; drop the other ones")
    else:
        spec = _resumed(execution.find(resume, out, catalog.of_kind("run")), recipes)
    if on:
        given = {"recipe": recipe, "recipes": recipes, "backend": backend, "profile": profile, "seeds": seeds}
        words = execution.words({**given, "data": data, "device": device, "order-seed": order_seed})
        return cluster_run.run(spec, ["run", *words], on=on, out=out, as_json=json)
    if spec.resumed and spec.resumed.finished and not spec.resumed.missing() and spec.budget_s is None:
        execution.say(f"{spec.resumed.header.run_id} is complete")
        return execution.report(spec.resumed, json=json, every=all)
    spec = replace(spec, order_seed=execution.seed(order_seed), stall_limit_s=worker_timeout)
    return execution.report(execution.execute(spec, data, out), json=json, every=all)


def _serving(profile: str, device: str) -> list[str] | None:
    """Return every installed backend where a run compares ways to serve: those that only predict too, on the CPU."""
    from bench.plan.steps import PROFILES
    from bench.plan.targets import installed_serving_backends

    return installed_serving_backends() if PROFILES[profile].exports and device == "cpu" else None


def _resumed(done: Run, file: Path | None) -> RunSpec:
    """Return what is left of the run ``done``, by its own options and the user's ``file`` of recipes, if it had one."""
    from bench.analysis.planning import resume
    from bench.cli import arguments
    from bench.plan.shards import Shard
    from bench.plan.steps import PROFILES
    from bench.runner.run import RunSpec

    given, files = resume.options(done), resume.user_files(done)
    if files and file is None:
        raise ExpectedError(f"{done.header.run_id} has recipes of {', '.join(files)}: give --recipes FILE again")
    return RunSpec(
        recipes=arguments.recipes(given.recipes, file),
        targets=arguments.targets(given.backends, given.device, file, training=False),
        profile=PROFILES[done.header.profile],
        seeds=given.seeds,
        budget_s=given.budget_s,
        resumed=done,
        shard=Shard(given.shard.number, given.shard.of) if given.shard else None,
    )
