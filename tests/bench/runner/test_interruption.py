"""Tests of an interruption: a terminated run ends its workers, and its records are on disk."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

import psutil
import pytest

from bench import ROOT
from bench.records import catalog, store
from bench.runner.process import LEAVE_LIMIT_S

# A worker that is asked to leave has so long before it is killed, and some seconds on a busy machine.
GONE_S = 30


@pytest.mark.framework
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
    assert store.read(catalog.find("latest", tmp_path, catalog.ANY)).header.profile == "smoke"


BUSY = """
import random, signal, sys, time
from dataclasses import replace
from pathlib import Path
from bench.plan import steps
from bench.plan.steps import PROFILES
from bench.plan.targets import Target
from bench.runner.process import WorkerProcess
from bench.runner.session import Session
from models.recipes import RECIPES
from tests.faults.trials import Silent

class Watcher(Silent):
    def starting(self, target): print("starting", flush=True)
    def begin(self, step): print("begun", flush=True)

def start(target):
    log = Path(sys.argv[1]) / f"{target.name}.log"
    return WorkerProcess(target, corpus=Path("."), log=log, module="tests.bench.fake_worker", stall_limit_s=30.0)

signal.signal(signal.SIGTERM, signal.default_int_handler)
targets = [Target("jax"), Target("tensorflow")]
work = steps.passes([RECIPES["dense"]], targets, PROFILES["smoke"], seeds=1)[0]
try:
    Session(PROFILES["smoke"], start, lambda *records: None, Watcher(), random.Random(1)).run(work)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@pytest.mark.parametrize("when", ["hello", "train", "prepare", "block"])
def test_an_interrupted_session_waits_for_no_worker(when: str, tmp_path: Path) -> None:
    """While a worker imports, trains, compiles or measures: it is killed, and not asked to leave and waited for.

    One that is asked has ten seconds, which each took in turn.
    """
    environ = {**os.environ, "KERASMARK_FAKE": f"jax:{when}:hang"}
    words = [sys.executable, "-c", BUSY, str(tmp_path)]
    with subprocess.Popen(words, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True) as session:
        assert session.stdout is not None
        session.stdout.readline()
        log = tmp_path / "jax-cpu.log"
        until = time.monotonic() + GONE_S
        while not (log.exists() and "about to hang" in log.read_text()) and time.monotonic() < until:
            time.sleep(0.02)
        workers = psutil.Process(session.pid).children()
        begun = time.monotonic()
        session.terminate()
        told = session.stdout.read()
    assert "interrupted" in told
    assert time.monotonic() - begun < LEAVE_LIMIT_S / 2
    assert len(workers) == 2
    assert not psutil.wait_procs(workers, timeout=GONE_S)[1]


def _until_the_first_step(told: IO[str]) -> list[str]:
    """Read what a run tells until it trains; return it."""
    lines = []
    for line in told:
        lines.append(line)
        if re.match(r"\d+/\d+ ", line):
            break
    return lines
