"""The floors do the recipes' work: equal predictions, losses and weights from equal weights, on both backends."""

from __future__ import annotations

from typing import Any

import pytest

from bench.backends import BACKENDS
from models.recipes import RECIPES
from tests.bench import fresh

DROPPING = [(name, layer) for name, recipe in RECIPES.items() for layer in range(len(recipe.dropouts))]

# What float32's order of summation may do; measured on a CPU: weights up to 2e-7, losses 2e-7, predictions 6e-8.
WEIGHTS = 1e-5
LOSS = 1e-5

# Dropout is off where floats are compared. Where it is on, the learning rate is 0 and the weights are large, so that
# every step of one batch has the same distribution of losses, wide enough to tell a wrong rate, scale or place.
PROGRAM = """
import json
from dataclasses import replace

import keras
import numpy as np

from bench.worker import compiled, device, floors
from models.model import create
from models.recipes import RECIPES

BATCH, STEPS, DRAWS = 32, 5, 200
MAKERS = {"floor": floors.trainer, "compiled": lambda recipe, model: compiled.trainer(model)}


def reviews(recipe, rows):
    generator, encoding = np.random.default_rng(0), recipe.encoding
    y = generator.integers(0, 2, (rows, 1)).astype(np.float32)
    if recipe.family == "dense":
        return (generator.random((rows, encoding.vocabulary_size)) < 0.02).astype(np.float32), y
    return generator.integers(0, encoding.vocabulary_size, (rows, encoding.sequence_length)).astype(np.int32), y


def start(recipe, weights):
    model = create(recipe)
    model.set_weights(weights)
    return model


def apart(one, other):
    return max(float(np.abs(a - b).max()) for a, b in zip(one.get_weights(), other.get_weights(), strict=True))


def dropped(make, recipe, weights):
    model = start(recipe, weights)
    model.optimizer.learning_rate = 0.0
    trainer, (x, y) = make(recipe, model), reviews(recipe, BATCH)
    order = np.tile(np.arange(BATCH, dtype=np.int32), (DRAWS, 1))
    placed, losses = [trainer.place(rows) for rows in (x, y, order)], []
    for step in range(DRAWS):
        trainer.run(*placed, step, step + 1)
        losses.append(trainer.figures()["loss"])
    return losses


def programs(trainer):
    run = trainer._run
    return run._cache_size() if hasattr(run, "_cache_size") else len(run)


def drops(recipe, weights):
    found = []
    for layer in range(len(recipe.dropouts)):
        rates = [0.0] * len(recipe.dropouts)
        rates[layer] = recipe.dropouts[layer]
        alone = replace(recipe, dropouts=tuple(rates))
        large = [12 * values for values in weights]
        makers = {**MAKERS, "keras": lambda recipe, model: compiled.trainer(model, patch=False)}
        found.append({name: dropped(make, alone, large) for name, make in makers.items()})
    return found


def measure(recipe):
    device.seed(1)
    still = replace(recipe, dropouts=(0.0,) * len(recipe.dropouts))
    weights, (x, y) = create(still).get_weights(), reviews(still, BATCH * STEPS)
    order = np.random.default_rng(1).permutation(BATCH * STEPS).astype(np.int32).reshape(STEPS, BATCH)
    models = {name: start(still, weights) for name in ("floor", "compiled", "keras")}
    trainers = {name: make(still, models[name]) for name, make in MAKERS.items()}
    predictions = np.asarray(floors.predictor(still, models["floor"])(x[:BATCH]))
    found = {
        "predictions": float(np.abs(predictions - models["keras"].predict_on_batch(x[:BATCH])).max()),
        "shape": predictions.shape,
        "steps": [],
    }
    for first, last in ((0, 1), (1, STEPS)):
        logs = [models["keras"].train_on_batch(x[o], y[o], return_dict=True) for o in order[first:last]]
        figures = {"keras": {name: float(np.mean([log[name] for log in logs])) for name in ("loss", "accuracy")}}
        for name, trainer in trainers.items():
            trainer.run(*[trainer.place(rows) for rows in (x, y, order)], first, last)
            figures[name] = trainer.figures()
            trainer.write_back()
        apart_by = {name: apart(models["floor"], models[name]) for name in ("compiled", "keras")}
        moved = max(float(np.abs(a - b).max()) for a, b in zip(models["floor"].get_weights(), weights, strict=True))
        found["steps"].append({"figures": figures, "apart": apart_by, "moved": moved})
    return {**found, "programs": programs(trainers["floor"]), "dropouts": drops(recipe, weights)}


print(json.dumps({name: measure(recipe) for name, recipe in RECIPES.items()}))
"""


@pytest.fixture(scope="module", params=BACKENDS)
def measured(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What one fresh process of a backend found, by recipe."""
    found: dict[str, Any] = fresh.answer(PROGRAM, request.param)
    return found


pytestmark = pytest.mark.framework


@pytest.mark.parametrize("name", RECIPES)
def test_a_floor_predicts_what_keras_predicts(measured: dict[str, Any], name: str) -> None:
    """The forward pass is the model's: raw outputs, (batch, 1), in NumPy."""
    assert measured[name]["shape"] == [32, 1]
    assert measured[name]["predictions"] <= 1e-6


@pytest.mark.parametrize("peer", ["keras", "compiled"])
@pytest.mark.parametrize("name", RECIPES)
def test_a_floor_leaves_the_weights_that_keras_leaves(measured: dict[str, Any], name: str, peer: str) -> None:
    """Gradients and optimizer are the model's, after one step and after five, by `train_on_batch` and by our loop."""
    for step in measured[name]["steps"]:
        assert step["moved"] > 100 * WEIGHTS / 2
        assert step["apart"][peer] <= WEIGHTS


@pytest.mark.parametrize("peer", ["keras", "compiled"])
@pytest.mark.parametrize("name", RECIPES)
def test_a_floor_counts_the_loss_that_keras_counts(measured: dict[str, Any], name: str, peer: str) -> None:
    """Running figures are `fit`'s: the penalty is in the loss, and each report begins anew."""
    for step in measured[name]["steps"]:
        figures = step["figures"]
        assert figures["floor"]["loss"] == pytest.approx(figures[peer]["loss"], rel=LOSS)
        assert figures["floor"]["accuracy"] == pytest.approx(figures[peer]["accuracy"], abs=1e-6)


@pytest.mark.parametrize("side", ["floor", "compiled"])
@pytest.mark.parametrize(("name", "layer"), DROPPING)
def test_what_draws_fewer_bits_drops_as_keras_drops(measured: dict[str, Any], name: str, layer: int, side: str) -> None:
    """Same rate, same scale, same place: the losses of 200 draws of one layer agree within five standard errors."""
    losses = {one: measured[name]["dropouts"][layer][one] for one in (side, "keras")}
    means, spreads = {}, {}
    for one, values in losses.items():
        means[one] = sum(values) / len(values)
        spreads[one] = (sum((value - means[one]) ** 2 for value in values) / (len(values) - 1)) ** 0.5
    assert spreads["keras"] > 0
    error = (sum(spread**2 for spread in spreads.values()) / len(losses["keras"])) ** 0.5
    assert abs(means[side] - means["keras"]) < 5 * error
    assert spreads[side] == pytest.approx(spreads["keras"], rel=0.35)


@pytest.mark.parametrize("side", ["floor", "compiled"])
@pytest.mark.parametrize(("name", "layer"), DROPPING)
def test_a_new_mask_is_drawn_each_step(measured: dict[str, Any], name: str, layer: int, side: str) -> None:
    """One batch, weights that stand still: only the mask changes, so hardly two losses are the same."""
    losses = measured[name]["dropouts"][layer][side]
    assert len(set(losses)) > 0.9 * len(losses)


@pytest.mark.parametrize("name", RECIPES)
def test_one_program_serves_every_number_of_steps(measured: dict[str, Any], name: str) -> None:
    """One step and then four of them: what was compiled first is used again."""
    assert measured[name]["programs"] == 1
