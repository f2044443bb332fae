"""`bench train`: train one recipe and save the model."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from bench.cli import Outcome
from bench.cli.options import Data, Json, RecipeFile


def train(
    recipe: str,
    /,
    *settings: str,
    backend: str = "jax",
    save: Path | None = None,
    seed: int = 0,
    path: Literal["compiled loop", "fit"] = "compiled loop",
    recipes: RecipeFile = None,
    data: Data = None,
    json: Json = False,
) -> Outcome:
    """Train one recipe, evaluate it, and save the model.

    Parameters
    ----------
    recipe
        A recipe (dense, pooling-dropout, pooling-logits, lstm), a variation that the sources propose (lstm-stacked,
        lstm-dropout, pooling-plain, ...; `bench sweep --help` lists them), or a recipe of --recipes.
    settings
        Settings to change, as in optimizer=adam units=32 epochs=3.
    backend
        jax or tensorflow.
    save
        Folder for the model, its vocabulary, recipe and learning curves (default: nothing is saved).
    seed
        Seed of the weights, the order of reviews and the dropout.
    path
        How Keras is driven; "compiled loop" is the fastest.
    """
    from bench.cli import arguments, execution
    from bench.report import terminal
    from bench.report import training as report
    from bench.report.progress import ProgressReport
    from bench.runner.training import train

    (target,) = arguments.targets([backend], file=recipes)
    chosen = arguments.variation(recipe, list(settings), recipes)
    job = train.TrainJob(chosen, target, seed, path)
    located = execution.corpus(data, [chosen])
    with ProgressReport(terminal.console(stderr=True), [job.step]) as watch:
        record = train.train(job, located, watch, command=execution.command(), folder=save)
    if save:
        from bench.report.charts import curves  # a second to import

        curves.write(chosen, record, save)
    return Outcome(record.model_dump_json(indent=2) if json else report.render(record, chosen, save))
