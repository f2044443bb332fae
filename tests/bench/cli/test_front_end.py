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


def test_an_operation_is_an_ordinary_benchmark_of_its_backend(tmp_path: Path) -> None:
    """It says which backend and reviews it is of, names no machine, and takes its place in a comparison."""
    words = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/benchmarks/operations")
    choice = ("-k", "pooling-logits-vectorize-floor-from-ids", "--benchmark-max-time=0.1", "--benchmark-warmup=on")
    storage = f"file://{tmp_path}"
    done = subprocess.run(
        [sys.executable, *words, *choice, f"--benchmark-storage={storage}", "--benchmark-save=made-jax"],
        cwd=ROOT,
        env={**alone(), "KERAS_BACKEND": "jax", "KERASMARK_DATA": "synthetic"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (file,) = tmp_path.rglob("*.json")
    saved = json.loads(file.read_text(encoding="utf-8"))
    (benchmark,) = saved["benchmarks"]
    assert (benchmark["extra_info"]["backend"], benchmark["extra_info"]["corpus"]) == ("jax", "synthetic")
    assert benchmark["options"]["warmup"]
    assert saved["machine_info"]["node"] == ""
    assert saved["machine_info"]["cpu"]["brand_raw"]
    compared = subprocess.run(
        [sys.executable, "-m", "pytest_benchmark", "--storage", storage, "compare", "--name=short"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    assert "pooling-logits-vectorize-floor-from-ids-1000-jax" in compared.stdout
