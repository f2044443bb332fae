"""A user's file that is wrong, given to a command: one line, exit status 6, and nothing lost; real child processes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.plan import user_recipes
from tests.bench.cli.test_command_line import Try, bench, made_run
from tests.models.test_own_model import FILE
from tests.models.test_user_recipes import GOOD

__all__ = ["bench"]  # a fixture


def told(bench: Try, folder: Path, text: str, command: str = "run") -> str:
    """Return the one line with which ``command`` refuses a file; the run that was there before is as it was."""
    file = folder / "mine.py"
    file.write_text(text, encoding="utf-8")
    runs = made_run(folder / "runs")
    before = {path: path.read_bytes() for path in runs.rglob("*") if path.is_file()}
    more = ["mine"] if command == "train" else ["--out", str(runs)] if command == "run" else []
    status, out, err = bench(command, *more, "--recipes", str(file))
    assert (status, out) == (6, "")
    assert before == {path: path.read_bytes() for path in runs.rglob("*") if path.is_file()}
    lines = err.strip().splitlines()
    assert len(lines) == 1
    return lines[0]


@pytest.mark.parametrize("command", ["run", "list", "train"])
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("raise RuntimeError('one\\ntwo')", "mine.py: RuntimeError: one two, in line 1"),
        ("print('x' * 10_000_000)\nimport os\nos._exit(3)", "mine.py: it ended its process with status 3, before"),
        ("import torch", "mine.py: expected a file without PyTorch, "),
        (GOOD.replace('"mine"', '"../../mine"'), "expected names of letters, digits, dots and dashes, "),
        ("while True: pass", "mine.py: it did not end within 2 s; does it loop, or train when it is imported?"),
    ],
    ids=["raises", "prints and exits", "imports torch", "is named like a path", "loops"],
)
def test_a_file_that_is_wrong_is_one_line(
    bench: Try, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, words: str, command: str
) -> None:
    """No command begins its work, and none shows a traceback."""
    monkeypatch.setattr(user_recipes, "READ_LIMIT_S", 2.0)
    assert words in told(bench, tmp_path, text, command)


@pytest.mark.framework
@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("return X, Y", "raise OSError('no file')", "mine.py: OSError: no file, in line 10 of data"),
        ("return X, Y", "return X, Y[:7]", "mine.py: mine: data('train', 0): expected arrays with equal numbers of"),
        ("return X, Y", "return X, Y + np.nan", "mine.py: mine: data('train', 0): expected finite labels; received"),
        (
            "return X, Y",
            "import os; os.abort()",
            "mine.py: it ended its process with status -6, in data('train', 0) of",
        ),
        ("return model", "import sys; print('x'); sys.exit('bye')", "mine.py: SystemExit: bye, in line 15 of build"),
        ("return X, Y", "import torch", "mine.py: expected a file without PyTorch, "),
        ("Dense(1,", "Dense(3,", "mine.py: mine: a training step failed: do the model, its loss and its data fit?"),
    ],
)
def test_a_model_or_data_that_are_wrong_are_one_line(
    bench: Try, tmp_path: Path, before: str, after: str, words: str
) -> None:
    """They are tried in the child that reads the file, before a worker starts."""
    assert words in told(bench, tmp_path, FILE.replace(before, after))


@pytest.mark.framework
def test_data_that_loop_are_named(bench: Try, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line says in which function a user's file was when its time was over."""
    monkeypatch.setattr(user_recipes, "READ_LIMIT_S", 15.0)
    line = told(bench, tmp_path, FILE.replace("return X, Y", "while True: pass"))
    assert "mine.py: it did not end within 15 s, in data('train', 0) of mine; does it loop?" in line


# Whose data are good when they are tried, and not in a worker.
LATER = """
import os, sys
import keras
import numpy as np
from models.recipes import Recipe

RECIPES = [Recipe.own(name, batch_size=32) for name in ("ends", "good", "nan", "raises")]
X, Y = np.eye(512, 4, dtype="float32"), np.arange(512) % 2

def data(split, seed, recipe):
    print("a word", flush=True)
    if "bench.worker" not in sys.orig_argv or recipe.name == "good":
        return X, Y
    if recipe.name == "ends":
        os._exit(3)
    if recipe.name == "raises":
        raise OSError("no file\\nany more")
    return X, Y + np.nan

def build(recipe):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, activation="sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model
"""


ENDED = "jax-cpu: its process ended with exit status 3"
WRONG = {
    "ends": {ENDED, f"ends ended 2 workers, the last time: {ENDED}"},
    "nan": {f"data('{split}', 0): expected finite labels; received nan in row 0 of y" for split in ("train", "test")},
    "raises": {"OSError: no file"},
}


@pytest.mark.framework
def test_what_fails_in_a_worker_costs_its_own_cells_alone(bench: Try, tmp_path: Path) -> None:
    """A run goes on to its end: what the other recipe gave is measured, and each failure is one line."""
    file = tmp_path / "mine.py"
    file.write_text(LATER, encoding="utf-8")
    words = ("--profile", "smoke", "--backend", "jax", "--recipes", str(file), "--out", str(tmp_path / "runs"))
    status, out, _ = bench("run", *words, "--json")
    document = json.loads(out)
    assert status == 5
    assert {row["recipe"] for row in document["timings"]} == {"good"}
    assert {row["path"] for row in document["timings"]} >= {"fit", "predict_on_batch"}
    reasons = {name: {one["reason"] for one in document["failures"] if one["recipe"] == name} for name in WRONG}
    assert reasons == WRONG
