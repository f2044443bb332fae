"""The running backend's folder of `bench.worker`: the one place where a backend's name selects code."""

from __future__ import annotations

import importlib
from functools import cache
from pathlib import Path
from typing import Any

import keras

from bench import backends
from bench.backends import Backend
from bench.worker.programs import Unsupported


@cache  # a wait for the device, inside timed regions, asks again and again
def module(name: str) -> Any:
    """Return the module ``name`` of the running backend, such as "floor".

    Raises UsageError for a backend without a folder, Unsupported for what one that only predicts does not have.
    """
    running = _running()
    if not running.trains and not (Path(__file__).parent / running.folder / f"{name}.py").exists():
        raise Unsupported(f"{running.title}, which only predicts,")
    return importlib.import_module(f"bench.worker.{running.folder}.{name}")


def load() -> None:
    """Import every module of the running backend now: afterwards none may be found (`kerasmark`)."""
    for file in (Path(__file__).parent / _running().folder).glob("[!_]*.py"):
        module(file.stem)


def _running() -> Backend:
    return backends.find(keras.backend.backend())
