"""The compiled programs of a Keras model in TensorFlow: `tf.while_loop` around its layers; it times nothing."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from bench.worker.compiled.layers_tensorflow import exchange
from bench.worker.compiled.update import apply

Rows = npt.NDArray[Any]


class Trainer:
    """Trains a model by one graph; the number of steps is its argument, so one trace serves every length."""

    def __init__(self, model: keras.Model, *, threshold: float) -> None:
        self._model, self._threshold = model, threshold
        model.optimizer.build(model.trainable_variables)
        self._loss, self._correct, self._seen = (tf.Variable(0.0, trainable=False) for _ in range(3))
        self.resolved: dict[str, Any] = {"jit_compile": _xla_pays(model)}
        exchange(model)
        self._run = tf.function(self._loop, jit_compile=self.resolved["jit_compile"], autograph=False)

    def place(self, rows: Rows) -> tf.Tensor:
        return tf.constant(rows)

    def run(self, x: tf.Tensor, y: tf.Tensor, order: tf.Tensor, start: int, stop: int) -> None:
        self._run(x, y, order, tf.constant(start), tf.constant(stop))

    def figures(self) -> dict[str, float]:
        seen = float(self._seen)
        found = {"loss": float(self._loss) / seen, "accuracy": float(self._correct) / seen}
        for total in (self._loss, self._correct, self._seen):
            total.assign(0.0)
        return found

    def write_back(self) -> None:
        """Nothing is to be done: a graph updates the model's own variables."""

    def wait(self) -> None:
        float(self._seen)

    def program(self, x: tf.Tensor, y: tf.Tensor, order: tf.Tensor) -> dict[str, float]:
        """TensorFlow says nothing of a graph's cost; its operations are counted elsewhere."""
        del x, y, order
        return {}

    def _loop(self, x: tf.Tensor, y: tf.Tensor, order: tf.Tensor, start: tf.Tensor, stop: tf.Tensor) -> None:
        def body(i: tf.Tensor) -> tuple[tf.Tensor]:
            self._step(tf.gather(x, order[i]), tf.gather(y, order[i]))
            return (i + 1,)

        tf.while_loop(lambda i: i < stop, body, (start,), parallel_iterations=1)

    def _step(self, x: tf.Tensor, y: tf.Tensor) -> None:
        model, size = self._model, float(x.shape[0])
        with tf.GradientTape() as tape:
            scores = model(x, training=True)
            loss = model.loss(y, scores) + sum(model.losses)
        weights = model.trainable_weights
        apply(model.optimizer, tape.gradient(loss, weights), weights)
        correct = tf.reduce_sum(tf.cast((scores > self._threshold) == (y > 0.5), tf.float32))
        for total, value in ((self._loss, loss * size), (self._correct, correct), (self._seen, size)):
            total.assign_add(value)


class Predictor:
    """Predicts by one graph for each number of rows, which reads the model's variables at each call."""

    def __init__(self, model: keras.Model) -> None:
        exchange(model)
        self.resolved: dict[str, Any] = {"jit_compile": _xla_pays(model)}
        self._run = tf.function(
            lambda x: model(x, training=False), jit_compile=self.resolved["jit_compile"], autograph=False
        )
        # The graphs themselves: `tf.function` looks for the right one at each call, a quarter of a small prediction.
        self._graphs: dict[tuple[int, ...], Any] = {}

    def __call__(self, rows: Rows) -> npt.NDArray[np.float32]:
        if rows.shape not in self._graphs:
            self._graphs[rows.shape] = self._run.get_concrete_function(tf.TensorSpec(rows.shape, rows.dtype))
        return self._graphs[rows.shape](tf.constant(rows)).numpy()  # type: ignore[no-any-return]

    def program(self, rows: Rows) -> dict[str, float]:
        del rows
        return {}


def _xla_pays(model: keras.Model) -> bool:
    """Return whether XLA makes the model faster on this device.

    On a CPU it fuses a recurrent layer's many small steps (an lstm step: 30 ms against 41 in one interleaved run);
    the scatter of a large embedding's gradient it runs element by element (a pooling-dropout step: 840 ms against
    25). On a GPU it would keep the LSTM from cuDNN.
    """
    recurrent = any(isinstance(layer, keras.layers.RNN) for layer in model.layers)
    return recurrent and not tf.config.list_logical_devices("GPU")
