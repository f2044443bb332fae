"""The running backend's folder of `bench.worker`: the one place where a backend's name selects code."""

from __future__ import annotations

import importlib
from functools import cache
from pathlib import Path
from typing import Any

import keras

from bench import backends


@cache  # a wait for the device, inside timed regions, asks again and again
def module(name: str) -> Any:
    """Return the module ``name`` of the running backend, such as "floor"; UsageError for a backend without a folder."""
    return importlib.import_module(f"bench.worker.{_name()}.{name}")


def load() -> None:
    """Import every module of the running backend now: afterwards none may be found (`kerasmark`)."""
    for file in (Path(__file__).parent / _name()).glob("[!_]*.py"):
        module(file.stem)


def _name() -> str:
    return backends.find(keras.backend.backend()).name
