"""`bench regress`: compare this checkout with a base revision."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bench.cli import Outcome
from bench.cli.compare import gate
from bench.cli.compare.gate import DEFAULTS, GateOptions
from bench.cli.options import Flag, RecipeFile


def regress(
    *,
    base: str,
    repo: Path | None = None,
    recipes: RecipeFile = None,
    options: GateOptions = DEFAULTS,
    allow_unresolved: Flag = False,
) -> Outcome:
    """Is this checkout slower than a base revision?

    Fresh processes of this checkout ("head") and of the revision ("base", in a temporary worktree) take turns block by
    block, until each cell is clear. Exit status 1 means that a cell is slower and fresh processes confirmed it, or that
    an exact counter (compilations, calls of functions, program bytes) rose by more than its margin. `bench calibrate`
    measures how often the answer is wrong.

    Parameters
    ----------
    base
        Revision to compare with: a branch, a tag or a commit.
    repo
        Measure the models of another git repository. Needs --recipes, a file inside it; each side uses its own version.
    allow_unresolved
        Exit with 0 if nothing is slower but some cells are unresolved.
    """
    from bench.cli import arguments
    from bench.runner import sides, worktrees

    if repo is None:
        arguments.require_checkout("regress", ", or name your repository with --repo")
    top = worktrees.root(repo) if repo else None
    file = top / recipes if top and recipes else recipes
    targets = [replace(target, quiet=True, recipes=file) for target in arguments.targets(options.backend)]
    chosen = arguments.recipes(options.recipe, file, top)
    with sides.commits(targets, base, repository=repo, recipes=file) as found:
        return gate.compare(found, chosen, options, command="regress", allow_unresolved=allow_unresolved)
