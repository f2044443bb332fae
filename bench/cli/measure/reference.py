"""`bench reference`: measure how the published figures vary over seeds."""

from __future__ import annotations

from typing import Annotated, Literal

from bench import PROGRAM
from bench.cli import Outcome
from bench.cli.options import AT_LEAST_ONE, Backends, Data, RecipeFile, Recipes


def reference(
    *,
    seeds: Annotated[int, AT_LEAST_ONE] = 20,
    recipe: Recipes = None,
    recipes: RecipeFile = None,
    backend: Backends = None,
    data: Data = None,
    show: Literal["imdb", "synthetic"] | None = None,
) -> Outcome:
    """Train over many seeds, for hours: which accuracies pass?

    Each processor trains. The distributions in results/reference decide which accuracies pass; those of your own
    recipes lie beside their file, as FILE.reference.jsonl. An interrupted collection resumes.

    Parameters
    ----------
    seeds
        Seeds per recipe and backend.
    show
        Train nothing; print what is known of these reviews.
    """
    from bench.cli import arguments, execution
    from bench.records import reference as measured
    from bench.report import terminal
    from bench.report.tables import lists
    from bench.runner.training import train_seeds

    chosen = arguments.recipes(recipe, recipes)
    if show is not None:
        rows = measured.rows(measured.known(show), chosen)
        empty = f"no reference seeds yet: `{PROGRAM} reference` measures them"
        return Outcome(terminal.section(lists.references(rows, show), empty=empty))
    located, targets = execution.corpus(data, chosen), arguments.targets(backend, file=recipes)
    screen = terminal.console(stderr=True)
    files = {one: measured.file_of(one, located.corpus.name) for one in chosen}
    for file in dict.fromkeys(files.values()):
        trained = [one for one in chosen if files[one] == file]
        train_seeds.collect(trained, targets, located, seeds=seeds, file=file, notice=screen.print)
    return Outcome()
