"""A user's file of recipes, read in a child process because it may import a framework."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from pydantic import TypeAdapter

from bench import ROOT
from bench.backends import BACKENDS
from datasets.errors import ExpectedError
from models.recipes import Recipe

_ADAPTER: TypeAdapter[list[Recipe]] = TypeAdapter(list[Recipe])


def read(file: Path, folder: Path | None = None) -> list[Recipe]:
    """Return the recipes of ``file``; its imports are looked up in ``folder`` first."""
    if not file.is_file():
        raise ExpectedError(f"no file {file.name}; --recipes takes a Python file with RECIPE and build(recipe)")
    extra = {"PYTHONPATH": str(folder)} if folder else {}
    done = subprocess.run(
        [sys.executable, "-m", "models.user_recipes", str(file.resolve())],
        cwd=ROOT,
        env={**os.environ, "KERAS_BACKEND": next(iter(BACKENDS)), "TF_CPP_MIN_LOG_LEVEL": "2", **extra},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise ExpectedError(f"{file.name}: {said[-1]}")
    return _ADAPTER.validate_json(done.stdout.splitlines()[-1])  # a framework may print before it
