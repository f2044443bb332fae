"""The compiled programs of a Keras model in TensorFlow: `tf.while_loop` around its steps."""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from bench.worker import device, support
from bench.worker.layer_patches import Patch, patching
from bench.worker.programs import Unsupported
from bench.worker.tensorflow.call import Call
from bench.worker.tensorflow.layers import patched
from bench.worker.tensorflow.loop import Loop
from bench.worker.tensorflow.optimizers import fused

Tensor = Any  # a tf.Tensor, or a structure of them: the linter knows no framework


class Trainer(Loop):
    """Trains a Keras model by its `train_step`."""

    def __init__(self, model: keras.Model, *, patch: bool) -> None:
        if tf.distribute.has_strategy() or model._distribute_strategy is not None:
            raise Unsupported("tf.distribute")
        self._model, self._patch, self._built = model, patch, False
        self._logs: dict[str, tf.Variable] = {}
        super().__init__(jit_compile=_xla_pays(model))

    def run(self, x: Tensor, y: Tensor, order: Tensor, start: int, stop: int) -> None:
        if not self._built:
            support.build(self._model, x, y, order.shape[1])
            self._built = True
        super().run(x, y, order, start, stop)

    def figures(self) -> dict[str, Any]:
        return support.figures(self._model, self._logs)

    def write_back(self) -> None:
        """Do nothing: a graph updates the model's own variables."""

    def move(self) -> None:
        device.move(self._model)

    def wait(self) -> None:
        np.asarray(self._model.optimizer.variables[0].value)  # the number of iterations

    def _take(self, data: Any) -> dict[str, Tensor]:
        return self._model.train_step(data)  # type: ignore[no-any-return]

    def _step(self, x: Tensor, y: Tensor) -> None:
        model, layers = self._model, patched(self._model) if self._patch else nullcontext()
        with support.tracing(), layers, fused(model.optimizer), patching(_shorter(model)):
            logs = self._take(keras.utils.pack_x_y_sample_weight(x, y))
        if support.may_have_own_logs(model) and support.own_logs(model, logs):
            self._keep(logs)

    def _keep(self, logs: dict[str, Tensor]) -> None:
        """Keep ``logs``, those of the last step, in variables."""
        for name, value in logs.items():
            if name not in self._logs:
                with tf.init_scope():
                    self._logs[name] = tf.Variable(tf.zeros(value.shape, value.dtype), trainable=False)
            self._logs[name].assign(value)


class Evaluator(Trainer):
    """Evaluates a Keras model by its `test_step`."""

    def _take(self, data: Any) -> dict[str, Tensor]:
        return self._model.test_step(data)  # type: ignore[no-any-return]


class Predictor(Call):
    """Predicts with a Keras model, whose variables the graphs read at each call."""

    def __init__(self, model: keras.Model, *, patch: bool) -> None:
        self._model, self._patch = model, patch
        super().__init__(jit_compile=_xla_pays(model))

    def _predict(self, x: Tensor) -> Tensor:
        with support.tracing(), patched(self._model) if self._patch else nullcontext():
            return self._model.predict_step((x,))


def _shorter(model: keras.Model) -> list[Patch]:
    """Return patches that do the same in fewer operations: sums of metrics, their results, sums of one penalty.

    Small operations cost a graph time, of which a short step has little.
    """
    adds: list[Patch] = [(one, "assign_add", partial(_add, one)) for one in model.metrics_variables]
    results: list[Patch] = [] if support.may_have_own_logs(model) else [(model, "get_metrics_result", dict)]
    return [*adds, *results, (model, "_aggregate_additional_loss", partial(_penalty, model))]


def _add(variable: Any, value: Any) -> None:
    variable.value.assign_add(tf.cast(value, variable.value.dtype))


def _penalty(model: keras.Model, loss: Tensor) -> Tensor:
    summed = loss.dtype.is_floating and not loss.shape.rank
    return loss if summed else type(model)._aggregate_additional_loss(model, loss)


def _xla_pays(model: keras.Model) -> bool:
    """Return whether XLA makes the model faster on this device.

    On a CPU it fuses a recurrent layer's many small steps (an lstm step: 30 ms against 41 in one interleaved run);
    the scatter of a large embedding's gradient it runs element by element (a pooling-dropout step: 840 ms against
    25). On a GPU it would keep the LSTM from cuDNN.
    """
    recurrent = any(isinstance(layer, keras.layers.RNN) for layer in model.layers)
    compilable = all(layer.supports_jit for layer in model._flatten_layers())
    return recurrent and compilable and not tf.config.list_logical_devices("GPU")
