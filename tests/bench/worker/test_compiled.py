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

    trainer = compiled.trainer(ours)
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

# Every case of own_models, in the same batches by the program, by `train_on_batch` and by `fit`.
OWN_MODELS = """
import json

import keras
import numpy as np

from bench.worker import compiled
from tests.bench.worker.own_models import BATCH, CASES, ROWS, apart, pick, seeded


def measure(case):
    (ours, x, y), (stepped, *_), (fitted, *_) = (seeded(case) for _ in range(3))
    order = np.random.default_rng(1).permutation(ROWS)
    batches = [order[start : start + BATCH] for start in range(0, ROWS, BATCH)]
    trainer = compiled.trainer(ours)
    placed = [trainer.place(rows) for rows in (x, y)]
    for rows in batches:
        trainer.run(*placed, trainer.place(rows[None].astype(np.int32)), 0, 1)
        stepped.train_on_batch(pick(x, rows), pick(y, rows))
    figures = trainer.figures()
    history = fitted.fit(pick(x, order), pick(y, order), batch_size=BATCH, shuffle=False, verbose=0).history
    trainer.write_back()
    found = {"steps": apart(ours, stepped)}
    scores, expected = compiled.predictor(ours)(x), ours.predict_on_batch(x)
    keras.tree.assert_same_structure(scores, expected)
    scores, expected = keras.tree.flatten(scores), keras.tree.flatten(expected)
    found["arrays"] = all(type(one) is np.ndarray for one in scores)
    found["predictions"] = max(float(np.abs(a - b).max()) for a, b in zip(scores, expected, strict=True))
    for rows in batches[:2]:
        for model in (ours, stepped):
            model.train_on_batch(pick(x, rows), pick(y, rows))
    found["patched"] = [name for one in ours._flatten_layers() for name in vars(one) if name == "call"]
    return {
        **found,
        "trained on": apart(ours, stepped),
        "figures": figures,
        "fit": {name: values[0] for name, values in history.items()},
        "batch means": [name for name in history if name in ("price_loss", "kind_loss")],
    }


print(json.dumps({case.__name__: measure(case) for case in CASES}))
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


@pytest.fixture(scope="module", params=BACKENDS)
def own(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What one fresh process of a backend found, by case of own_models."""
    found: dict[str, Any] = fresh.answer(OWN_MODELS, request.param)
    return found


def test_the_program_takes_the_steps_of_a_model_of_any_kind(own: dict[str, Any]) -> None:
    """Several inputs and outputs, any loss, optimizer and step: weights as by `train_on_batch`, then and later."""
    assert len(own) == 8
    for name, found in own.items():
        assert found["steps"] <= WEIGHTS, name
        assert found["trained on"] <= WEIGHTS, name
        assert found["patched"] == [], name


def test_the_figures_of_a_model_of_any_kind_are_those_of_fit(own: dict[str, Any]) -> None:
    """Every metric by its name, over rows; or what the model's own step returned last.

    The losses of single outputs are left out: on TensorFlow, `fit` does not know the size of a batch and weighs a
    smaller last one like the others.
    """
    for name, found in own.items():
        assert found["figures"].keys() == found["fit"].keys(), name
        for metric in found["fit"].keys() - set(found["batch means"]):
            assert found["figures"][metric] == pytest.approx(found["fit"][metric], rel=LOSS), (name, metric)


def test_the_program_predicts_in_the_structure_of_the_outputs(own: dict[str, Any]) -> None:
    """A dictionary of outputs is a dictionary of NumPy arrays."""
    for name, found in own.items():
        assert found["arrays"], name
        assert found["predictions"] <= 1e-6, name
