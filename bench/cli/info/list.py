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
    from bench.cli import arguments
    from bench.plan import steps
    from bench.report import terminal
    from bench.report.tables import lists

    chosen = steps.PROFILES[profile]
    every, targets = arguments.recipes(recipe, recipes, tried=False), arguments.targets(backend)
    work = steps.passes(every, targets, chosen, seeds=chosen.seeds)[0]
    table = lists.steps(chosen, work, steps.left_out(every, targets, chosen))
    return Outcome(terminal.section(table))
