"""`bench sample`: show reviews as people and as models read them."""

from __future__ import annotations

from typing import Annotated, Literal

from bench.cli import Outcome
from bench.cli.options import AT_LEAST_ONE, Data, Recipes


def sample(
    count: Annotated[int, AT_LEAST_ONE] = 3,
    /,
    *,
    seed: int | None = None,
    recipe: Recipes = None,
    split: Literal["train", "test"] = "train",
    data: Data = None,
) -> Outcome:
    """Show reviews with their labels, and how each recipe encodes them.

    Parameters
    ----------
    count
        Number of reviews.
    seed
        Seed of the choice: the same seed shows the same reviews (default: random).
    split
        Part of the reviews to choose from.
    """
    from bench.cli import arguments, execution
    from bench.report import sample as report
    from bench.runner import sample as samples

    corpus, recipes = execution.corpus(data).corpus, arguments.recipes(recipe)
    return Outcome(report.render(samples.draw(corpus, recipes, count=count, seed=execution.seed(seed), split=split)))
