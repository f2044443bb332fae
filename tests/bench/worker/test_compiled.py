"""The compiled programs do what Keras's own batch calls do: equal figures, weights, predictions, on both backends."""

from __future__ import annotations

from typing import Any

import pytest

from bench.backends import BACKENDS
from models.recipes import RECIPES
from tests.bench import fresh

# The recipes, and one with Keras's own embedding.
NAMES = [*RECIPES, "pooling-logits embedding=keras"]

# What float32's order of summation may do; measured on a CPU: weights up to 2e-7, losses 2e-7, predictions 6e-8.
WEIGHTS = 1e-5
LOSS = 1e-5

# Dropout is off. Four batches of 32 and a smaller one of 20 are trained on, then two more after `write_back`, by
# `train_on_batch` on either side: what was written back includes the optimizer's state.
PROGRAM = """
import json
import sys
from dataclasses import replace

import keras
import numpy as np

from bench.worker import compiled, device
from models import embedding
from models.model import create
from models.recipes import RECIPES
from models.variations import find

WHOLE, LAST, STEPS = 32, 20, 4


def reviews(recipe):
    generator, encoding, rows = np.random.default_rng(0), recipe.encoding, WHOLE * STEPS + LAST
    y = generator.integers(0, 2, (rows, 1)).astype(np.float32)
    if recipe.family == "dense":
        return (generator.random((rows, encoding.vocabulary_size)) < 0.02).astype(np.float32), y
    return generator.integers(0, encoding.vocabulary_size, (rows, encoding.sequence_length)).astype(np.int32), y


def apart(one, other):
    return max(float(np.abs(a - b).max()) for a, b in zip(one.get_weights(), other.get_weights(), strict=True))


def exchanged(model):
    methods = [name for layer in model.layers for name in vars(layer) if name in ("call", "inner_loop")]
    lookups = [layer.lookup for layer in model.layers if isinstance(layer, embedding.Embedding)]
    return methods + [look.__name__ for look in lookups if look is not embedding.lookup]


def stepped(model, x, y, batches):
    logs = [(len(rows), model.train_on_batch(x[rows], y[rows], return_dict=True)) for rows in batches]
    seen = sum(size for size, _ in logs)
    return {name: float(sum(size * log[name] for size, log in logs)) / seen for name in ("loss", "accuracy")}


def measure(recipe):
    device.seed(1)
    still = replace(recipe, dropouts=(0.0,) * len(recipe.dropouts))
    (x, y), ours, theirs = reviews(still), create(still), create(still)
    theirs.set_weights(ours.get_weights())
    rows = np.random.default_rng(1).permutation(len(y)).astype(np.int32)
    whole, last = rows[: WHOLE * STEPS].reshape(STEPS, WHOLE), rows[WHOLE * STEPS :].reshape(1, LAST)

    trainer = compiled.trainer(still, ours)
    placed = [trainer.place(values) for values in (x, y)]
    trainer.run(*placed, trainer.place(whole), 0, 1)
    trainer.run(*placed, trainer.place(whole), 1, STEPS)
    trainer.run(*placed, trainer.place(last), 0, 1)
    trainer.wait()
    figures = {"ours": trainer.figures(), "keras": stepped(theirs, x, y, [*whole, *last])}
    trainer.run(*placed, trainer.place(last), 0, 1)
    again = {"ours": trainer.figures(), "keras": stepped(theirs, x, y, last)}
    trainer.write_back()
    found = {"figures": [figures, again], "trained": apart(ours, theirs)}

    predictor = compiled.predictor(theirs)
    scores = [predictor(x[:size]) for size in (1, WHOLE)]
    expected = [theirs.predict_on_batch(x[:size]) for size in (1, WHOLE)]
    found["predictions"] = max(float(np.abs(a - b).max()) for a, b in zip(scores, expected, strict=True))
    found["shapes"] = [values.shape for values in scores]
    found["exchanged"] = [name for model in (ours, theirs) for name in exchanged(model)]
    for model in (ours, theirs):
        stepped(model, x, y, whole[:2])
    return {**found, "trained on": apart(ours, theirs)}


def seeded(seed):
    seed(7)
    return create(RECIPES["lstm"])


found = {name: measure(find(name)) for name in NAMES}
found["backend"] = keras.backend.backend()
found["imported"] = "tensorflow" in sys.modules
found["seeds"] = [apart(seeded(device.seed), seeded(seed)) for seed in (device.seed, keras.utils.set_random_seed)]
print(json.dumps(found))
"""

pytestmark = pytest.mark.framework


@pytest.fixture(scope="module", params=BACKENDS)
def measured(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What one fresh process of a backend found, by recipe."""
    found: dict[str, Any] = fresh.answer(f"NAMES = {NAMES}\n{PROGRAM}", request.param)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_the_program_leaves_the_weights_that_keras_leaves(measured: dict[str, Any], name: str) -> None:
    """Steps inside the program are `train_on_batch`'s, a smaller last batch included; `write_back` hands them over."""
    assert measured[name]["trained"] <= WEIGHTS


@pytest.mark.parametrize("name", NAMES)
def test_the_running_figures_are_those_of_fit(measured: dict[str, Any], name: str) -> None:
    """Means over reviews, not over batches, with the penalty; each report begins anew."""
    for figures in measured[name]["figures"]:
        assert figures["ours"]["loss"] == pytest.approx(figures["keras"]["loss"], rel=LOSS)
        assert figures["ours"]["accuracy"] == pytest.approx(figures["keras"]["accuracy"], abs=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_keras_goes_on_where_the_program_stopped(measured: dict[str, Any], name: str) -> None:
    """`write_back` includes what the optimizer remembers: later steps by Keras itself are equal as well."""
    assert measured[name]["trained on"] <= WEIGHTS


@pytest.mark.parametrize("name", NAMES)
def test_the_program_predicts_what_keras_predicts(measured: dict[str, Any], name: str) -> None:
    """Raw outputs, (batch, 1), in NumPy, for one review and for many."""
    assert measured[name]["shapes"] == [[1, 1], [32, 1]]
    assert measured[name]["predictions"] <= 1e-6


@pytest.mark.parametrize("name", NAMES)
def test_a_model_is_keras_own_again_once_its_programs_are_traced(measured: dict[str, Any], name: str) -> None:
    """`fit` and `train_on_batch` of a model that was predicted with must be Keras's, or `fit` is not what is timed."""
    assert measured[name]["exchanged"] == []


def test_a_seed_gives_the_weights_that_it_gives_in_keras(measured: dict[str, Any]) -> None:
    """As `keras.utils.set_random_seed`, which readers know: anybody can have a training's first weights."""
    assert measured["seeds"] == [0.0, 0.0]


def test_a_process_of_one_backend_imports_no_other(measured: dict[str, Any]) -> None:
    """Keras's own way to seed imports TensorFlow on JAX: two seconds at each start, and memory that JAX is blamed for.

    Building, training and predicting do not.
    """
    assert measured["imported"] == (measured["backend"] == "tensorflow")
