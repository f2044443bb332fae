"""A user's model: built by their file, compiled by it or by the recipe, and tried before anything is measured."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import keras
import numpy as np

from datasets.errors import ExpectedError
from datasets.plain_text import one_line, shortened
from models import own_data, user_recipes
from models.recipes import Recipe

# Rows of the step by which a model is tried.
TRIED_ROWS = 4


def build(recipe: Recipe) -> keras.Model:
    """Return the model as the user's `build` makes it, which knows a variation by the name that its file has."""
    model = user_recipes.function(recipe, "build")(replace(recipe, name=recipe.name.partition(" ")[0]))
    if not isinstance(model, keras.Model):
        raise ExpectedError(f"{recipe.name}: expected build(recipe) to return a keras.Model; received {model!r}"[:300])
    if not model.compiled and (recipe.optimizer is None or not recipe.reads_text):
        raise ExpectedError(
            f"{recipe.name}: expected build(recipe) to return a compiled model: call model.compile(optimizer, loss, "
            f"metrics) in it"
        )
    return model


def check(recipe: Recipe) -> None:
    """Try the arrays and the model of ``recipe``: ExpectedError says in one line what does not fit."""
    from models.model import create  # which builds by this module

    sets = {split: _first_rows(recipe, split) for split in ("train", "test")}
    model, (x, y) = create(recipe), sets["train"]
    try:
        figures = model.train_on_batch(x, y, return_dict=True)
    except Exception as error:
        raise ExpectedError(
            f"{recipe.name}: a training step failed: do the model, its loss and its data fit? {_said(error)}; "
            f"x is {_shapes(x)}, y is {_shapes(y)}"
        ) from error
    if recipe.metric not in figures:
        raise ExpectedError(
            f"{recipe.name}: expected metric={recipe.metric!r} to be one of those that its model reports: "
            f"{', '.join(map(str, figures))}"
        )
    for split, (rows, _) in sets.items():
        _check_finite(recipe, split, model.predict_on_batch(rows))


def _first_rows(recipe: Recipe, split: own_data.Split) -> tuple[Any, Any]:
    """Return some rows of what the model is given, made up where an encoding makes them."""
    if recipe.text is not None:
        own_data.corpus(recipe.text, recipe)
    if recipe.reads_text:
        encoding = recipe.encoding
        padded = encoding.form == "padded"
        width = encoding.sequence_length if padded else encoding.vocabulary_size
        x = np.zeros((TRIED_ROWS, width or 0), np.int32 if padded else np.float32)
        return x, np.arange(TRIED_ROWS, dtype=np.float32)[:, None] % 2
    try:
        x, y = own_data.load(user_recipes.function(recipe, "data"), recipe, split, seed=0)
    except ExpectedError as error:
        raise ExpectedError(f"{recipe.name}: {error}") from error
    if split == "train" and own_data.rows(y) - recipe.phases[-1].held_out < recipe.batch_size:
        raise ExpectedError(
            f"{recipe.name}: expected at least one batch of {recipe.batch_size} rows to train on; data('train', 0) "
            f"returned {own_data.rows(y)} rows, of which {recipe.phases[-1].held_out} are held out"
        )
    return own_data.part(x, 0, TRIED_ROWS), own_data.part(y, 0, TRIED_ROWS)


def _check_finite(recipe: Recipe, split: str, outputs: Any) -> None:
    """Raise ExpectedError where an untrained model predicts what is no number: there is one among its inputs."""
    if not all(np.isfinite(output).all() for output in keras.tree.flatten(outputs)):
        raise ExpectedError(
            f"{recipe.name}: expected finite predictions of the first rows of data({split!r}, 0); received NaN or "
            f"infinity: is there one among the inputs?"
        )


def _said(error: Exception) -> str:
    lines = [line for line in str(error).strip().splitlines() if line.strip()] or [type(error).__name__]
    return shortened(one_line(lines[0]), 300)


def _shapes(part: Any) -> str:
    return ", ".join(f"{tuple(array.shape)} {array.dtype}" for _, array in own_data.leaves(part, ""))
