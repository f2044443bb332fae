"""The embedding: Keras's layer with one summed gradient for each row of the table.

On TensorFlow, Keras 3.15.1 hands an optimizer the gradient of an Embedding as one slice for each id of the batch,
repeated ids included, and Adam squares the slices before it adds them up: the second moment becomes a sum of squares
where it should be the square of a sum. JAX adds first, and so did the TensorFlow releases that the sources used.
`tests/models/test_embedding.py` shows the difference, and fails once Keras no longer makes it.
"""

from __future__ import annotations

from typing import Any

import keras


def lookup(table: Any, ids: Any) -> Any:
    """Return the rows ``ids``, (batch, time), of ``table``, (words, units); the gradient is dense on every backend."""
    # The product's gradient is dense: TensorFlow sums the slices of each row first.
    return keras.ops.take(keras.ops.multiply(table, 1.0), ids, axis=0)


class Embedding(keras.layers.Embedding):
    """`keras.layers.Embedding`, its gradient summed over repeated ids on every backend.

    ``lookup`` may be patched with a faster one of a backend.
    """

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.lookup = lookup

    def call(self, inputs: Any) -> Any:
        """Look up ``inputs``, ids (batch, time), and return their rows (batch, time, units)."""
        return self.lookup(keras.ops.convert_to_tensor(self.embeddings), keras.ops.cast(inputs, "int32"))
