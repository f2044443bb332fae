"""A user's model: built by their file, compiled by it or by the recipe, and tried before anything is measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import numpy as np

from datasets.encoding import encode_split
from datasets.errors import ExpectedError
from datasets.plain_text import one_line, shortened, uncoloured
from models import own_data, user_recipes
from models.own_labels import check_labels
from models.recipes import Recipe

# Rows of the step by which a model is tried.
TRIED_ROWS = 4
_FIRST_ROWS: dict[str, Any] = {}

_WRAPPED = "Exception encountered when calling"  # Keras's first line, where a layer fails; the reason follows


def build(recipe: Recipe) -> keras.Model:
    """Return the model as the user's `build` makes it, which knows a variation by the name that its file has."""
    model = user_recipes.function(recipe, "build")(user_recipes.as_written(recipe))
    if not isinstance(model, keras.Model):
        raise ExpectedError(f"{recipe.name}: expected build(recipe) to return a keras.Model; received {model!r}"[:300])
    if not model.compiled and (recipe.optimizer is None or not recipe.reads_text):
        raise ExpectedError(
            f"{recipe.name}: expected build(recipe) to return a compiled model: call model.compile(optimizer, loss, "
            f"metrics) in it"
        )
    if not model.built:  # a subclass without an Input has no weights yet
        first = _first_rows(recipe)
        with _fitting(recipe, "a prediction of data('train', 0)", first):
            model(first, training=False)
    return model


def _first_rows(recipe: Recipe) -> Any:
    """Return some inputs of ``recipe``, for which `data` is called once in a process."""
    if recipe.name not in _FIRST_ROWS:
        _FIRST_ROWS[recipe.name] = own_data.part(_rows(recipe, "train")[0], 0, TRIED_ROWS)
    return _FIRST_ROWS[recipe.name]


def check(recipe: Recipe, doing: Callable[[str], None] = lambda _: None) -> None:
    """Try the arrays and the model of ``recipe``: ExpectedError says in one line what does not fit.

    ``doing`` is told what comes next, for the case that the user's code ends the process.
    """
    from models.model import create  # which builds by this module

    sets = {}
    for split in ("train", "test"):
        doing(f"data({split!r}, 0) of {recipe.name}")
        sets[split] = _rows(recipe, split)
    doing(f"build(recipe) of {recipe.name}")
    model = create(recipe)
    for split, (x, y) in sets.items():
        doing(f"a prediction of {recipe.name}")
        first = own_data.part(x, 0, TRIED_ROWS)
        with _fitting(recipe, f"a prediction of data({split!r}, 0)", first):
            predicted = model.predict_on_batch(first)
        _check_finite(recipe, split, predicted)
        check_labels(model, y, predicted, f"{recipe.name}: data({split!r}, 0)")
    doing(f"a training step of {recipe.name}")
    _check_step(recipe, model, *(own_data.part(part, 0, TRIED_ROWS) for part in sets["train"]))


def _rows(recipe: Recipe, split: own_data.Split) -> tuple[Any, Any]:
    """Return the inputs and labels of ``split``; of texts the first ones, made up where they are the reviews."""
    if recipe.text is not None:
        corpus = own_data.corpus(recipe.text, recipe)
        labels = getattr(corpus, split).labels.astype(np.float32)[:, None]
        return encode_split(getattr(corpus, split).slice(0, TRIED_ROWS), recipe.encoding), labels
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
    return x, y


def _check_step(recipe: Recipe, model: keras.Model, x: Any, y: Any) -> None:
    if not _has_loss(model):
        raise ExpectedError(f"{recipe.name}: expected build(recipe) to compile its model with a loss; there is none")
    with _fitting(recipe, "a training step", x, y):
        figures = model.train_on_batch(x, y, return_dict=True)
    if not np.isfinite(figures["loss"]):
        raise ExpectedError(f"{recipe.name}: expected a finite loss of the first step; received {figures['loss']}")
    if recipe.metric not in figures:
        raise ExpectedError(
            f"{recipe.name}: expected metric={recipe.metric!r} to be one of those that its model reports: "
            f"{', '.join(map(str, figures))}"
        )


def _has_loss(model: keras.Model) -> bool:
    own = type(model).train_step, type(model).compute_loss
    plain = own == (keras.Model.train_step, keras.Model.compute_loss)
    return model.loss is not None or bool(model.losses) or not plain


@contextmanager
def _fitting(recipe: Recipe, what: str, x: Any, y: Any = None) -> Iterator[None]:
    """Say in an error of Keras or of a framework what was tried, and with which arrays."""
    try:
        yield
    except Exception as error:
        labels = "" if y is None else f", y is {_shapes(y)}"
        raise ExpectedError(
            f"{recipe.name}: {what} failed: do the model, its loss and its data fit? {_said(error)}"
            f"{user_recipes.place(error, Path(recipe.file))}; x is {_shapes(x)}{labels}"
        ) from error


def _check_finite(recipe: Recipe, split: str, outputs: Any) -> None:
    """Raise ExpectedError where an untrained model predicts what is no number: there is one among its inputs."""
    if not all(np.isfinite(output).all() for output in keras.tree.flatten(outputs)):
        raise ExpectedError(
            f"{recipe.name}: expected finite predictions of the first rows of data({split!r}, 0); received NaN or "
            f"infinity: is there one among the inputs?"
        )


def _said(error: Exception) -> str:
    """Return the line in which ``error`` gives its reason."""
    lines = [line for line in uncoloured(str(error)).splitlines() if line.strip()] or [type(error).__name__]
    return shortened(one_line(lines[1] if lines[0].startswith(_WRAPPED) and len(lines) > 1 else lines[0]), 300)


def _shapes(part: Any) -> str:
    return ", ".join(f"{tuple(array.shape)} {array.dtype}" for _, array in own_data.leaves(part, ""))
