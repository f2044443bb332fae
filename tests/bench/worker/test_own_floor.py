"""A user's own floor: it must do the work of their model before it is timed, and drives like the suite's floors."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bench.backends import BACKENDS
from bench.plan import paths, steps
from bench.plan.targets import Target
from models.recipes import Recipe
from tests.bench import fresh

MINE = replace(Recipe.own("mine"), file="mine.py", floor=True)

PROGRAM = """
import json
import tempfile
from pathlib import Path

import numpy as np

from bench.worker import device, floors, reviews
from bench.worker.programs import Unsupported
from datasets.corpus import OWN
from datasets.errors import ExpectedError
from models import user_recipes
from models.model import create

FILE = '''
import keras
import numpy as np
from kerasmark import Recipe

RECIPE = Recipe.own("{name}", batch_size=8)


def data(split, seed):
    rows = np.random.default_rng(seed).normal(size=(64, 4))
    return rows, rows.sum(axis=1, keepdims=True)


def build(recipe):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dropout({rate}), keras.layers.Dense(1)])
    model.compile(optimizer="adam", loss="mse")
    return model


def floor(recipe):
    def predict(weights, x):
        return x @ weights[0] + weights[1] * {bias}

    def loss(weights, x, y):
        return {factor} * keras.ops.mean((predict(weights, x) - y) ** 2)

    return {returned}
'''


def tried(name, *, rate=0, bias=1, factor=1, returned="(predict, loss)"):
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{name}.py"
        file.write_text(FILE.format(name=name, rate=rate, bias=bias, factor=factor, returned=returned))
        (recipe,) = user_recipes.load(file)
        data = reviews.of(recipe, OWN)
        device.seed(0)
        try:
            floors.require_same_work(data)
        except (ExpectedError, Unsupported) as error:
            return f"{type(error).__name__}: {error}"
        model, hand = create(recipe), create(recipe)
        hand.set_weights(model.get_weights())
        trainer = floors.trainer(recipe, hand)
        rows = data.timed("train")
        order = trainer.place(np.arange(16, dtype=np.int32).reshape(2, 8))
        trainer.run(trainer.place(rows.x), trainer.place(rows.y), order, 0, 2)
        trainer.write_back()
        for start in (0, 8):
            batch = rows.rows(start, start + 8)
            model.train_on_batch(batch.x, batch.y)
        return max(float(np.abs(a - b).max()) for a, b in zip(model.get_weights(), hand.get_weights()))


print(json.dumps({
    "equal": tried("equal"),
    "predictions": tried("predictions", bias=2),
    "loss": tried("loss", factor=2),
    "random": tried("random", rate=0.5),
    "nothing": tried("nothing", returned="None"),
    "other": tried("other", returned="3"),
}))
"""


@pytest.fixture(scope="module", params=BACKENDS)
def found(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What came of several floors on a backend."""
    return fresh.answer(PROGRAM, request.param)  # type: ignore[no-any-return]


@pytest.mark.framework
def test_a_floor_takes_the_steps_of_its_model(found: dict[str, Any]) -> None:
    """From equal weights, by the same program that drives Keras's models."""
    assert found["equal"] < 1e-5


@pytest.mark.framework
@pytest.mark.parametrize(
    ("which", "words"),
    [
        (
            "predictions",
            "ExpectedError: predictions: expected its floor to do the work of its model; their predictions",
        ),
        ("loss", "ExpectedError: loss: expected its floor to do the work of its model; their loss of a step differ by"),
        ("random", "Unsupported: a floor of a model that draws random numbers"),
        ("nothing", "Unsupported: its file has no floor on"),
        ("other", "ExpectedError: other: expected floor(recipe) to return (predict, loss) on"),
    ],
)
def test_a_floor_that_does_other_work_is_refused_in_one_line(found: dict[str, Any], which: str, words: str) -> None:
    """A share of the speed of other work would be worth nothing."""
    assert found[which].startswith(words)


def test_a_recipe_with_a_floor_is_compared_with_it() -> None:
    """Its training and prediction have the path; text that it does not read has none."""
    mine = {step.phase: step.paths for step in steps.timings([MINE], [Target("jax")], steps.PROFILES["default"], 0)}  # type: ignore[union-attr]
    assert set(mine) == {"train", "predict"}
    assert all(paths.FLOOR in names for names in mine.values())
    assert not paths.has_floor(replace(MINE, floor=False))
