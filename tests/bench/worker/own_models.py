"""Models of many kinds with their data, as users compile them; imported in a fresh process of a backend alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from bench.worker import device

ROWS, BATCH = 84, 32  # two whole batches and a smaller one

Case = tuple[keras.Model, Any, Any]


def numbers(*shape: int) -> Any:
    return np.random.default_rng(len(shape)).normal(size=(ROWS, *shape)).astype(np.float32)


def classes(count: int, *shape: int) -> Any:
    return np.random.default_rng(7).integers(0, count, (ROWS, *shape)).astype(np.int32)


def several() -> Case:
    """Two inputs and two outputs by name, with loss weights and metrics of their own."""
    a, b = keras.Input((4,), name="a"), keras.Input((3,), name="b")
    hidden = layers.Dense(8, activation="tanh")(layers.concatenate([a, b]))
    price, kind = layers.Dense(1, name="price")(hidden), layers.Dense(3, activation="softmax", name="kind")(hidden)
    model = keras.Model({"a": a, "b": b}, {"price": price, "kind": kind})
    losses = {"price": "mse", "kind": keras.losses.SparseCategoricalCrossentropy()}
    metrics = {"price": ["mae"], "kind": ["accuracy"]}
    model.compile("adam", loss=losses, loss_weights={"price": 0.3, "kind": 1.0}, metrics=metrics)
    return model, {"a": numbers(4), "b": numbers(3)}, {"price": numbers(1), "kind": classes(3)}


def normalized() -> Case:
    """Moving averages that no gradient updates."""
    hidden = [layers.Conv2D(4, 3), layers.BatchNormalization(), layers.ReLU(), layers.Flatten()]
    model = keras.Sequential([keras.Input((8, 8, 1)), *hidden, layers.Dense(3)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), loss=loss, metrics=["accuracy"])
    return model, numbers(8, 8, 1), classes(3)


class Largest(keras.metrics.Metric):
    """The largest error so far: no mean of batches."""

    def __init__(self, name: str = "largest") -> None:
        super().__init__(name=name)
        self.value = self.add_weight(name="value", initializer="zeros")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        self.value.assign(ops.maximum(self.value, ops.max(ops.abs(y_true - y_pred))))

    def result(self) -> Any:
        return self.value + 0.0


def measured() -> Case:
    """A metric of a user's and two with much state; the model is not built before its first step."""
    model = keras.Sequential([layers.Dense(6, activation="relu"), layers.Dense(1, activation="sigmoid")])
    metrics = [Largest(), keras.metrics.AUC(name="auc"), keras.metrics.Precision(name="precision")]
    model.compile("rmsprop", loss="binary_crossentropy", metrics=metrics)
    return model, numbers(5), classes(2, 1).astype(np.float32)


def huber(y_true: Any, y_pred: Any) -> Any:
    error = ops.abs(y_true - y_pred)
    return ops.where(error < 1, ops.square(error) / 2, error - 0.5)


def regression() -> Case:
    """A loss of a user's, penalties, 64-bit inputs, and all that an optimizer may do beside its update."""
    penalties = {"kernel_regularizer": "l2", "activity_regularizer": "l1"}
    hidden = layers.Dense(6, activation="relu", **penalties)
    model = keras.Sequential([keras.Input((5,)), hidden, layers.Dense(1, kernel_constraint="non_neg")])
    rate = keras.optimizers.schedules.ExponentialDecay(0.01, 1, 0.5)
    optimizer = keras.optimizers.AdamW(rate, weight_decay=0.01, clipnorm=0.5, use_ema=True, ema_overwrite_frequency=2)
    model.compile(optimizer, loss=huber, metrics=[huber])
    return model, numbers(5).astype(np.float64), numbers(1)


class OnJax:
    """A step that shrinks the weights afterwards and reports other figures than the metrics, for JAX."""

    def train_step(self, state: Any, data: Any) -> Any:
        logs, (trainable, *others) = super().train_step(state, data)
        return {"loss": logs["loss"], "first": ops.sum(trainable[0])}, ([one * 0.9 for one in trainable], *others)


class OnTensorflow:
    """The same for TensorFlow."""

    def train_step(self, data: Any) -> Any:
        logs = super().train_step(data)
        first = ops.sum(self.trainable_variables[0])
        for variable in self.trainable_variables:
            variable.assign(variable * 0.9)
        return {"loss": logs["loss"], "first": first}


class Own(OnJax if keras.backend.backend() == "jax" else OnTensorflow, keras.Model):
    """A model with a step of its own."""


def overridden() -> Case:
    inputs = keras.Input((5,))
    model = Own(inputs, layers.Dense(1)(layers.Dense(4, activation="tanh")(inputs)))
    model.compile("sgd", loss="mse", metrics=["mae"])
    return model, numbers(5), numbers(1)


def sequences() -> Case:
    """What a patched layer must leave to Keras: masks, a state to start from, products over time, attention."""
    ids, rows = keras.Input((6,), dtype="int32"), keras.Input((6, 4))
    words = layers.Embedding(9, 4, mask_zero=True)(ids)
    state = layers.Dense(5)(layers.Flatten()(rows))
    begun = layers.LSTM(5)(rows, initial_state=[state, state])
    features = [layers.LSTM(5)(words), begun, layers.LSTM(5)(rows), layers.GRU(3)(rows)]
    attended = layers.LayerNormalization()(layers.MultiHeadAttention(2, 4)(rows, rows) + rows)
    pooled = layers.GlobalAveragePooling1D()(layers.Dense(4, activation="relu")(attended))
    model = keras.Model([ids, rows], layers.Dense(1)(layers.concatenate([*features, pooled])))
    model.compile(keras.optimizers.Adam(gradient_accumulation_steps=2), loss="mse", metrics=["mae"])
    return model, [classes(9, 6), numbers(6, 4)], numbers(1)


class Penalty(layers.Layer):
    """Adds the mean square of its inputs to the loss."""

    def call(self, inputs: Any) -> Any:
        self.add_loss(ops.mean(ops.square(inputs)))
        return inputs


def unlabelled() -> Case:
    """Nothing but a penalty to train on."""
    inputs = keras.Input((5,))
    model = keras.Model(inputs, Penalty()(layers.Dense(4)(inputs)))
    model.compile("sgd")
    return model, numbers(5), None


def half() -> Case:
    """A layer that computes in 16 bits, and a scaled loss."""
    inputs = keras.Input((5,))
    hidden = layers.Dense(4, dtype="mixed_bfloat16")(inputs)
    model = keras.Model(inputs, layers.Dense(1, dtype="float32")(hidden))
    model.compile(keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam()), loss=["mse"])
    return model, numbers(5), numbers(1)


CASES: list[Callable[[], Case]] = [
    several, normalized, measured, regression, overridden, sequences, unlabelled, half,
]  # fmt: skip


def seeded(case: Callable[[], Case]) -> Case:
    """Return the model of ``case`` with the weights of one seed."""
    device.seed(3)
    return case()


def apart(one: keras.Model, other: keras.Model) -> float:
    """Return the largest difference of two models' weights, moving averages included."""
    pairs = zip(one.get_weights(), other.get_weights(), strict=True)
    return max(float(np.abs(a.astype(float) - b.astype(float)).max(initial=0.0)) for a, b in pairs)


def pick(rows: Any, chosen: Any) -> Any:
    """Return the rows ``chosen`` of each array."""
    return keras.tree.map_structure(lambda values: None if values is None else values[chosen], rows)
