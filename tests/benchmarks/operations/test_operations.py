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
from models.recipes import RECIPES, find
from tests.benchmarks.operations.conftest import BACKEND

if TYPE_CHECKING:
    from bench.worker.reviews import Reviews

pytestmark = pytest.mark.framework

SIZES = {"train": (None,), "predict": (1, 32, 512), "vectorize": (1_000,)}


def cells() -> Iterator[Cell]:
    """Yield the cells of the default profile on this process's backend."""
    target = Target(BACKEND)
    for recipe in RECIPES.values():
        for phase, names in PROFILES["default"].paths.items():
            for size in SIZES[phase]:
                yield from Timing(recipe, phase, names, size or recipe.batch_size, (target,)).cells


def name(cell: Cell) -> str:
    """Return a test's name: the backend is its last word, so that a comparison of two tells them apart."""
    return f"{cell.recipe}-{cell.operation}-{BACKEND}".replace(" ", "-")


@pytest.mark.parametrize("cell", [*cells()], ids=lambda cell: name(cell))
def test_operation(benchmark: BenchmarkFixture, located: Located, cell: Cell) -> None:
    """One repeat of the operation, the device waited for before the clock stops."""
    from bench.worker import operations

    benchmark.group = f"{cell.recipe} {cell.phase} {cell.batch_size}"
    benchmark.extra_info.update(backend=BACKEND, corpus=located.corpus.name, corpus_digest=located.corpus.digest)
    of = _reviews(located, cell.recipe)
    operation = operations.prepare(of, phase=cell.phase, path=cell.path, batch_size=cell.batch_size)
    benchmark(lambda: operation.wait(operation.run(1)))


# The encoded reviews of the last recipe alone: dense takes a gigabyte.
_KEPT: dict[str, Reviews] = {}


def _reviews(located: Located, recipe: str) -> Reviews:
    from bench.worker.reviews import Reviews

    if recipe not in _KEPT:
        _KEPT.clear()
        _KEPT[recipe] = Reviews(located.corpus, find(recipe))
    return _KEPT[recipe]
