"""The counts by hand beside XLA's own, of programs without a loop, whose body XLA would count once."""

from __future__ import annotations

from typing import Any

import pytest

from bench.plan import flops, traffic
from models.recipes import RECIPES, Recipe
from tests.bench import fresh

LOOPLESS = [name for name, recipe in RECIPES.items() if not recipe.lstm_units]
BATCHES = (1, 32, 512)
# Measured: operations .92 to 1.21 of those by hand (XLA counts activations and the loss too); bytes 1.00 to 1.94,
# since XLA's fusions write what a lower bound leaves out.
FLOPS_FACTOR, BYTES_FACTOR = 1.25, 2.0

# Dropout is off: XLA counts each integer operation of the generator.
PROGRAM = f"""
import json
from dataclasses import replace

import jax
import numpy as np

from bench.worker.jax import call, floor, optimizers
from models.model import create
from models.recipes import RECIPES


def counts(recipe):
    recipe = replace(recipe, dropouts=(0.0,) * len(recipe.dropouts))
    encoding, model = recipe.encoding, create(recipe)
    predictor, trainer = floor.Predictor(recipe, model), floor.Trainer(recipe, model)
    step = jax.jit(floor._step(recipe, optimizers.like(model.optimizer)), donate_argnums=0)
    found = {{}}
    for size in {BATCHES}:
        hot = encoding.form == "multi_hot"
        x = np.zeros((size, encoding.vocabulary_size if hot else encoding.sequence_length), "f" if hot else "i")
        trained = call.analyse(step, trainer._state, x, np.zeros((size, 1), "f"))
        found[size] = {{"predict": predictor.program(x), "train": trained}}
    return found


print(json.dumps({{name: counts(RECIPES[name]) for name in {LOOPLESS}}}))
"""


@pytest.fixture(scope="module")
def counted() -> Any:
    """XLA's counts of the floors, by recipe, batch size and phase."""
    return fresh.answer(PROGRAM, "jax")


@pytest.mark.framework
@pytest.mark.parametrize("batch_size", BATCHES)
@pytest.mark.parametrize("name", LOOPLESS)
def test_xla_counts_as_many_operations(counted: Any, name: str, batch_size: int) -> None:
    """A product or an update that was forgotten, or counted twice, is further off than what is left out."""
    found, recipe = counted[name][str(batch_size)], RECIPES[name]
    by_hand = {"predict": flops.prediction_flops(recipe, batch_size), "train": flops.step_flops(recipe, batch_size)}
    for phase, operations in by_hand.items():
        assert 1 / FLOPS_FACTOR < found[phase]["program_flops"] / operations < FLOPS_FACTOR


@pytest.mark.framework
@pytest.mark.parametrize("batch_size", BATCHES)
@pytest.mark.parametrize("name", LOOPLESS)
def test_xla_moves_no_fewer_bytes_and_not_many_more(counted: Any, name: str, batch_size: int) -> None:
    """The bytes by hand are a lower bound, and one that programs come near to."""
    found, recipe = counted[name][str(batch_size)], RECIPES[name]
    moved = {
        "predict": traffic.prediction(recipe, batch_size).moved_bytes + _table_bytes(recipe),
        "train": traffic.step(recipe, batch_size).moved_bytes,
    }
    for phase, size in moved.items():
        assert 0.99 < found[phase]["program_bytes"] / size < BYTES_FACTOR


def _table_bytes(recipe: Recipe) -> int:
    """Return the bytes of an embedding's table: XLA counts all of it as read, however few rows are looked up."""
    return 4 * recipe.embedding_units * recipe.encoding.vocabulary_size
