"""The compiled programs of a Keras model in TensorFlow: `tf.while_loop` around its layers; it times nothing."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from bench.worker.compiled.layers_tensorflow import exchanged
from bench.worker.compiled.loop_tensorflow import Loop
from bench.worker.compiled.update import apply

Rows = npt.NDArray[Any]


class Trainer(Loop):
    """Trains a Keras model."""

    def __init__(self, model: keras.Model, *, threshold: float) -> None:
        self._model, self._threshold = model, threshold
        model.optimizer.build(model.trainable_variables)
        super().__init__(jit_compile=_xla_pays(model))

    def write_back(self) -> None:
        """Nothing is to be done: a graph updates the model's own variables."""

    def _step(self, x: tf.Tensor, y: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        model = self._model
        with tf.GradientTape() as tape, exchanged(model):
            scores = model(x, training=True)
            loss = model.loss(y, scores) + sum(model.losses)
        weights = model.trainable_weights
        apply(model.optimizer, tape.gradient(loss, weights), weights)
        return loss, tf.reduce_sum(tf.cast((scores > self._threshold) == (y > 0.5), tf.float32))


class Predictor:
    """Predicts by one graph for each number of rows, which reads the model's variables at each call."""

    def __init__(self, model: keras.Model) -> None:
        self._model = model
        self.resolved: dict[str, Any] = {"jit_compile": _xla_pays(model)}
        self._run = tf.function(self._predict, jit_compile=self.resolved["jit_compile"], autograph=False)
        # The graphs themselves: `tf.function` looks for the right one at each call, a quarter of a small prediction.
        self._graphs: dict[tuple[int, ...], Any] = {}

    def __call__(self, rows: Rows) -> npt.NDArray[np.float32]:
        if rows.shape not in self._graphs:
            self._graphs[rows.shape] = self._run.get_concrete_function(tf.TensorSpec(rows.shape, rows.dtype))
        return self._graphs[rows.shape](tf.constant(rows)).numpy()  # type: ignore[no-any-return]

    def _predict(self, x: tf.Tensor) -> tf.Tensor:
        with exchanged(self._model):
            return self._model(x, training=False)

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
