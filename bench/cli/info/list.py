"""`bench list`: list the cells of a profile."""

from __future__ import annotations

from bench.cli import Outcome
from bench.cli.options import Backends, ProfileName, RecipeFile, Recipes


def list_(
    *,
    profile: ProfileName = "default",
    recipe: Recipes = None,
    recipes: RecipeFile = None,
    backend: Backends = None,
) -> Outcome:
    """List the cells of a profile, and those left to --profile full.

    Parameters
    ----------
    profile
        How much is measured.
    """
    from bench.backends import BACKENDS
    from bench.cli import arguments
    from bench.plan import steps, targets
    from bench.report import terminal
    from bench.report.tables import lists

    chosen = steps.PROFILES[profile]
    every = arguments.recipes(recipe, recipes, tried=False)
    named = [targets.find(name) for name in arguments.each(backend) or BACKENDS]  # they need not be installed
    work = steps.passes(every, named, chosen, seeds=chosen.seeds)[0]
    table = lists.steps(chosen, work, steps.left_out(every, named, chosen))
    return Outcome(terminal.section(table))
