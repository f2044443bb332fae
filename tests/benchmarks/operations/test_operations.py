"""The operations as ordinary pytest-benchmark tests: the closures that a run times, one backend a process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.plan.steps import PROFILES, Timing
from bench.plan.targets import Target
from bench.records.schema import Cell
from datasets.locate import Located
from models.recipes import Recipe
from tests.benchmarks.operations.conftest import BACKEND, recipes

if TYPE_CHECKING:
    from bench.worker.reviews import Reviews

pytestmark = pytest.mark.framework

SIZES = {"train": (None,), "predict": (1, 32, 512), "vectorize": (1_000,)}

# Steps of one call of a training path, each of which costs something by itself: `fit` up to 0.1 s. A run reports the
# slope over two lengths instead, which excludes that.
STEPS = 10


def cells(recipe: Recipe) -> Iterator[Cell]:
    """Yield the cells of the default profile for ``recipe`` on this process's backend."""
    target = Target(BACKEND)
    for phase, names in PROFILES["default"].paths.items():
        for size in SIZES[phase]:
            yield from Timing(recipe, phase, names, size or recipe.batch_size, (target,)).cells


def repeats(cell: Cell) -> int:
    """Return how often a call does the work of ``cell``."""
    return STEPS if cell.phase == "train" else 1


def name(cell: Cell) -> str:
    """Return a test's name: the backend is its last word, so that a comparison of two tells them apart."""
    times = f"-{STEPS}-steps" if cell.phase == "train" else ""
    return f"{cell.recipe}-{cell.operation}{times}-{BACKEND}".replace(" ", "-")


def timed(cell: Cell) -> str:
    """Return in words what one call does."""
    reviews = f"{cell.batch_size:,} review{'s' * (cell.batch_size > 1)}"
    return f"{STEPS} steps of {reviews}" if cell.phase == "train" else f"{cell.phase} {reviews}"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give the test each cell of the recipes that ``--recipe`` and ``--recipes`` choose."""
    _CHOSEN.update(recipes(metafunc.config))
    found = [cell for recipe in _CHOSEN.values() for cell in cells(recipe)]
    metafunc.parametrize("cell", found, ids=name)


def test_operation(benchmark: BenchmarkFixture, located: Located, cell: Cell) -> None:
    """One call of the operation, the device waited for before the clock stops."""
    from bench.worker import operations

    benchmark.group = f"{cell.recipe}, one call: {timed(cell)}"
    benchmark.extra_info.update(backend=BACKEND, corpus=located.corpus.name, corpus_digest=located.corpus.digest)
    of = _reviews(located, cell.recipe)
    operation = operations.prepare(of, phase=cell.phase, path=cell.path, batch_size=cell.batch_size)
    benchmark(lambda: operation.wait(operation.run(repeats(cell))))


_CHOSEN: dict[str, Recipe] = {}
# The data of the last recipe alone: dense takes a gigabyte.
_KEPT: dict[str, Reviews] = {}


def _reviews(located: Located, recipe: str) -> Reviews:
    from bench.worker import reviews

    if recipe not in _KEPT:
        _KEPT.clear()
        _KEPT[recipe] = reviews.of(_CHOSEN[recipe], located.corpus)
    return _KEPT[recipe]
