"""Weights that move between blocks: other memory, the same values, and training that goes on from them."""

from __future__ import annotations

from typing import Any

import pytest

from bench.backends import BACKENDS
from models.recipes import RECIPES
from tests.bench import fresh

PROGRAM = """
import json

import keras
import numpy as np

from bench.worker import clock, compiled, device, floors
from bench.worker.clock import Operation
from models.model import create
from models.recipes import RECIPES

BATCH, STEPS = 8, 4
MAKERS = {"floor": floors.trainer, "compiled": lambda recipe, model: compiled.trainer(model, patch=False)}


def reviews(recipe):
    generator, encoding = np.random.default_rng(0), recipe.encoding
    y = generator.integers(0, 2, (BATCH, 1)).astype(np.float32)
    if recipe.family == "dense":
        return (generator.random((BATCH, encoding.vocabulary_size)) < 0.02).astype(np.float32), y
    return generator.integers(0, encoding.vocabulary_size, (BATCH, encoding.sequence_length)).astype(np.int32), y


def trained(recipe, make, moving):
    device.seed(3)
    model = create(recipe)
    trainer = make(recipe, model)
    placed = [trainer.place(rows) for rows in (*reviews(recipe), np.tile(np.arange(BATCH, dtype=np.int32), (STEPS, 1)))]
    for step in range(STEPS):
        trainer.run(*placed, step, step + 1)
        if moving:
            trainer.move()
    trainer.wait()
    trainer.write_back()
    return [weights.tolist() for weights in model.get_weights()[-2:]]


def place(model):
    value = max(model.trainable_variables, key=lambda variable: np.prod(variable.shape)).value
    if keras.backend.backend() == "jax":
        return value.unsafe_buffer_pointer()
    return np.asarray(memoryview(value.read_value())).ctypes.data


def places(recipe):
    model = create(recipe)
    before = model.get_weights()
    nothing = Operation(lambda repeats: None, lambda result: None, {}, move=lambda: device.move(model))
    found = [place(model)]
    for _ in range(4):
        clock.block(nothing, repeats=1, each=False)
        found.append(place(model))
    kept = all(np.array_equal(one, other) for one, other in zip(before, model.get_weights(), strict=True))
    return {"moved": [one != other for one, other in zip(found, found[1:])], "kept": kept}


answer = {
    name: {
        **places(recipe),
        **{kind: [trained(recipe, make, moving) for moving in (False, True)] for kind, make in MAKERS.items()},
    }
    for name, recipe in RECIPES.items()
}
print(json.dumps(answer))
"""

pytestmark = pytest.mark.framework


@pytest.fixture(scope="module", params=BACKENDS)
def answers(request: pytest.FixtureRequest) -> Any:
    return fresh.answer(PROGRAM, request.param)


@pytest.mark.parametrize("name", RECIPES)
def test_weights_get_other_memory_and_keep_their_values(answers: Any, name: str) -> None:
    assert answers[name]["moved"] == [True] * 4
    assert answers[name]["kept"]


@pytest.mark.parametrize("kind", ["floor", "compiled"])
@pytest.mark.parametrize("name", RECIPES)
def test_training_goes_on_from_weights_that_moved(answers: Any, name: str, kind: str) -> None:
    """Bit by bit: a state that was left behind, or copied too early, would give other weights."""
    stayed, moved = answers[name][kind]
    assert moved == stayed
