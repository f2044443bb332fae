"""`bench bisect` on real workers: a small repository of somebody's, in which one commit made the model slower."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from bench.exit_codes import ExitCode
from tests.bench.cli.documents import document
from tests.bench.runner.test_worktrees import git

pytestmark = pytest.mark.framework

RECIPE = """
import keras
import numpy as np

from kerasmark import Recipe
from widths import WIDTHS

RECIPE = Recipe.own("theirs", batch_size=64, epochs=1)


def data(split, seed):
    draw = np.random.default_rng(0 if split == "train" else 1)
    x = draw.normal(size=(1_024, 64)).astype("float32")
    return x, (x[:, 0] > 0).astype("float32")


def build(recipe):
    layers = [keras.layers.Dense(units, activation="relu") for units in WIDTHS]
    model = keras.Sequential([keras.Input((64,)), *layers, keras.layers.Dense(1, activation="sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model
"""
# Layers of the model: before, with one more, and with a wider one.
BEFORE, ANOTHER, WIDER = (256, 256), (256, 256, 256), (256, 512)


def history(folder: Path, after: Sequence[int], *, culprit: int, commits: int = 6) -> Path:
    """Return a repository of a recipe and so many later commits, of which one changes the layers, others the notes."""
    folder.mkdir()
    (folder / "recipe.py").write_text(RECIPE, encoding="utf-8")
    git(folder, "init", "--quiet", "--initial-branch=main")
    for number in range(commits + 1):
        (folder / "notes.txt").write_text(f"{number}\n")
        if number in (0, culprit):
            (folder / "widths.py").write_text(f"WIDTHS = {after if number else BEFORE}\n")
        git(folder, "add", ".")
        git(folder, "commit", "--quiet", "--message", f"commit {number}")
    return folder


def bisected(repository: Path, *words: str, out: Path) -> tuple[int, dict[str, Any]]:
    """Bisect all commits on JAX and return the exit status and the document."""
    first = git(repository, "rev-list", "--max-parents=0", "HEAD").strip()
    command = ("bisect", "--good", first, "--bad", "HEAD", "--repo", str(repository), "--recipes", "recipe.py")
    return document(*command, "--backend", "jax", *words, out=out)


def culprits(found: dict[str, Any]) -> list[str]:
    """Return the titles of the commits that may be the culprit."""
    return [found["candidates"][label] for label in found["conclusion"]["culprits"]]


def test_the_commit_that_added_a_layer_is_found(tmp_path: Path) -> None:
    """The whole way, from worktrees to a proof; no worktree is left, and the model's file is each commit's own."""
    repository, summary = history(tmp_path / "theirs", ANOTHER, culprit=3, commits=4), tmp_path / "summary.md"
    code, found = bisected(repository, "--tier", "compiled", "--markdown", str(summary), out=tmp_path / "runs")
    assert culprits(found) == ["commit 3"]
    assert code == ExitCode.HELD
    assert found["change"]["from_good"]["value"] > 1.2
    assert found["steps"][0]["kind"] == "ends"
    assert summary.read_text(encoding="utf-8").startswith("## kerasmark: Culprit: ")
    assert len(git(repository, "worktree", "list").splitlines()) == 1
