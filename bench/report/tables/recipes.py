"""The table of a run's recipes: layers, parameters and what a step is, from the recipes' own fields."""

from __future__ import annotations

from typing import Any

from bench.analysis.rows import RunDocument, once
from bench.report.tables.columns import Column, Table, table
from models import layers, variations
from models.recipes import Recipe


def recipes(document: RunDocument) -> Table:
    """Return what each recipe of a run is; a user's own one is in its own file."""
    columns = (
        Column("recipe", "recipe", value=lambda recipe: recipe.name),
        Column("input", "input of a review", value=_input),
        Column("layers", "layers", value=lambda recipe: ", ".join(layer.title for layer in layers.of(recipe))),
        Column(
            "parameters", "parameters", "count", lambda recipe: sum(layer.parameters for layer in layers.of(recipe))
        ),
        Column("batch", "reviews a step", "count", lambda recipe: recipe.batch_size),
        Column("optimizer", "optimizer", value=lambda recipe: recipe.optimizer_name),
    )
    rows: list[Any] = [*document.timings, *document.accuracy, *document.comparisons]
    found = [recipe for name in once(row.recipe for row in rows) if (recipe := variations.known(name))]
    return table("recipes", "Recipes", "the models that are trained and timed", columns, found)


def _input(recipe: Recipe) -> str:
    encoding = recipe.encoding
    if encoding.form == "multi_hot":
        return f"which of {encoding.vocabulary_size:,} words it has, as float32"
    return f"{encoding.sequence_length} ids of {encoding.vocabulary_size:,} words, the {encoding.keep} ones"
