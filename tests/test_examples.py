"""Tests of the examples: they run on either backend, and the example model joins the suite."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench import ROOT
from bench.backends import BACKENDS

pytestmark = pytest.mark.framework

OWN = "bigrams epochs=1 held_out=23000 vocabulary_size=1000 sequence_length=50"
STOCK = "pooling-logits embedding=keras epochs=1 held_out=23000"
DATA = os.environ.get("KERASMARK_DATA") or "synthetic"


def run(*words: str, backend: str = "jax", status: int = 0) -> str:
    """Run a module from the checkout's root and return what it prints."""
    environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "2", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == status, done.stderr[-4_000:]
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


def test_a_run_measures_a_user_s_model_and_a_variation(tmp_path: Path) -> None:
    """On both backends: trained, equal work, timed by several paths; then shown, compared and published."""
    chosen = ("--recipes", "examples/own_model.py", "--recipe", OWN, STOCK)
    out = ("--out", str(tmp_path / "runs"))
    found = json.loads(run("bench", "run", *chosen, "--profile", "smoke", "--data", "synthetic", "--json", *out))
    assert [row["answer"] for row in found["parity"]] == ["passed", "passed"]
    assert not found["failures"]
    assert {row["share_of"] for row in found["timings"] if row["phase"] == "train"} <= {"fit", "compiled loop"}
    assert {row["recipe"] for row in found["accuracy"]} == {OWN, STOCK}
    assert not any(row["decides"] for row in found["accuracy"])
    assert "fastest path" in run("bench", "show", "--all", *out)
    assert OWN in run("bench", "compare", "jax", "tensorflow", *out, status=4)  # one process
    run("bench", "publish", "latest", "--anyway", "--runs", str(tmp_path / "runs"), "--out", str(tmp_path / "results"))
    assert STOCK in (tmp_path / "results" / "index.html").read_text(encoding="utf-8")
