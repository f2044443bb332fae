"""A model with convolutions in JAX on a CPU: its steps as calls of one program against a loop inside a program."""

from __future__ import annotations

import statistics

import pytest

from tests.bench import fresh

pytestmark = pytest.mark.framework

PROGRAM = """
import json
import time
from pathlib import Path

import numpy as np

from bench.worker.jax import compiled
from models import user_recipes
from models.model import create
from models.own_data import load

STEPS, TURNS = 40, 9
(recipe,) = user_recipes.load(Path("examples/own/digits.py").resolve())
x, y = load(user_recipes.function(recipe, "data"), recipe, "train", 0)
order = np.arange(STEPS * recipe.batch_size, dtype=np.int32).reshape(STEPS, -1)


def made(by_calls):
    compiled._convolves = lambda model: by_calls
    trainer = compiled.Trainer(create(recipe), patch=True)
    placed = [trainer.place(rows) for rows in (x, y, order)]

    def seconds():
        started = time.perf_counter()
        trainer.run(*placed, 0, STEPS)
        trainer.wait()
        return time.perf_counter() - started

    seconds()  # compiles
    return seconds


calls, loop = made(True), made(False)
print(json.dumps([(calls(), loop()) for _ in range(TURNS)]))
"""


def test_calls_of_one_step_are_faster_than_a_loop_of_xla() -> None:
    """Where this fails, XLA's loop has caught up, and `bench.worker.jax.compiled` needs no other way."""
    ratios = sorted(loop / calls for calls, loop in fresh.answer(PROGRAM, "jax"))
    print(f"\na loop takes {statistics.median(ratios):.2f} times as long ({ratios[0]:.2f} to {ratios[-1]:.2f})")
    assert statistics.median(ratios) > 1.2
