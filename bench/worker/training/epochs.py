"""The epochs of a training, timed: by Keras's `fit` or by the compiled loop."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from bench.worker import distribution
from bench.worker.programs import Unsupported
from bench.worker.reviews import Encoded
from bench.worker.training.loop import Training

# Steps between two reports of progress: waiting for the device so rarely costs nothing measurable.
REPORT_STEPS = 128


@dataclass(frozen=True)
class Epoch:
    """Where an epoch stands.

    share       of its steps that are done
    duration_s  seconds of its steps so far, validation and messages left out
    elapsed_s   seconds of its steps since the last report
    figures     running loss and metrics over its steps, by Keras's names, once it is complete
    """

    share: float
    duration_s: float
    elapsed_s: float
    figures: dict[str, float] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        return self.share >= 1


Tell = Callable[[Epoch], None]


@dataclass(frozen=True)
class Schedule:
    """How long and in what order to train: Keras shuffles by its global seed, the compiled loop by ``seed``."""

    batch_size: int
    epochs: int
    seed: int


def fit(model: keras.Model, data: Encoded, schedule: Schedule, tell: Tell) -> str:
    """Train by one call of `fit`; ``tell`` is called after each epoch."""
    clock = EpochClock(tell)
    mine, size = distribution.share(data, schedule.batch_size)
    model.fit(mine.x, mine.y, batch_size=size, epochs=schedule.epochs, verbose=0, callbacks=[clock])
    return ""


def compiled_loop(model: keras.Model, data: Encoded, schedule: Schedule, tell: Tell) -> str:
    """Train by the compiled loop, a smaller last batch included, as by `fit`.

    ``tell`` is called every `REPORT_STEPS` and after each epoch, when the model holds its weights. Where the loop does
    not support the model, `fit` trains it.
    """
    started = time.perf_counter()
    try:
        training = Training(model, data.x, data.y, batch_size=schedule.batch_size, seed=schedule.seed)
    except Unsupported as error:
        return fit(model, data, schedule, tell) or str(error)
    before_s = time.perf_counter() - started  # compiling and placing, once for all epochs, counted with the first
    for _ in range(schedule.epochs):
        _epoch(training, tell, before_s=before_s)
        before_s = 0.0
    return ""


# By path of the phase `train`. Each returns what kept it from training by its path; nothing, where it did.
DRIVERS: dict[str, Callable[[keras.Model, Encoded, Schedule, Tell], str]] = {
    "fit": fit,
    "compiled loop": compiled_loop,
}


class EpochClock(keras.callbacks.Callback):
    """Times each epoch of a `fit`."""

    # Without it JAX's trainer waits for the device at each batch.
    async_safe = True

    def __init__(self, tell: Tell) -> None:
        super().__init__()
        self._tell = tell
        self._started = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._started = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        duration_s = time.perf_counter() - self._started
        self._tell(Epoch(1.0, duration_s, duration_s, _numbers(logs or {})))


def _epoch(training: Training, tell: Tell, *, before_s: float) -> None:
    duration_s, elapsed_s, started = before_s, 0.0, time.perf_counter()
    for share in training.steps(REPORT_STEPS):
        took_s = time.perf_counter() - started
        duration_s, elapsed_s = duration_s + took_s, elapsed_s + took_s
        if share < training.whole:
            tell(Epoch(share, duration_s, elapsed_s))
            elapsed_s = 0.0
        started = time.perf_counter()
    tell(Epoch(1.0, duration_s, elapsed_s, _numbers(training.figures())))


def _numbers(figures: dict[str, Any]) -> dict[str, float]:
    """Return the figures that are one number: a metric may also give one for each class."""
    return {name: float(value) for name, value in figures.items() if not np.ndim(value)}
