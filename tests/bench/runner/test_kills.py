"""Kills at random instants: a few of those that `nox -s faults` does by the thousand."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from bench import ROOT

# Forks, so a process of its own without threads.
TRIALS = """
import json, sys, tempfile
from dataclasses import asdict
from pathlib import Path
from tests.faults import trials
world = getattr(trials, sys.argv[1])()
whole, took_s = trials.undisturbed(world, Path(tempfile.mkdtemp()))
outcomes = [trials.trial(world, Path(tempfile.mkdtemp()), whole, took_s, 10_000 + seed) for seed in range(6)]
print(json.dumps([[outcome.resumes, outcome.wrong] for outcome in outcomes]))
"""


@pytest.mark.parametrize("world", ["fake_run", "fake_gate"])
def test_a_run_whose_parent_or_worker_was_killed_is_resumed_to_the_same(world: str) -> None:
    """The same work, once each, the cells of a step together; of a gate the same answers."""
    done = subprocess.run([sys.executable, "-c", TRIALS, world], cwd=ROOT, capture_output=True, text=True, check=True)
    outcomes = json.loads(done.stdout.splitlines()[-1])
    assert [wrong for _, wrong in outcomes] == [[]] * len(outcomes)
    assert any(resumes for resumes, _ in outcomes)
