"""Training to accuracy: a recipe's phases by Keras's `fit`, judged by NumPy; it times epochs, no steps."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from bench.worker import metrics
from bench.worker.reviews import Encoded, Reviews
from models.model import create
from models.recipes import Phase

# Divides 5,000, 7,500, 10,000 and 25,000: no smaller last batch, so one compilation serves every prediction.
PREDICT_BATCH = 500

Tell = Callable[..., None]


@dataclass
class History:
    """One value an epoch. ``epoch_s`` holds the seconds inside `fit` alone, validation and messages left out."""

    curves: dict[str, list[float]] = field(default_factory=dict)
    epoch_s: list[float] = field(default_factory=list)

    def append(self, values: dict[str, float]) -> None:
        for name, value in values.items():
            self.curves.setdefault(name, []).append(float(value))


def train(reviews: Reviews, *, seed: int, epochs: dict[str, int], tell: Tell) -> dict[str, Any]:
    """Train every phase named in ``epochs`` for that many epochs and test the last one's model.

    Returns, for each phase: its curves by epoch, its seconds by epoch, and test accuracy and loss.
    """
    return {
        phase.name: _train_phase(reviews, phase, seed=seed, epochs=epochs[phase.name], tell=tell)
        for phase in reviews.recipe.phases
        if phase.name in epochs
    }


def predict(model: keras.Model, x: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return the model's raw outputs for every row of ``x``, shape (rows,)."""
    starts = range(0, len(x), PREDICT_BATCH)
    parts = [np.asarray(model.predict_on_batch(x[start : start + PREDICT_BATCH])) for start in starts]
    return np.concatenate(parts).reshape(-1).astype(np.float64)


def evaluate(model: keras.Model, data: Encoded, *, logits: bool) -> dict[str, float]:
    """Return accuracy and loss of ``model`` on ``data``; the loss includes weight penalties, as Keras reports it."""
    positive = metrics.probabilities(predict(model, data.x), logits=logits)
    labels = data.y.reshape(-1).astype(np.int8)
    penalty = sum(float(loss) for loss in model.losses)
    return {"accuracy": metrics.accuracy(positive, labels), "loss": metrics.cross_entropy(positive, labels) + penalty}


def _train_phase(reviews: Reviews, phase: Phase, *, seed: int, epochs: int, tell: Tell) -> dict[str, Any]:
    keras.utils.clear_session()  # a session trains many models: their graphs and names must not pile up
    keras.utils.set_random_seed(seed)
    model = create(reviews.recipe)
    data, held_out = reviews.phase(phase)
    log = EpochLog(phase=phase, total=epochs, held_out=held_out, logits=reviews.recipe.logits, tell=tell)
    model.fit(data.x, data.y, batch_size=phase.batch_size, epochs=epochs, verbose=0, callbacks=[log])
    if phase.restore_best and log.best_weights is not None:
        model.set_weights(log.best_weights)
    tested = evaluate(model, reviews.test, logits=reviews.recipe.logits)
    return {
        "curves": log.history.curves,
        "epoch_s": log.history.epoch_s,
        "test_accuracy": tested["accuracy"],
        "test_loss": tested["loss"],
    }


class EpochLog(keras.callbacks.Callback):
    """Reads the clock, the running figures and the held-out figures at the end of each epoch."""

    # JAX's trainer waits for the device at each batch unless every callback says that it need not.
    async_safe = True

    def __init__(self, *, phase: Phase, total: int, held_out: Encoded | None, logits: bool, tell: Tell) -> None:
        super().__init__()
        self.history = History()
        self.best_weights: list[npt.NDArray[Any]] | None = None
        self._phase, self._total, self._held_out, self._logits, self._tell = phase, total, held_out, logits, tell
        self._best = -1.0
        self._started = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._started = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        seconds = time.perf_counter() - self._started
        running = {name: float(logs[name]) for name in ("loss", "accuracy")} if logs else {}
        self.history.epoch_s.append(seconds)
        self.history.append({**running, **self._validate()})
        latest = {name: values[-1] for name, values in self.history.curves.items()}
        self._tell(phase=self._phase.name, epoch=epoch + 1, epochs=self._total, epoch_s=seconds, **latest)

    def _validate(self) -> dict[str, float]:
        if self._held_out is None:
            return {}
        found = evaluate(self.model, self._held_out, logits=self._logits)
        if self._phase.restore_best and found["accuracy"] > self._best:
            self._best, self.best_weights = found["accuracy"], self.model.get_weights()
        return {f"val_{name}": value for name, value in found.items()}
