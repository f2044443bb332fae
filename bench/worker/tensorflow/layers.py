"""Patches of Keras's layers for TensorFlow: gradients that are faster on a CPU, and dropout with fewer bits.

Medians of paired ratios of a training step to the floor's, before and after, on a busy two-core machine: lstm 1.63 and
1.05, pooling-dropout 1.26 and 1.05, dense 1.15 and 1.04.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import keras
import tensorflow as tf

from bench.worker.layer_patches import dense_patch, lstm_patch, patching, plain_dense, plain_dropout, plain_lstm
from bench.worker.tensorflow.masks import dropped
from bench.worker.tensorflow.recurrence import last_output, trainable_last_output
from models.embedding import Embedding

Tensor = Any  # a tf.Tensor: the linter knows no framework


def patched(model: keras.Model) -> AbstractContextManager[None]:
    """Patch the layers of ``model`` inside the block, where the device is a CPU."""
    if tf.config.list_logical_devices("GPU"):
        return nullcontext()
    recurrences = [lstm_patch(layer, _recurrence) for layer in model.layers if plain_lstm(layer)]
    if recurrences:
        return patching(recurrences)  # compiled by XLA, which has no sparse product
    products = [dense_patch(layer, _dense) for layer in model.layers if plain_dense(layer)]
    lookups = [(layer, "lookup", lookup) for layer in model.layers if isinstance(layer, Embedding)]
    drops = [(layer, "call", partial(_dropout, layer)) for layer in model.layers if plain_dropout(layer)]
    return patching([*products, *lookups, *drops])


def _recurrence(layer: Any, sequences: Tensor, training: bool) -> Tensor:
    cell = layer.cell
    weights = [tf.convert_to_tensor(each.value) for each in (cell.kernel, cell.recurrent_kernel, cell.bias)]
    run = trainable_last_output if training else last_output
    return run(tf.transpose(sequences, (1, 0, 2)), *weights)


def _dense(layer: Any, inputs: Tensor) -> Tensor:
    return layer.activation(product(inputs, tf.convert_to_tensor(layer.kernel.value)) + layer.bias.value)


def _dropout(layer: Any, inputs: Tensor, training: bool = False) -> Tensor:
    if not training:
        return inputs
    seed = tf.cast(tf.math.floormod(layer.seed_generator.next(), tf.int32.max), tf.int32)
    return dropped(inputs, layer.rate, seed)


@tf.custom_gradient  # type: ignore[untyped-decorator]
def product(x: Tensor, kernel: Tensor) -> tuple[Tensor, Callable[[Tensor], tuple[Tensor, Tensor]]]:
    """Return ``x @ kernel``; the kernel's gradient is computed transposed, which reads a wide ``x`` in memory order."""

    def gradient(outer: Tensor) -> tuple[Tensor, Tensor]:
        transposed = tf.matmul(outer, x, transpose_a=True)
        return tf.matmul(outer, kernel, transpose_b=True), tf.transpose(transposed)

    return x @ kernel, gradient


@tf.custom_gradient  # type: ignore[untyped-decorator]
def lookup(table: Tensor, ids: Tensor) -> tuple[Tensor, Callable[[Tensor], tuple[Tensor, None]]]:
    """Return the rows ``ids``, (batch, time), of ``table``, (words, units), as (batch, time, units).

    The gradient is dense, summed over repeated ids by a sparse product: 0.4 of the time of a segment sum.
    """

    def gradient(rows: Tensor) -> tuple[Tensor, None]:
        flat = tf.cast(tf.reshape(ids, (-1,)), tf.int64)
        count = tf.size(flat, out_type=tf.int64)
        places = tf.stack([tf.range(count), flat], axis=1)
        chosen = tf.SparseTensor(places, tf.ones(tf.reshape(count, (1,))), tf.stack([count, table.shape[0]]))
        return tf.sparse.sparse_dense_matmul(chosen, tf.reshape(rows, (-1, table.shape[1])), adjoint_a=True), None

    return tf.gather(table, ids), gradient
