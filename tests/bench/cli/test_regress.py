"""The gate on real workers: identical commits, a model that really became slower, a file of one's own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench import ROOT
from bench.exit_codes import ExitCode
from bench.protocol import PROTOCOL_VERSION
from tests.bench.cli.documents import document
from tests.bench.runner.test_worktrees import git

pytestmark = pytest.mark.framework

RECIPE = """
import keras

from datasets.encoding import Encoding
from models.recipes import Optimizer, Phase, Recipe
from width import UNITS

RECIPE = Recipe(
    name="mine", family="own", source="a test", published=(), parameters=0, target_metric="accuracy",
    encoding=Encoding(words="text", vocabulary_size=500, form="padded", sequence_length=64),
    optimizer=Optimizer("adam"), phases=(Phase("final", epochs=1, batch_size=32),),
)

def build(recipe):
    inputs = keras.Input((recipe.encoding.sequence_length,), dtype="int32")
    x = keras.layers.Embedding(recipe.encoding.vocabulary_size, 16)(inputs)
    x = keras.layers.Flatten()(x)
    x = keras.layers.Dense(UNITS, activation="relu")(x)
    return keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(x))
"""


def bench(*words: str, out: Path) -> tuple[int, dict[str, Any]]:
    """Run the command line on synthetic reviews and return its exit status and its document."""
    return document(*words, "--data", "synthetic", out=out)


def test_a_model_that_became_slower_is_found_and_identical_work_is_not(tmp_path: Path) -> None:
    """Somebody's repository: the layer grows from 64 to 512 units, in a file that the recipe imports.

    Three processes of each, the fewest with which a large difference cannot drown in one busy minute: the whole way
    from worktrees to a confirmed answer. The counters rise as well.
    """
    repository = tmp_path / "theirs"
    repository.mkdir()
    (repository / "recipe.py").write_text(RECIPE, encoding="utf-8")
    (repository / "width.py").write_text("UNITS = 64\n")
    git(repository, "init", "--quiet", "--initial-branch=main")
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "--message", "narrow")
    (repository / "width.py").write_text("UNITS = 512\n")
    summary = tmp_path / "summary.md"
    words = (
        "--base",
        "HEAD",
        "--repo",
        str(repository),
        "--recipes",
        "recipe.py",
        "--backend",
        "jax",
        "--tier",
        "compiled",
    )
    code, found = bench("regress", *words, "--replicates", "3", "--markdown", str(summary), out=tmp_path / "runs")
    # Three processes may be too few for the controls' tenth to be seen on a busy machine: then the gate says so.
    assert code == (ExitCode.UNRESOLVED if found["void"] else ExitCode.REGRESSION)
    cells = [cell for cell in found["comparisons"] if cell["control"] is None]
    assert {cell["phase"]: cell["answer"] for cell in cells}["train"] == "slower"
    assert all(cell["confirmed"] > 1.5 for cell in cells if cell["answer"] == "slower")
    assert {cell["recipe"] for cell in cells} == {"mine"}
    ratios = {cell["phase"]: cell["ratio"] for cell in cells}
    assert ratios["train"] > 1.5
    risen = {row["counter"] for row in found["counter_changes"] if row["after"] > row["before"]}
    assert "program_bytes" in risen
    assert {cell["control"] for cell in found["comparisons"]} == {None, "itself", "extra work"}
    assert summary.read_text(encoding="utf-8").startswith("## kerasmark: ")
    assert len(git(repository, "worktree", "list").splitlines()) == 1


def test_this_suite_against_its_own_commit(tmp_path: Path) -> None:
    """Both sides run the whole of their own worker; counters of one commit are equal, and nothing fails."""
    words = (
        "--base",
        "HEAD",
        "--recipe",
        "pooling-logits",
        "--backend",
        "tensorflow",
        "--replicates",
        "2",
    )
    code, found = bench("regress", *words, out=tmp_path)
    assert code in (ExitCode.HELD, ExitCode.UNRESOLVED, ExitCode.REGRESSION)
    assert found["failures"] == []
    assert {cell["tier"] for cell in found["comparisons"]} == {"compiled", "called"}
    assert all(cell["decides"] for cell in found["comparisons"] if not cell["control"])
    assert set(found["targets"]) == {
        f"tensorflow-cpu@{label}" for label in ("base", "head", "base again", "base +10% work")
    }


def test_a_base_that_speaks_another_protocol_is_refused_before_anything_is_measured(tmp_path: Path) -> None:
    """The first commit of this project's history that had workers, or any before this protocol."""
    before = f"PROTOCOL_VERSION = {PROTOCOL_VERSION - 1}"
    log = ["git", "log", "--format=%H", "-S", before, "--", "bench/protocol.py"]
    old = subprocess.run(log, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    if not old:
        pytest.skip("a shallow clone has no older protocol")
    words = ("regress", "--base", old[-1], "--data", "synthetic", "--out", str(tmp_path))
    done = subprocess.run([sys.executable, "-m", "bench", *words], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == ExitCode.UNUSABLE
    assert f"speak protocol {PROTOCOL_VERSION}" in done.stderr
    assert "name a later commit with --base" in done.stderr
    assert list(tmp_path.iterdir()) == []
