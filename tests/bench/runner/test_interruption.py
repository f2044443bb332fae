"""Tests of an interruption: a terminated run ends its workers, and its records are on disk."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import IO

import psutil
import pytest

from bench import ROOT
from bench.records import store

pytestmark = pytest.mark.framework

# A worker that is asked to leave has so long before it is killed, and some seconds on a busy machine.
GONE_S = 30


def test_a_run_that_is_told_to_end_takes_its_worker_along(tmp_path: Path) -> None:
    """In the middle of a training: status 130, no process left, and a run that can be read and resumed."""
    words = ("run", "--profile", "smoke", "--recipe", "pooling-logits", "--backend", "jax", "--out", str(tmp_path))
    with subprocess.Popen(
        [sys.executable, "-m", "bench", *words],
        cwd=ROOT,
        env={**os.environ, "KERASMARK_DATA": os.environ.get("KERASMARK_DATA") or "synthetic"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stderr is not None
        before = _until_the_first_step(running.stderr)
        workers = psutil.Process(running.pid).children(recursive=True)
        running.terminate()
        after = running.stderr.read()
    assert workers, before
    assert running.returncode == 130, after
    assert "interrupted" in after
    assert not psutil.wait_procs(workers, timeout=GONE_S)[1]
    assert store.read(store.find("latest", tmp_path)).header.profile == "smoke"


def _until_the_first_step(told: IO[str]) -> list[str]:
    """Read what a run tells until it trains; return it."""
    lines = []
    for line in told:
        lines.append(line)
        if re.match(r"\d+/\d+ ", line):
            break
    return lines
