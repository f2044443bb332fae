"""The floors in plain TensorFlow: forward pass, loss and TensorFlow's fused optimizer operations.

A ratio in a comment is the median of neighbouring runs on a busy 2-core machine, of the whole step unless stated.
Tried and rejected: XLA for dense (1.1), masks drawn by the stateful generator or multiplied by hand (1.0), a scatter
into a variable for the embedding's gradient (1.0 of a segment sum), `SparseSegmentMean` for the average of rows (0.6 to
1.0, slower than XLA).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from bench.worker.tensorflow import device, optimizers, recurrence
from bench.worker.tensorflow.call import Call
from bench.worker.tensorflow.loop import SummingLoop
from bench.worker.tensorflow.masks import dropped
from models.recipes import Recipe

Tensor = Any  # a tf.Tensor: the linter knows no framework
Weights = list[Any]
Drop = Callable[[Tensor], Tensor]


class Trainer(SummingLoop):
    """Hand-written training."""

    def __init__(self, recipe: Recipe, model: keras.Model) -> None:
        self._recipe, self._model = recipe, model
        self._weights = _variables(_transposed(recipe, _values(model)))
        self._update = optimizers.like(model.optimizer, self._weights)
        self._drawn = tf.Variable([0, 0])
        # XLA fuses the many small steps of a recurrence (0.2, see there), but adds a table's gradient up row by row.
        super().__init__(jit_compile=recipe.family == "lstm")

    def write_back(self) -> None:
        weights = _transposed(self._recipe, [variable.read_value() for variable in self._weights])
        for variable, value in zip(self._model.trainable_variables, weights, strict=True):
            variable.assign(value)

    def move(self) -> None:
        device.move(self._weights)

    def _step(self, x: Tensor, y: Tensor) -> None:
        recipe = self._recipe
        weights = [variable.read_value() for variable in self._weights]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(weights)
            logits = _logits(recipe, weights, x, _dropout(recipe.dropouts, self._drawn), training=True)
            loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(y, logits)) + _penalty(recipe, weights)
        self._update(tape.gradient(loss, weights))
        self._add(loss, tf.reduce_sum(tf.cast((logits > 0) == (y > 0.5), tf.float32)), x.shape[0])


class Predictor(Call):
    """Hand-written prediction, with the weights that the model had at construction."""

    def __init__(self, recipe: Recipe, model: keras.Model) -> None:
        self._recipe, values = recipe, _values(model)
        self._weights = {False: _variables(values), True: _variables(_transposed(recipe, values))}
        # XLA averages the rows as it looks them up: pooling 0.8 (one review), 0.45 (32) and 0.64 (512); dense 1.1.
        super().__init__(jit_compile=recipe.family in ("pooling", "lstm"))

    def _predict(self, x: Tensor) -> Tensor:
        # Unlike training, 32 reviews are faster with the kernels as Keras has them: dense 0.74 of the time; 1: 1.15.
        transposed = x.shape[0] == 1
        logits = _logits(self._recipe, self._weights[transposed], x, training=False, transposed=transposed)
        return logits if self._recipe.logits else tf.sigmoid(logits)


def _values(model: keras.Model) -> Weights:
    return [variable.value for variable in model.trainable_variables]


def _variables(values: Weights) -> Weights:
    return [tf.Variable(value) for value in values]


def _transposed(recipe: Recipe, weights: Weights) -> Weights:
    """Transpose the kernels of the Dense layers, to train on: dense 0.8. Twice gives them back."""
    head = len(weights) - 2 * len(recipe.hidden_units) - 2
    return [*weights[:head], *(tf.transpose(value) for value in weights[head:])]


def _penalty(recipe: Recipe, weights: Weights) -> Tensor:
    hidden = weights[-2 - 2 * len(recipe.hidden_units) : -2 : 2]
    return sum(recipe.l2 * tf.reduce_sum(tf.square(kernel)) for kernel in hidden) if recipe.l2 else 0.0


def _logits(
    recipe: Recipe, weights: Weights, x: Tensor, drop: Drop = tf.identity, *, training: bool, transposed: bool = True
) -> Tensor:
    """Return the logits, (batch, 1); ``drop`` is called where the model has a Dropout."""
    values, head = _FEATURES[recipe.family](weights, x, drop, training)
    *hidden, (kernel, bias) = zip(head[::2], head[1::2], strict=True)
    for weight, offset in hidden:
        values = drop(tf.nn.relu(tf.matmul(values, weight, transpose_b=transposed) + offset))
    return tf.matmul(values, kernel, transpose_b=transposed) + bias


def _dense(weights: Weights, x: Tensor, _drop: Drop, _training: bool) -> tuple[Tensor, Weights]:
    return x, weights


def _pooling(weights: Weights, x: Tensor, drop: Drop, training: bool) -> tuple[Tensor, Weights]:
    table, *head = weights
    rows = _trainable_rows(table, x) if training else tf.gather(table, x)
    return drop(tf.reduce_mean(drop(rows), axis=1)), head


def _lstm(weights: Weights, x: Tensor, _drop: Drop, training: bool) -> tuple[Tensor, Weights]:
    table, kernel, recurrent, bias, *head = weights
    last_output = recurrence.trainable_last_output if training else recurrence.last_output
    return last_output(tf.gather(table, tf.transpose(x)), kernel, recurrent, bias), head


_FEATURES = {"dense": _dense, "pooling": _pooling, "lstm": _lstm}


@tf.custom_gradient  # type: ignore[untyped-decorator]
def _trainable_rows(table: Tensor, x: Tensor) -> tuple[Tensor, Callable[[Tensor], tuple[Tensor, None]]]:
    """Look up ``x``, (batch, time); the gradient is summed by a sparse product, 0.4 of the time of a segment sum."""

    def gradient(rows: Tensor) -> tuple[Tensor, None]:
        ids = tf.cast(tf.reshape(x, (-1,)), tf.int64)
        places = tf.stack([tf.range(ids.shape[0], dtype=tf.int64), ids], axis=1)
        chosen = tf.SparseTensor(places, tf.ones((ids.shape[0],)), (ids.shape[0], table.shape[0]))
        return tf.sparse.sparse_dense_matmul(chosen, tf.reshape(rows, (ids.shape[0], -1)), adjoint_a=True), None

    return tf.gather(table, x), gradient


def _dropout(rates: tuple[float, ...], drawn: tf.Variable) -> Drop:
    """Return a function that drops at the next of ``rates`` at each call; ``drawn``, the seed, counts the masks."""
    pending = iter(rates)

    def drop(values: Tensor) -> Tensor:
        rate = next(pending, 0.0)
        return dropped(values, rate, drawn.assign_add([0, 1])) if rate else values

    return drop
