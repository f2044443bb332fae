"""`bench reference`: measure how the published figures vary over seeds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from bench import PROGRAM
from bench.cli import Outcome
from bench.cli.options import AT_LEAST_ONE, NOT_NEGATIVE, Backends, Data, On, RecipeFile, Recipes


def reference(
    *,
    seeds: Annotated[int, AT_LEAST_ONE] = 20,
    first_seed: Annotated[int, NOT_NEGATIVE] = 0,
    recipe: Recipes = None,
    recipes: RecipeFile = None,
    backend: Backends = None,
    data: Data = None,
    out: Path | None = None,
    on: On = None,
    show: Literal["imdb", "synthetic"] | None = None,
) -> Outcome:
    """Train over many seeds, for hours: which accuracies pass?

    Each processor trains. The distributions in results/reference decide which accuracies pass; those of your own
    recipes lie beside their file, as FILE.reference.jsonl. An interrupted collection resumes.

    Parameters
    ----------
    seeds
        Seeds per recipe and backend.
    first_seed
        The first of them.
    out
        Folder of the trainings (default: results/reference, and beside the file of your own recipes).
    show
        Train nothing; print what is known of these reviews.
    """
    from bench.cli import arguments, execution
    from bench.records import reference as measured
    from bench.report import terminal
    from bench.report.tables import lists

    chosen = arguments.recipes(recipe, recipes)
    if show is not None:
        rows = measured.rows(measured.known(show), chosen)
        empty = f"no reference seeds yet: `{PROGRAM} reference` measures them"
        return Outcome(terminal.section(lists.references(rows, show), empty=empty))
    located, targets = execution.corpus(data, chosen), arguments.targets(backend, file=recipes)
    kept = out / f"{located.corpus.name}.jsonl" if out else None
    files = {one: kept or measured.file_of(one, located.corpus.name) for one in chosen}
    for file in dict.fromkeys(files.values()):
        trained = [one for one in chosen if files[one] == file]
        execution.train_seeds(trained, targets, located, range(first_seed, first_seed + seeds), file, data, on=on)
    return Outcome()
