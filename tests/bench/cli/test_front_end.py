"""The front end for pytest-benchmark, as `nox -s bench-compare` runs it: one operation, saved and compared."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench import ROOT

pytestmark = pytest.mark.framework


def alone() -> dict[str, str]:
    """Return the environment without the words by which a pytest beside others knows that it is one of several."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_XDIST")}


def front_end(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the operations of pooling-logits on JAX as the session does, and save what is measured in ``folder``."""
    found = (
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "tests/benchmarks/operations",
        "--recipe",
        "pooling-logits",
    )
    saved = (f"--benchmark-storage=file://{folder}", "--benchmark-save=made-jax", "-W", "ignore:Not saving anything")
    return subprocess.run(
        [sys.executable, *found, "--benchmark-max-time=0.1", "--benchmark-warmup=on", *saved, *words],
        cwd=ROOT,
        env={**alone(), "KERAS_BACKEND": "jax", "KERASMARK_DATA": "synthetic"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_recipe_of_which_nothing_was_chosen_is_no_error(tmp_path: Path) -> None:
    """`-k dense` leaves nothing of the other recipes: pytest says 5, which the session takes, and nothing is saved."""
    done = front_end(tmp_path, "-k", "dense")
    assert done.returncode == pytest.ExitCode.NO_TESTS_COLLECTED, done.stdout + done.stderr
    assert not [*tmp_path.rglob("*.json")]


def test_an_operation_is_an_ordinary_benchmark_of_its_backend(tmp_path: Path) -> None:
    """It says which backend and reviews it is of, names no machine, and takes its place in a comparison."""
    done = front_end(tmp_path, "-k", "vectorize-floor-from-ids or train-floor")
    assert done.returncode == 0, done.stdout + done.stderr
    (file,) = tmp_path.rglob("*.json")
    saved = json.loads(file.read_text(encoding="utf-8"))
    train, encode = saved["benchmarks"]
    assert train["group"] == "pooling-logits, one call: 10 steps of 32 reviews"
    assert encode["group"] == "pooling-logits, one call: vectorize 1,000 reviews"
    assert (encode["extra_info"]["backend"], encode["extra_info"]["corpus"]) == ("jax", "synthetic")
    assert encode["options"]["warmup"]
    assert saved["machine_info"]["node"] == ""
    assert saved["machine_info"]["cpu"]["brand_raw"]
    words = ("--storage", f"file://{tmp_path}", "compare", "--name=short")
    compared = subprocess.run(
        [sys.executable, "-m", "pytest_benchmark", *words], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert "pooling-logits-vectorize-floor-from-ids-1000-jax" in compared.stdout
    assert "pooling-logits-train-floor-32-10-steps-jax" in compared.stdout
