"""Serving seen from the parent: models saved on one backend give their scores on every other that is installed."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.process import WorkFailed
from bench.scoring import BACKENDS, environment_of
from bench.targets import ROOT

# Keras's other backends need a framework; this one is NumPy's own.
ALWAYS = "numpy"


def installed() -> list[str]:
    """Return the backends on which a saved model can be served here."""
    return [name for name in BACKENDS if name == ALWAYS or importlib.util.find_spec(name) is not None]


def scores(models: Sequence[Path], texts: Sequence[str], backend: str) -> list[list[float]]:
    """Return how probably each text is positive, by each model, under ``backend``; WorkFailed with its last words."""
    with tempfile.TemporaryDirectory(prefix="kerasmark-") as folder:
        given = Path(folder) / "texts.json"
        given.write_text(json.dumps(list(texts)), "utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "bench.worker.serve", str(given), *map(str, models)],
            cwd=ROOT,
            env=environment_of(backend, folder),
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise WorkFailed(f"{backend} could not serve the model: {said[-1] if said else done.returncode}")
    return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]
