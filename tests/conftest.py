"""What every test needs: Keras's backend, an order in which two processes end together, and the reviews."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest

from datasets.locate import open_corpus

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that start frameworks: one that takes minutes and comes last would leave a core idle."""
    slow = {item.path for item in items if item.get_closest_marker("framework")}
    items.sort(key=lambda item: item.path not in slow)


def pytest_collection_finish() -> None:
    """Exempt thousands of tests from garbage collection, which would walk them a hundred times."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def corpus_folder() -> Path:
    """The parsed corpus, from the cache of a run: the real reviews where KERASMARK_DATA names them, else synthetic.

    Commands that tests start find them there too. What parses them anew is in `tests/datasets`.
    """
    return open_corpus(os.environ.get("KERASMARK_DATA") or "synthetic", environ=os.environ).folder
