"""`bench list`: list the cells of a profile."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from cyclopts import Parameter

from bench.cli import Outcome
from bench.cli.options import AT_LEAST_ONE, AnyBackends, ProfileName, RecipeFile, Recipes


def list_(
    *,
    profile: ProfileName = "default",
    recipe: Recipes = None,
    recipes: RecipeFile = None,
    backend: AnyBackends = None,
    as_: Annotated[Literal["table", "github-matrix"], Parameter(name="--as")] = "table",
    shards: Annotated[int, AT_LEAST_ONE] = 4,
) -> Outcome:
    """List the cells of a profile, and those left to --profile full.

    Parameters
    ----------
    profile
        How much is measured.
    as_
        A table, or the shards of the run as a matrix for a workflow of GitHub Actions.
    shards
        How many parts the matrix has at most; those without work are left out.
    """
    from bench.backends import BACKENDS
    from bench.cli import arguments
    from bench.plan import shards as parts
    from bench.plan import steps, targets
    from bench.report import terminal
    from bench.report.tables import lists

    chosen = steps.PROFILES[profile]
    every = arguments.recipes(recipe, recipes, tried=False)
    named = [targets.find(name) for name in arguments.each(backend) or BACKENDS]  # they need not be installed
    passes = steps.passes(every, named, chosen, seeds=chosen.seeds)
    if as_ == "github-matrix":
        matrix = {"include": [{"shard": f"{number}/{shards}"} for number in parts.with_work(passes, shards)]}
        return Outcome(json.dumps(matrix))
    table = lists.steps(chosen, passes[0], steps.left_out(every, named, chosen))
    return Outcome(terminal.section(table))
