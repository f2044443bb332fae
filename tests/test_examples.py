"""Tests of the examples: they run on either backend, and the example model joins the suite."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from bench import ROOT
from bench.backends import BACKENDS

pytestmark = pytest.mark.framework

EVERY = "examples/own/every.py"
SHORT = (
    "tabular epochs=2",
    "digits epochs=1",
    "transformer epochs=1 held_out=24000 sequence_length=20",
    "quantile epochs=2",
)
AUTHOR = ("-c", "user.name=tests", "-c", "user.email=tests@example.invalid")
DATA = os.environ.get("KERASMARK_DATA") or "synthetic"


def run(*words: str, backend: str = "jax", status: int | None = 0) -> str:
    """Run a module from the checkout's root and return what it prints."""
    environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "2", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert status in (None, done.returncode), done.stderr[-4_000:]
    return done.stdout


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_dense_tutorial_learns_on_either_backend(backend: str) -> None:
    """One epoch is enough for more than four reviews in five, as published (.8690 of those held out)."""
    said = run("examples.dense_tutorial", "--epochs", "1", "--data", DATA, backend=backend)
    (tested,) = [line for line in said.splitlines() if line.startswith(f"{backend}: test accuracy")]
    assert float(tested.split()[3].rstrip(",")) > 0.8


def test_predict_is_slower_than_a_compiled_function() -> None:
    """For one review `predict` costs more than the compiled function on any machine."""
    lines = run("examples.why_is_predict_slow").splitlines()
    times = {line[:22].strip(): float(line[22:].split()[1]) for line in lines if "times the compiled" in line}
    assert list(times) == ["predict", "the model, called", "predict_on_batch", "a compiled function"]
    assert times["predict"] > times["a compiled function"] == 1


def test_the_suite_trains_a_user_s_model(tmp_path: Path) -> None:
    """One file is all that the suite needs, and settings change the model like any recipe."""
    own = ("--recipes", "examples/own_model.py", "--data", DATA, "--save", str(tmp_path), "--json")
    small = ("epochs=1", "held_out=24000", "vocabulary_size=1000", "sequence_length=50")
    record = json.loads(run("bench", "train", "bigrams", *small, *own))
    assert record["recipe"] == f"bigrams {' '.join(small)}"
    assert record["parameters"] == 1000 * 16 + (2 * 16 * 32 + 32) + 33
    assert (tmp_path / "model.keras").exists()


def test_a_model_with_a_layer_of_its_own_is_scored_on_another_backend(tmp_path: Path) -> None:
    """The file that has the layer's class is all that loading needs; no folder of this machine is saved."""
    folder = tmp_path / "model"
    own = ("--recipes", EVERY)
    run("bench", "train", *SHORT[2].split(), *own, "--data", "synthetic", "--save", str(folder))
    scores = [
        float(run("bench", "score", str(folder), "A fine film", "--backend", backend, *own).split("\t")[0])
        for backend in ("jax", "numpy")
    ]
    assert scores[0] == pytest.approx(scores[1], abs=2e-4)  # four digits are printed
    with zipfile.ZipFile(folder / "model.keras") as archive:
        assert json.loads(archive.read("kerasmark/recipe.json"))["file"] == "every.py"


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A smoke run of the four models of examples/own on both backends: its folder and its document."""
    out = tmp_path_factory.mktemp("runs")
    words = ("--recipes", EVERY, "--recipe", *SHORT, "--profile", "smoke", "--data", "synthetic")
    return out, json.loads(run("bench", "run", *words, "--json", "--out", str(out)))


def test_four_models_of_other_kinds_are_trained_and_timed(measured: tuple[Path, dict[str, Any]]) -> None:
    """Several outputs, images, a Transformer on text, a loss of one's own: every path drives each on both backends."""
    _, found = measured
    assert not found["failures"]
    assert not found["unsupported"]
    figures = {row["recipe"].split()[0]: row["figure"] for row in found["accuracy"]}
    assert figures == {
        "tabular": "test benign accuracy",
        "digits": "test accuracy",
        "transformer": "test accuracy",
        "quantile": "test loss",
    }
    timed = {(row["recipe"], row["path"], row["target"]) for row in found["timings"] if row["phase"] == "train"}
    assert len(timed) == 2 * 2 * len(figures)  # fit and the compiled loop, on both
    assert {row["share_of"] for row in found["timings"] if row["phase"] == "train"} <= {"fit", "compiled loop"}


def test_both_backends_do_the_same_work(measured: tuple[Path, dict[str, Any]]) -> None:
    """From equal weights equal predictions and losses; with Keras's own Embedding up to the first update."""
    _, found = measured
    assert {row["answer"] for row in found["parity"]} == {"passed"}
    assert len(found["parity"]) == len(SHORT)


def test_such_a_run_is_shown_compared_and_published(measured: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    """What works for the suite's recipes works for a user's."""
    out, _ = measured
    assert "fastest path" in run("bench", "show", "--all", "--out", str(out))
    assert SHORT[0] in run("bench", "compare", "jax", "tensorflow", "--out", str(out), status=4)  # one process
    assert "digits" in run("bench", "export", "--format", "csv", "--out", str(out))
    run("bench", "publish", "latest", "--anyway", "--runs", str(out), "--out", str(tmp_path / "results"))
    assert SHORT[1] in (tmp_path / "results" / "index.html").read_text(encoding="utf-8")


def test_a_gate_compares_a_user_s_models(tmp_path: Path) -> None:
    """Identical code, in a repository of the user's own; tests/bench/cli/test_regress.py has JAX and a slower model."""
    repository = tmp_path / "theirs"
    shutil.copytree(ROOT / "examples" / "own", repository)
    for words in (("init", "--quiet"), ("add", "."), ("commit", "--quiet", "--message", "models")):
        subprocess.run(["git", "-C", str(repository), *AUTHOR, *words], check=True)
    small = ("--replicates", "2", "--tier", "compiled")
    names = [name for name in SHORT if not name.startswith("transformer")]  # it needs no other code
    chosen = ("--repo", str(repository), "--recipes", "every.py", "--backend", "tensorflow", "--recipe", *names)
    said = run("bench", "regress", "--base", "HEAD", *chosen, *small, "--json", "--out", str(tmp_path), status=None)
    found = json.loads(said)
    assert found["failures"] == []
    assert {cell["recipe"] for cell in found["comparisons"]} == set(names)
