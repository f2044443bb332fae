"""`bench bisect`: find the commit or release that made a cell slower."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from bench.cli import Outcome
from bench.cli.options import (
    Backends,
    Data,
    Flag,
    Json,
    Markdown,
    Names,
    OrderSeed,
    RecipeFile,
    Recipes,
    Resume,
    Runs,
    Tiers,
)
from datasets.errors import UsageError

if TYPE_CHECKING:
    from bench.runner.bisection.candidates import Candidates


@Parameter(name="*")  # without a prefix: --margin, not --options.margin
@dataclass(frozen=True)
class BisectOptions:
    """What a bisection measures and how it decides; the defaults equal `DEFAULT_RULE`, which is slow to import."""

    recipe: Recipes = None
    backend: Backends = None
    replicates: Annotated[
        int,
        Parameter(help="Processes per side in a step, at most; a clear step needs three.", validator=Number(gte=3)),
    ] = 16
    tier: Tiers = None
    margin: Annotated[
        float,
        Parameter(
            help="Ends of compiled programs within it are the same. Calls have margins of their own.",
            validator=Number(gt=0, lt=1),
        ),
    ] = 0.02
    alpha: Annotated[
        float, Parameter(help="Chance of a wrong turn in the whole search.", validator=Number(gt=0, lt=0.5))
    ] = 0.05
    data: Data = None
    out: Runs = None
    order_seed: OrderSeed = None
    resume: Resume = None
    markdown: Markdown = None
    json: Json = False


DEFAULTS = BisectOptions()


def bisect(
    package: str | None = None,
    /,
    *,
    good: str,
    bad: str,
    repo: Path | None = None,
    recipes: RecipeFile = None,
    candidates: Names = None,
    nightlies: Flag = False,
    options: BisectOptions = DEFAULTS,
) -> Outcome:
    """Find the commit, or the release of a package, that made a cell slower.

    The ends are proved first: the bad one must be slower, and fresh processes must confirm it. Then candidates between
    them are measured beside both ends, each until it is told apart from one of them; what stays unresolved is taken for
    neither. At last fresh processes compare the culprit with its parent. Exit status 0 means that it was found and
    proved, 4 that it was not: the answer is then an interval, or that nothing is slower.

    Parameters
    ----------
    package
        A package, such as keras: its releases are searched. Without it, commits are.
    good
        The fast end: a revision, or a version of the package.
    bad
        The slow end, which descends from the good one.
    repo
        Search another git repository. Needs --recipes, a file inside it; each commit uses its own version.
    candidates
        Versions between the ends in their order, instead of those that the index has; or whole requirements, such as
        keras-nightly==3.15.0.dev2026010103.
    nightlies
        Also search pre-releases and nightly releases that the index has under the package's name.
    """
    from bench.analysis.bisection.step import Rule
    from bench.cli import arguments, execution
    from bench.plan.gate import TIERS
    from bench.records import catalog
    from bench.runner import worktrees
    from bench.runner.bisection.bisect import Bisection

    _check(package, repo, candidates, nightlies=nightlies)
    top = worktrees.root(repo) if repo else None
    file = top / recipes if top and recipes else recipes
    chosen = arguments.recipes(options.recipe, file, top)
    targets = arguments.targets(options.backend, file=None if top else file)
    with _candidates(package, (good, bad), repo, file, candidates or [], nightlies) as found:
        backends = [replace(target, quiet=True) for target in targets if target.backend in found.backends]
        rule = Rule(options.margin, options.alpha, options.replicates)
        planned = Bisection(chosen, backends, found, rule, options.tier or TIERS)
        resumed = options.resume and execution.find(options.resume, options.out, catalog.of_kind("bisect"))
        spec = planned.run_spec(order_seed=execution.seed(options.order_seed), resumed=resumed or None)
        done = execution.execute(spec, options.data, options.out)
    return execution.report(done, json=options.json, markdown=options.markdown)


def _check(package: str | None, repo: Path | None, candidates: list[str] | None, *, nightlies: bool) -> None:
    """Raise UsageError for options that do not go together."""
    from bench.cli import arguments

    if package is None and (candidates or nightlies):
        raise UsageError("--candidates and --nightlies are for a PACKAGE; of a repository every commit is a candidate")
    if package is not None and repo is not None:
        raise UsageError("expected a PACKAGE, whose releases are searched, or --repo, whose commits are; received both")
    if package is None and repo is None:
        arguments.require_checkout("bisect", ", or name your repository with --repo, or a PACKAGE")


@contextmanager
def _candidates(
    package: str | None,
    ends: tuple[str, str],
    repo: Path | None,
    recipes: Path | None,
    names: list[str],
    nightlies: bool,
) -> Iterator[Candidates]:
    """Yield what is searched."""
    from bench.report import terminal
    from bench.runner import environments
    from bench.runner.bisection import candidates

    if package is None:
        with candidates.commits(*ends, repository=repo, recipes=recipes) as found:
            yield found
    else:
        folder, notice = environments.folder(os.environ), terminal.console(stderr=True).print
        yield candidates.releases(package, *ends, candidates=names, nightlies=nightlies, folder=folder, notice=notice)
