"""The commands that look at what there is: `list`, `sample` and `doctor`; they measure nothing."""

from __future__ import annotations

import os
from typing import Literal

from bench.backends import BACKENDS
from bench.cli import arguments, options
from bench.cli.options import Data, Names
from bench.cli.outcome import Outcome


def list_cells(*, profile: str = "default", recipe: Names = None, backend: Names = None) -> Outcome:
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
    from bench.plan import steps
    from bench.report import lists

    chosen = arguments.profile(profile)
    recipes, targets = arguments.recipes(recipe), arguments.targets(backend, "cpu")
    work = steps.passes(recipes, targets, chosen, seeds=chosen.seeds)[0]
    left_out = steps.left_out(recipes, targets, chosen)
    return Outcome(lists.step_list(chosen, work, left_out))


def sample(
    count: int = 3,
    /,
    *,
    seed: int | None = None,
    recipe: Names = None,
    split: Literal["train", "test"] = "train",
    data: Data = None,
) -> Outcome:
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
    from bench.report import sample as report
    from bench.runner import sample as samples

    arguments.at_least("COUNT", count)
    found = samples.draw(
        options.corpus(data).corpus, arguments.recipes(recipe), count=count, seed=options.seed(seed), split=split
    )
    return Outcome(report.render(found))


def doctor() -> Outcome:
    """Say what this machine can measure: backends, data, GPU, and what stands in the way."""
    from bench.plan import gpus, targets
    from bench.report import lists

    found = [(name, targets.missing(targets.Target(name))) for name in BACKENDS]
    lines = lists.diagnosis(found, data=_data_state(), gpus=gpus.gpus(), refused=targets.refused(os.environ))
    return Outcome(lines)


def _data_state() -> str:
    from datasets import locate

    given = os.environ.get(locate.DATA_VARIABLE)
    return (
        f"{locate.DATA_VARIABLE} is set"
        if given
        else f"{locate.DATA_VARIABLE} is not set: the cache, then the download"
    )
