"""The embedding: its gradient is summed over repeated ids, which Keras's own layer does not do on TensorFlow."""

from __future__ import annotations

from functools import cache

import pytest

from tests.bench import fresh

# One step of Adam from a table of ones, for a review that holds the word 1 twice and the word 2 once. The loss is the
# sum of the looked-up values times (1, 2, 3), so the row of word 1 has the gradient 1 + 2 = 3, that of word 2 has 3.
# The second moment is 0.001 times its square: 9 · 0.001 for both. Slices that are squared first give 1 + 4 = 5.
PROGRAM = """
import json
import keras, numpy as np
from models.embedding import Embedding

def second_moment(layer):
    weights = keras.ops.convert_to_tensor([[[1.0], [2.0], [3.0]]])
    weigh = keras.layers.Lambda(lambda rows: keras.ops.sum(rows * weights, axis=(1, 2)))
    model = keras.Sequential([keras.Input((3,), dtype="int32"), layer, weigh])
    model.compile(optimizer=keras.optimizers.Adam(), loss=lambda _, scores: keras.ops.sum(scores))
    model.train_on_batch(np.array([[1, 1, 2]], np.int32), np.zeros((1,), np.float32))
    return np.asarray(model.optimizer._velocities[0])[:, 0].tolist()

print(json.dumps(second_moment(Embedding(4, 1)) + second_moment(keras.layers.Embedding(4, 1))))
"""


@cache
def second_moments(backend: str) -> tuple[list[float], list[float]]:
    """Return the second moments of the four rows under our layer and under Keras's."""
    values = fresh.answer(PROGRAM, backend)
    return values[:4], values[4:]


@pytest.mark.framework
@pytest.mark.parametrize("backend", ["jax", "tensorflow"])
def test_repeated_ids_are_summed_before_the_optimizer_squares_them(backend: str) -> None:
    """The recipes' own embedding gives Adam the same second moment on every backend: the one worked by hand."""
    ours, _ = second_moments(backend)
    assert ours == pytest.approx([0.0, 0.009, 0.009, 0.0], rel=1e-5)


@pytest.mark.framework
def test_the_stock_embedding_still_squares_first_on_tensorflow() -> None:
    """The reason for our own layer: when this fails, Keras has mended it and `models/embedding.py` can go."""
    _, stock = second_moments("tensorflow")
    assert stock == pytest.approx([0.0, 0.005, 0.009, 0.0], rel=1e-5)
