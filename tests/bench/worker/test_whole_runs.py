"""Whole runs of real workers: two trainings that are wrong in a way that no clock shows, and no network asked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from textwrap import indent

import pytest

from bench import ROOT

# Every Python process of a run imports this first, workers included.
GUARD = """
import os, sys
def guard(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto", "urllib.Request"):
        with open(os.environ["GUARD_LOG"], "a") as log:
            log.write(f"{event} {args}\\n")
        raise OSError(f"no network here: {event}")
sys.addaudithook(guard)
with open(os.environ["GUARD_LOG"], "a") as log:
    log.write("guarded\\n")
"""

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
DATA = os.environ.get("KERASMARK_DATA") or "synthetic"
RUN = ("run", "--profile", "smoke", "--recipe", "dense", "--backend", "jax", "--data", DATA, "--json")


def outcome(wrong: str, folder: Path) -> tuple[int, dict[str, object]]:
    """Run the smoke profile of one recipe with workers that have `wrong` in them; return status and document."""
    environ = guarded(folder, "if 'bench.worker' in sys.orig_argv:\n    import keras\n" + indent(wrong, "    "))
    words = [sys.executable, "-m", "bench", *RUN, "--out", str(folder / "runs")]
    done = subprocess.run(words, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    return done.returncode, json.loads(done.stdout)


def guarded(folder: Path, then: str = "") -> dict[str, str]:
    """Return the variables under which every Python process is guarded and begins with ``then``."""
    (folder / "sitecustomize.py").write_text(GUARD + then)
    return {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}", "GUARD_LOG": str(folder / "guard.log")}


@pytest.fixture(scope="module")
def diverged(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, dict[str, object], Path]:
    """A run whose training diverges, to its end: status, document and folder."""
    folder = tmp_path_factory.mktemp("diverged")
    return *outcome(DIVERGE, folder), folder


@pytest.mark.framework
@pytest.mark.skipif(not os.environ.get("KERASMARK_DATA"), reason="the band is that of the real reviews")
def test_a_leak_of_the_test_labels_is_suspiciously_accurate(tmp_path: Path) -> None:
    """Trained on what it is tested on, a backend would look better than the source; its timings count in nothing."""
    status, document = outcome(LEAK, tmp_path)
    assert status == 3
    (row,) = [row for row in document["accuracy"] if row["decides"]]  # type: ignore[attr-defined]
    assert row["answer"] == "failed"
    assert "look for a data leak" in row["reason"]
    assert all(row["excluded"] for row in document["timings"] if row["phase"] != "vectorize")  # type: ignore[attr-defined]


@pytest.mark.framework
def test_a_loss_that_becomes_no_number_fails_and_is_shown_as_such(
    diverged: tuple[int, dict[str, object], Path],
) -> None:
    """A real training that diverges: the run ends as any other, with status 3 and a document without NaN."""
    status, document, _ = diverged
    assert status == 3
    assert {row["answer"] for row in document["accuracy"] if row["decides"]} == {"failed"}  # type: ignore[attr-defined]
    assert "NaN" not in json.dumps(document)


@pytest.mark.framework
def test_a_run_asks_no_network(diverged: tuple[int, dict[str, object], Path]) -> None:
    """But for the announced download nothing leaves the machine: neither the parent nor a framework tries."""
    _, document, folder = diverged
    told = (folder / "guard.log").read_text().splitlines()
    assert {row["phase"] for row in document["timings"]} == {"train", "predict", "vectorize"}  # type: ignore[attr-defined]
    assert len(told) >= 2
    assert set(told) == {"guarded"}


def test_the_guard_sees_what_it_is_to_see(tmp_path: Path) -> None:
    """A connection that somebody tries is refused and told: else the test above could not fail."""
    code = "import socket; socket.create_connection(('127.0.0.1', 9))"
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, env=guarded(tmp_path), capture_output=True, text=True, check=False)
    assert "no network here" in done.stderr
    assert any(line.startswith("socket.") for line in (tmp_path / "guard.log").read_text().splitlines())
