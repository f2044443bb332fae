"""The best path keeps close to the floor: the compiled programs of Keras models beside the same work by hand."""

from __future__ import annotations

import pytest

from bench.analysis import paired_ratio
from bench.backends import BACKENDS
from bench.plan.paths import FLOOR
from bench.plan.steps import PREDICT_SIZES
from models.recipes import RECIPES
from tests.benchmarks.conftest import Measure, Twins, cell, ready

pytestmark = pytest.mark.framework

# How many times the floor's seconds the best path may take on a CPU.
LIMITS = {"dense": 1.15, "pooling": 1.15, "lstm": 1.25}
ROUNDS = 24


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", RECIPES)
def test_the_compiled_loop_keeps_close_to_the_floor(twins: Twins, measure: Measure, backend: str, name: str) -> None:
    """A step of the compiled loop, in turns with the floor's: within the limit, or its interval reaches it."""
    size, worker = RECIPES[name].batch_size, twins[backend, 0]
    runners = [ready(cell(backend, "train", path, size, name), worker) for path in ("compiled loop", FLOOR)]
    loop, floor = measure(runners, rounds=ROUNDS)
    ratio = paired_ratio.ratio([loop], [floor])
    assert ratio is not None
    print(f"{backend} {name} train: {ratio.value:.3f} ({ratio.low:.3f} to {ratio.high:.3f}) times the floor")
    assert ratio.low <= LIMITS[RECIPES[name].family]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("size", PREDICT_SIZES)
def test_the_compiled_predictor_keeps_close_to_the_floor(
    twins: Twins, measure: Measure, backend: str, name: str, size: int
) -> None:
    """The median call of the compiled predictor, in turns with the floor's, in the same way."""
    worker = twins[backend, 0]
    runners = [ready(cell(backend, "predict", path, size, name), worker) for path in ("compiled", FLOOR)]
    compiled, floor = measure(runners, rounds=ROUNDS, calls=20 * ROUNDS)
    ratio = paired_ratio.ratio([compiled], [floor])
    assert ratio is not None
    print(f"{backend} {name} predict {size}: {ratio.value:.3f} ({ratio.low:.3f} to {ratio.high:.3f}) times the floor")
    assert ratio.low <= LIMITS[RECIPES[name].family]
