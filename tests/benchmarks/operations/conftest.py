"""The front end for pytest-benchmark: this process is a worker of the backend that KERAS_BACKEND names."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from bench import hardware, machine
from bench.targets import BACKENDS
from datasets.locate import Located, open_corpus

BACKEND = os.environ.get("KERAS_BACKEND", "")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave these tests out where no backend is chosen: `nox -s bench-compare` runs them once for each."""
    if BACKEND not in BACKENDS:
        here = Path(__file__).parent
        for item in items:
            if item.path.is_relative_to(here):
                item.add_marker(pytest.mark.skip(reason=f"set KERAS_BACKEND to {' or '.join(BACKENDS)}"))


def pytest_benchmark_update_machine_info(config: pytest.Config, machine_info: dict[str, Any]) -> None:
    """Say what a number needs, and no name of the machine: processor, GPUs, memory, backend."""
    del config
    found = machine.machine()
    machine_info.update(node="", backend=BACKEND, gpus=hardware.gpus(), memory_gib=found.memory_gib)
    machine_info.pop("release", None)
    machine_info["cpu"] = {"brand_raw": found.cpu, "count": found.processors}


@pytest.fixture(scope="session")
def located() -> Located:
    """The reviews, found as in a run."""
    return open_corpus(os.environ.get("KERASMARK_DATA"), environ=os.environ)
