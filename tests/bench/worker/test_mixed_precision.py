"""Recipes in sixteen bits: what computes in which type, and that the compiled programs do what Keras does."""

from __future__ import annotations

from typing import Any

import pytest

from bench.backends import BACKENDS
from tests.bench import fresh

PROGRAM = """
import json

import keras
import numpy as np

from bench.worker import compiled, device
from models.model import create
from models.variations import find

BATCH, STEPS = 16, 3
recipe = find("{recipe} precision={precision}")
drawn, encoding = np.random.default_rng(0), recipe.encoding
if recipe.family == "dense":
    x = (drawn.random((BATCH * STEPS, encoding.vocabulary_size)) < 0.02).astype(np.float32)
else:
    x = drawn.integers(0, encoding.vocabulary_size, (BATCH * STEPS, encoding.sequence_length)).astype(np.int32)
y = drawn.integers(0, 2, (BATCH * STEPS, 1)).astype(np.float32)
order = np.arange(BATCH * STEPS, dtype=np.int32).reshape(STEPS, BATCH)

device.seed(1)
by_keras = create(recipe)
before = keras.config.dtype_policy().name
exact = create(find("{recipe}"))
exact.set_weights(by_keras.get_weights())
scores = [np.asarray(model.predict_on_batch(x)).reshape(-1).tolist() for model in (by_keras, exact)]
by_program = create(recipe)
by_program.set_weights(by_keras.get_weights())
for rows in order:
    by_keras.train_on_batch(x[rows], y[rows])
trainer = compiled.trainer(by_program)
trainer.run(*(trainer.place(array) for array in (x, y, order)), 0, STEPS)
trainer.wait()
trainer.write_back()
moved = max(float(np.abs(a - b).max()) for a, b in zip(by_keras.get_weights(), exact.get_weights()))
weights = zip(by_keras.get_weights(), by_program.get_weights())
apart = max(float(np.abs(a.astype(np.float64) - b).max()) for a, b in weights)
print(json.dumps({{
    "policy": before,
    "types": [layer.compute_dtype for layer in by_keras.layers if layer.weights],
    "scores": scores,
    "compiled": np.asarray(compiled.predictor(by_keras)(x)).reshape(-1).tolist(),
    "keras": np.asarray(by_keras.predict_on_batch(x)).reshape(-1).tolist(),
    "moved": moved,
    "apart": apart,
}}))
"""


@pytest.mark.framework
@pytest.mark.parametrize("recipe", ["dense", "pooling-logits dropout=0"])
@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16", "float16"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_layers_compute_in_sixteen_bits_and_programs_do_what_keras_does(
    backend: str, precision: str, recipe: str
) -> None:
    """The last layer stays in float32, and so does whatever is made afterwards."""
    found: Any = fresh.answer(PROGRAM.format(recipe=recipe, precision=precision), backend)
    short = precision.removeprefix("mixed_")
    assert found["policy"] == "float32"
    assert found["types"] == [short] * (len(found["types"]) - 1) + ["float32"]
    rounded, exact = found["scores"]
    assert rounded == pytest.approx(exact, abs=0.02)
    assert rounded != exact
    assert found["compiled"] == pytest.approx(found["keras"], abs=0.01)
    assert found["moved"] > 0
    assert found["apart"] <= 0.1 * found["moved"] + 1e-3
