"""A user's model is tried before anything is measured: what does not fit is one line; Keras alone, no process."""

from __future__ import annotations

from pathlib import Path

import pytest

from datasets.errors import ExpectedError
from models import user_recipes

pytestmark = pytest.mark.framework

FILE = """
import keras
import numpy as np
from models.recipes import Recipe

RECIPE = Recipe.own("mine", batch_size=4)
X, Y = np.zeros((8, 3), "float32"), np.arange(8) % 2

def data(split, seed):
    return X, Y

def build(recipe):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, activation="sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model
"""
SPARSE = FILE.replace('Dense(1, activation="sigmoid")', 'Dense(2, activation="softmax")').replace(
    '"binary_crossentropy"', '"sparse_categorical_crossentropy"'
)
TWO = FILE.replace("return X, Y", "return X, {'a': Y, 'b': Y}").replace(
    'model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, activation="sigmoid")])',
    """inputs = keras.Input((3,))
    outputs = {name: keras.layers.Dense(2, activation="softmax", name=name)(inputs) for name in ("a", "b")}
    model = keras.Model(inputs, outputs)""",
)


def tried(folder: Path, text: str) -> list[str]:
    """Try the recipe of a file; return what was told that it does."""
    from models import own_model

    file = folder / "recipe.py"
    file.write_text(text, encoding="utf-8")
    doing: list[str] = []
    for recipe in user_recipes.load(file):
        own_model.check(recipe, doing.append)
    return doing


def test_a_model_that_fits_is_tried_step_by_step(tmp_path: Path) -> None:
    """Where the user's code ends the process, the last of these says in what."""
    assert tried(tmp_path, FILE) == [
        "data('train', 0) of mine",
        "data('test', 0) of mine",
        "build(recipe) of mine",
        "a prediction of mine",
        "a prediction of mine",
        "a training step of mine",
    ]


LOSS = '"binary_crossentropy"'
IGNORING = "keras.losses.SparseCategoricalCrossentropy(ignore_class=-1)"
BOTH_LOSSES = "{'a': 'sparse_categorical_crossentropy', 'b': keras.losses.sparse_categorical_crossentropy}"


def changed(text: str, *pairs: str) -> str:
    """Return ``text`` with each second of ``pairs`` in the place of the first."""
    for before, after in zip(pairs[::2], pairs[1::2], strict=True):
        assert before in text
        text = text.replace(before, after)
    return text


@pytest.mark.parametrize(
    "text",
    [
        SPARSE,
        changed(SPARSE, '"sparse_categorical_crossentropy"', IGNORING, "% 2", "% 2 - (np.arange(8) == 0)"),
        changed(FILE, "% 2", "/ 7"),
        changed(FILE, LOSS, '"mse"', "% 2", "* 100 - 3"),
        changed(TWO, f'{LOSS}, metrics=["accuracy"]', BOTH_LOSSES, "batch_size=4", "batch_size=4, metric='loss'"),
        changed(FILE, LOSS, "lambda y, p: keras.ops.mean((y - p) ** 2)"),
    ],
    ids=["classes", "a class that is ignored", "probabilities", "any numbers", "two outputs", "a loss of their own"],
)
def test_losses_take_the_labels_that_they_are_meant_for(text: str, tmp_path: Path) -> None:
    """The check of labels refuses nothing that trains."""
    assert tried(tmp_path, text)


TEXT = """
import csv, keras, pathlib
from datasets.encoding import Encoding
from datasets.labelled_text import LabelledText
from models.recipes import Recipe

rows = [("text", "label"), *((f"text {n} of {n % 3}", n % 3) for n in range(3_000))]
with (pathlib.Path(__file__).parent / "texts.csv").open("w") as file:
    csv.writer(file).writerows(rows)
encoding = Encoding(words="text", vocabulary_size=100, form="multi_hot")
RECIPE = Recipe.own("mine", encoding=encoding, text=LabelledText("texts.csv"))

def build(recipe):
    model = keras.Sequential([keras.Input((100,)), keras.layers.Dense(3, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model
"""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (TEXT, ""),
        (changed(TEXT, "Dense(3", "Dense(2"), "each a class of the model's 2 outputs; received 0.0 to 2.0"),
        (
            changed(TEXT, 'Text("texts.csv")', 'Text("text.csv")'),
            r"^'text\.csv': expected a \.csv or \.parquet file or a folder",
        ),
        (changed(TEXT, "n % 3) for", "n % 3 or '') for"), r"^'texts\.csv', line 2: expected a label in column 'label'"),
    ],
    ids=["good", "too few outputs", "no file", "no label"],
)
def test_a_users_text_is_read_when_its_model_is_tried(
    text: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its own classes: the reviews' two would fit another model."""
    monkeypatch.setenv("KERASMARK_CACHE", str(tmp_path / "cache"))
    if not words:
        assert tried(tmp_path, text)
        return
    with pytest.raises(ExpectedError, match=words):
        tried(tmp_path, text)


DATA = "return X, Y"
COMPILE = '    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (changed(FILE, DATA, "return X, Y[:7]"), r"^mine: data\('train', 0\): .* x has 8, y has 7"),
        (changed(FILE, DATA, "return X, Y[:7] if split == 'test' else Y"), r"^mine: data\('test', 0\): .* y has 7"),
        (changed(FILE, DATA, "return X, np.where(Y, np.nan, 0)"), "expected finite labels; received nan in row 1 of y"),
        (changed(FILE, DATA, "return X + np.nan, Y"), r"finite predictions .* of data\('train', 0\); received NaN"),
        (changed(FILE, "batch_size=4", "batch_size=9"), "at least one batch of 9 rows to train on; .* returned 8 rows"),
        (
            changed(FILE, DATA, "return X[:, : 3 if split == 'train' else 2], Y"),
            r"^mine: a prediction of data\('test', 0\) failed: do the model.*; x is \(4, 2\) float32$",
        ),
        (
            changed(FILE, "Dense(1,", "Dense(3,"),
            r"^mine: a training step failed: .* target.shape=\(4,\), output.shape=\(4, 3\)",
        ),
        (changed(FILE, LOSS, '"binery"'), "Could not interpret loss identifier: binery"),
        (changed(FILE, f", {LOSS}", ""), "to compile its model with a loss; there is none"),
        (
            changed(FILE, LOSS, "lambda y, p: 1 / 0"),
            "^mine: a training step failed: .* division by zero, in line 14 of <lambda>; x is",
        ),
        (
            changed(FILE, LOSS, "lambda y, p: keras.ops.mean(p) * np.nan"),
            "expected a finite loss of the first step; received nan",
        ),
        (changed(FILE, "% 2", "% 2 + 1"), r"labels from 0 to 1 in y, each that binary .*; received 1 to 2"),
        (changed(SPARSE, "% 2", "% 5"), "in y, each a class of the model's 2 outputs; received 0 to 4"),
        (changed(SPARSE, "% 2", "% 2 - 1"), "received -1 to 0"),
        (changed(TWO, LOSS, "['sparse_categorical_crossentropy'] * 2", "'b': Y", "'b': Y + 1"), r"1 in y\['b'\], each"),
        (
            changed(FILE, "batch_size=4", "batch_size=4, metric='auc'"),
            "expected metric='auc' to be one .*: accuracy, loss",
        ),
        (changed(FILE, "return model", "return None"), "expected build.* to return a keras.Model; received None"),
        (changed(FILE, COMPILE, ""), "to return a compiled model: call model.compile"),
    ],
)
def test_what_does_not_fit_is_one_line(text: str, words: str, tmp_path: Path) -> None:
    """What was expected, what came, where: before a worker starts, on whichever backend."""
    with pytest.raises(ExpectedError, match=words) as caught:
        tried(tmp_path, text)
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)
