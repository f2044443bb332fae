"""The front end for pytest-benchmark: this process is a worker of the backend that KERAS_BACKEND names."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.cli import arguments
from bench.plan import gpus
from bench.records import machine
from datasets.locate import Located, open_corpus
from models.recipes import Recipe

BACKEND = os.environ["KERAS_BACKEND"]  # `tests/conftest.py` chooses one where nobody did


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option by which `nox -s bench-compare` lets the backends take turns, recipe by recipe."""
    parser.addoption("--recipe", help="time the operations of this recipe alone")
    parser.addoption("--recipes", type=Path, help="time the recipes of this Python file of your own")


def pytest_configure(config: pytest.Config) -> None:
    """Find what a user's file imports beside it, as the suite's own processes do."""
    if file := config.getoption("--recipes"):
        sys.path.insert(0, str(file.resolve().parent))


def recipes(config: pytest.Config) -> dict[str, Recipe]:
    """Return the recipes to time by name: of the user's file where one is given, else the suite's."""
    chosen = config.getoption("--recipe")
    found = arguments.recipes([chosen] if chosen else None, config.getoption("--recipes"), tried=False)
    return {recipe.name: recipe for recipe in found}


def pytest_benchmark_update_machine_info(config: pytest.Config, machine_info: dict[str, Any]) -> None:
    """Say what a number needs, and no name of the machine: processor, GPUs, memory, backend."""
    del config
    found = machine.machine()
    machine_info.update(node="", backend=BACKEND, gpus=gpus.gpus(), memory_gib=found.memory_gib)
    machine_info.pop("release", None)
    machine_info["cpu"] = {"brand_raw": found.cpu, "count": found.processors}


@pytest.fixture(scope="session")
def located() -> Located:
    """The reviews, found as in a run."""
    return open_corpus(os.environ.get("KERASMARK_DATA"), environ=os.environ)
