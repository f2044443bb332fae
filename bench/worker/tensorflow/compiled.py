"""The compiled programs of a Keras model in TensorFlow: `tf.while_loop` around its layers."""

from __future__ import annotations

from contextlib import nullcontext

import keras
import tensorflow as tf

from bench.worker.tensorflow.call import Call
from bench.worker.tensorflow.layers import patched
from bench.worker.tensorflow.loop import Loop
from bench.worker.tensorflow.optimizers import apply


class Trainer(Loop):
    """Trains a Keras model."""

    def __init__(self, model: keras.Model, *, threshold: float, patch: bool) -> None:
        self._model, self._threshold, self._patch = model, threshold, patch
        model.optimizer.build(model.trainable_variables)
        super().__init__(jit_compile=_xla_pays(model))

    def write_back(self) -> None:
        """Do nothing: a graph updates the model's own variables."""

    def _step(self, x: tf.Tensor, y: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        model = self._model
        with tf.GradientTape() as tape, patched(model) if self._patch else nullcontext():
            scores = model(x, training=True)
            loss = model.loss(y, scores) + sum(model.losses)
        weights = model.trainable_weights
        apply(model.optimizer, tape.gradient(loss, weights), weights)
        return loss, tf.reduce_sum(tf.cast((scores > self._threshold) == (y > 0.5), tf.float32))


class Predictor(Call):
    """Predicts with a Keras model, whose variables the graphs read at each call."""

    def __init__(self, model: keras.Model, *, patch: bool) -> None:
        self._model, self._patch = model, patch
        super().__init__(jit_compile=_xla_pays(model))

    def _predict(self, x: tf.Tensor) -> tf.Tensor:
        with patched(self._model) if self._patch else nullcontext():
            return self._model(x, training=False)


def _xla_pays(model: keras.Model) -> bool:
    """Return whether XLA makes the model faster on this device.

    On a CPU it fuses a recurrent layer's many small steps (an lstm step: 30 ms against 41 in one interleaved run);
    the scatter of a large embedding's gradient it runs element by element (a pooling-dropout step: 840 ms against
    25). On a GPU it would keep the LSTM from cuDNN.
    """
    recurrent = any(isinstance(layer, keras.layers.RNN) for layer in model.layers)
    return recurrent and not tf.config.list_logical_devices("GPU")
