"""The arrays of a user's model: what their `data` may return, and what is said where it returns something else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from datasets.errors import ExpectedError
from models import own_data
from models.recipes import Recipe

RECIPE = Recipe.own("mine", batch_size=2)
X, Y = np.zeros((3, 2)), np.arange(3)


def loaded(found: Any) -> tuple[Any, Any]:
    return own_data.load(lambda _split, _seed: found, RECIPE, "train", 0)


def test_arrays_have_the_types_that_both_frameworks_keep() -> None:
    """A framework narrows or refuses 64 bits in its own way, which would be another model's input."""
    x, y = loaded(({"a": X, "b": np.array([[True], [False], [True]])}, (Y, X.astype(np.uint8))))
    assert (x["a"].dtype, x["b"].dtype) == (np.float32, np.bool_)
    assert [part.dtype for part in y] == [np.int32, np.uint8]


def test_a_whole_number_that_does_not_fit_stays_as_it_is() -> None:
    """An identifier of 64 bits cut to 32 would be another one."""
    assert loaded((X, np.array([0, 1, 2**40])))[1].dtype == np.int64


@pytest.mark.parametrize("seen", [["train", 7], ["train", 7, RECIPE]])
def test_it_is_called_with_as_much_as_it_takes(seen: list[Any]) -> None:
    """Several recipes of one file may differ in their data."""
    said: list[Any] = []

    def two(split: str, seed: int) -> Any:
        said.extend([split, seed])
        return X, Y

    def three(split: str, seed: int, recipe: Recipe) -> Any:
        said.extend([split, seed, recipe])
        return X, Y

    function: Callable[..., Any] = two if len(seen) == 2 else three
    own_data.load(function, RECIPE, "train", 7)
    assert said == seen


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (None, "expected a pair of inputs and labels; received NoneType None"),
        ((X,), "expected a pair of inputs and labels; received tuple"),
        (X, r"received an array of float64, shape \(3, 2\)"),
        ((X, Y[:2]), "expected arrays with equal numbers of rows, at least one; x has 3, y has 2"),
        (({"a": X, "b": X[:1]}, Y), r"x\['a'\] has 3, x\['b'\] has 1, y has 3"),
        ((X[:0], Y[:0]), "at least one; x has 0, y has 0"),
        (({}, {}), "at least one; no array"),
        ((X, np.array([0.0, np.nan, 1.0])), "expected finite labels; received nan in row 1 of y"),
        ((X, {"a": Y, "b": np.array([[0.0], [1.0], [np.inf]])}), r"received \[inf\] in row 2 of y\['b'\]"),
        ((np.array(["a", "b", "c"]), Y), "expected arrays of numbers with rows; received an array of <U1"),
        ((X, [[0], [1], [1]]), "expected arrays of numbers with rows; received int 0"),
        ((X, 3), "expected arrays of numbers with rows; received int 3"),
        ((X, [object()] * 3), "expected arrays of numbers with rows; received"),
    ],
)
def test_what_is_no_data_is_told_in_one_line(found: Any, words: str) -> None:
    """It says what was expected and what came, and where: users have many files."""
    with pytest.raises(ExpectedError, match=words) as caught:
        loaded(found)
    assert str(caught.value).startswith("data('train', 0): ")
    assert "\n" not in str(caught.value)
