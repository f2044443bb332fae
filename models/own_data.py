"""The arrays of a user's model: what the `data` of their file returns, checked before anything is trained."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np
import numpy.typing as npt

from datasets.corpus import Corpus
from datasets.errors import ExpectedError
from datasets.labelled_text import LabelledText
from datasets.locate import open_labelled
from datasets.plain_text import one_line, shortened
from models import user_recipes
from models.recipes import Recipe

Array = npt.NDArray[Any]
Split = Literal["train", "test"]

# An array, or a dictionary, tuple or list of arrays with equal numbers of rows.
Arrays = Any

# The largest batches of texts that are timed: `bench.plan.steps` has them.
LEAST_TRAINING_TEXTS, LEAST_TEST_TEXTS = 1_000, 512

# What a framework would narrow or widen by itself, each in its own way.
NARROW: dict[str, str] = {"float64": "float32", "float16": "float32", "int64": "int32"}


def load(data: Callable[..., Any], recipe: Recipe, split: Split, seed: int) -> tuple[Arrays, Arrays]:
    """Return inputs and labels of ``split``, floats as float32 and whole numbers of 64 bits as int32 where they fit.

    Raises ExpectedError where they are no arrays, differ in their rows, or have a label that is no number.
    """
    where = f"data({split!r}, {seed})"
    found = _called(data, split, seed, recipe)
    if not isinstance(found, tuple) or len(found) != 2:
        raise ExpectedError(f"{where}: expected a pair of inputs and labels; received {_kind(found)}")
    x, y = (keras.tree.map_structure(lambda value: _array(value, where), part) for part in found)
    _check_rows([*leaves(x, "x"), *leaves(y, "y")], where)
    for name, labels in leaves(y, "y"):
        if not np.isfinite(labels).all():
            row = int(np.argwhere(~np.isfinite(labels))[0][0])
            raise ExpectedError(f"{where}: expected finite labels; received {labels[row]!s} in row {row} of {name}")
    return x, y


def corpus(text: LabelledText, recipe: Recipe) -> Corpus:
    """Return the labelled text of ``recipe``, from the cache if another process has read it.

    Raises ExpectedError where it cannot be read, or has fewer texts than the largest batch that is timed.
    """
    found = open_labelled(text, Path(recipe.file).parent, environ=os.environ).corpus
    if len(found.train) < LEAST_TRAINING_TEXTS or len(found.test) < LEAST_TEST_TEXTS:
        raise ExpectedError(
            f"{text.path}: expected at least {LEAST_TRAINING_TEXTS} texts to train on and {LEAST_TEST_TEXTS} to test, "
            f"which the largest timed batches take; received {len(found.train)} and {len(found.test)}"
        )
    return found


def leaves(part: Arrays, name: str) -> Iterator[tuple[str, Array]]:
    """Yield each array of ``part`` with a name for it, such as "x['age']"."""
    for path, array in keras.tree.flatten_with_path(part):
        yield name + "".join(f"[{key!r}]" for key in path), array


def part(whole: Arrays, start: int, stop: int) -> Arrays:
    """Return the rows ``start`` to ``stop`` of each array of ``whole``, as views."""
    if isinstance(whole, np.ndarray):  # a walk takes as long as a small step
        return whole[start:stop]
    return keras.tree.map_structure(lambda array: array[start:stop], whole)


def rows(part: Arrays) -> int:
    """Return the number of rows of each array of ``part``."""
    return len(part if isinstance(part, np.ndarray) else keras.tree.flatten(part)[0])


def _called(data: Callable[..., Any], split: Split, seed: int, recipe: Recipe) -> Any:
    """Call ``data`` with as many of its arguments as it has parameters."""
    named = inspect.signature(data).parameters
    return data(split, seed, user_recipes.as_written(recipe)) if len(named) > 2 else data(split, seed)


def _array(value: Any, where: str) -> Array:
    array = np.asarray(value)
    if array.dtype.kind not in "biuf" or array.ndim == 0:
        raise ExpectedError(f"{where}: expected arrays of numbers with rows; received {_kind(value)}")
    narrow = NARROW.get(array.dtype.name)
    if narrow is None or (array.dtype.kind == "i" and array.size and np.abs(array).max() > np.iinfo(np.int32).max):
        return array
    return array.astype(narrow)


def _check_rows(arrays: list[tuple[str, Array]], where: str) -> None:
    lengths = {name: len(array) for name, array in arrays}
    if not lengths or len(set(lengths.values())) > 1 or 0 in lengths.values():
        said = ", ".join(f"{name} has {number}" for name, number in lengths.items()) or "no array"
        raise ExpectedError(f"{where}: expected arrays with equal numbers of rows, at least one; {said}")


def _kind(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype}, shape {value.shape}"
    return shortened(one_line(f"{type(value).__name__} {value!r}"), 80)
