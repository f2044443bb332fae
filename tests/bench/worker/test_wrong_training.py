"""Trainings that are wrong in a way that no clock shows: labels that leak, a loss that is no number."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench import ROOT

pytestmark = pytest.mark.framework

# A worker of which one thing is wrong; everything else is the suite's own.
LEAK = """
from bench.worker.reviews import Reviews
Reviews.train = Reviews.test  # it learns what it is then tested on
"""
DIVERGE = """
import models.model
compile_for = models.model.compile_for
def far(model, recipe, **options):
    compiled = compile_for(model, recipe, **options)
    compiled.optimizer.learning_rate = 1e30
    return compiled
models.model.compile_for = far
"""
# The recipe with the widest band lets the smallest leak through: this one has 16 epochs of a dense model's memory.
RUN = ("run", "--profile", "smoke", "--recipe", "dense", "--backend", "jax", "--json")


def outcome(wrong: str, folder: Path) -> tuple[int, dict[str, object]]:
    """Run the smoke profile of one recipe with workers that have `wrong` in them; return status and document."""
    (folder / "sitecustomize.py").write_text(
        "import sys\n"
        "if 'bench.worker' in sys.orig_argv:\n"
        "    import keras\n" + "".join(f"    {line}\n" for line in wrong.splitlines())
    )
    environ = {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}
    words = [sys.executable, "-m", "bench", *RUN, "--out", str(folder / "runs")]
    done = subprocess.run(words, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    return done.returncode, json.loads(done.stdout)


@pytest.mark.skipif(not os.environ.get("KERASMARK_DATA"), reason="the band is that of the real reviews")
def test_a_leak_of_the_test_labels_is_suspiciously_accurate(tmp_path: Path) -> None:
    """Trained on what it is tested on, a backend would look better than the source; its timings count in nothing."""
    status, document = outcome(LEAK, tmp_path)
    assert status == 3
    (row,) = [row for row in document["accuracy"] if row["decides"]]  # type: ignore[attr-defined]
    assert row["answer"] == "failed"
    assert "look for a data leak" in row["reason"]
    assert all(row["excluded"] for row in document["timings"] if row["phase"] != "vectorize")  # type: ignore[attr-defined]


def test_a_loss_that_becomes_no_number_fails_and_is_shown_as_such(tmp_path: Path) -> None:
    """A real training that diverges: the run ends as any other, with status 3 and a document without NaN."""
    status, document = outcome(DIVERGE, tmp_path)
    assert status == 3
    assert {row["answer"] for row in document["accuracy"] if row["decides"]} == {"failed"}  # type: ignore[attr-defined]
    assert "NaN" not in json.dumps(document)
