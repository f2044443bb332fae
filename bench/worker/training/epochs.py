"""The epochs of a training, timed: by Keras's `fit` or by the compiled loop."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from bench.worker import compiled
from bench.worker.programs import Trainer
from bench.worker.reviews import Encoded
from models.recipes import Recipe

Order = npt.NDArray[np.int32]

# Steps between two reports of progress: waiting for the device so rarely costs nothing measurable.
REPORT_STEPS = 128


@dataclass(frozen=True)
class Epoch:
    """Where an epoch stands.

    share       of its steps that are done
    duration_s  seconds of its steps so far, validation and messages left out
    elapsed_s   seconds of its steps since the last report
    figures     running loss and accuracy over its steps, once it is complete
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


def fit(recipe: Recipe, model: keras.Model, data: Encoded, schedule: Schedule, tell: Tell) -> None:
    """Train by one call of `fit`; ``tell`` is called after each epoch."""
    del recipe
    clock = EpochClock(tell)
    model.fit(data.x, data.y, batch_size=schedule.batch_size, epochs=schedule.epochs, verbose=0, callbacks=[clock])


def compiled_loop(recipe: Recipe, model: keras.Model, data: Encoded, schedule: Schedule, tell: Tell) -> None:
    """Train by the compiled loop, a smaller last batch included, as by `fit`.

    ``tell`` is called every `REPORT_STEPS` and after each epoch, when the model holds its weights.
    """
    trainer = compiled.trainer(recipe, model)
    started = time.perf_counter()
    x, y = trainer.place(data.x), trainer.place(data.y)
    placing_s = time.perf_counter() - started  # once for all epochs, counted with the first
    shuffle = np.random.default_rng(schedule.seed)
    for _ in range(schedule.epochs):
        order = shuffle.permutation(len(data.y)).astype(np.int32)
        _epoch(trainer, (x, y), order, schedule.batch_size, tell, before_s=placing_s)
        placing_s = 0.0


# By path of the phase `train`.
DRIVERS: dict[str, Callable[[Recipe, keras.Model, Encoded, Schedule, Tell], None]] = {
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
        figures = {name: float(value) for name, value in (logs or {}).items()}
        self._tell(Epoch(1.0, duration_s, duration_s, figures))


def _epoch(
    trainer: Trainer, data: tuple[Any, Any], order: Order, batch_size: int, tell: Tell, *, before_s: float
) -> None:
    whole = len(order) // batch_size
    batches = trainer.place(order[: whole * batch_size].reshape(whole, batch_size))
    duration_s = before_s
    for start in range(0, whole, REPORT_STEPS):
        stop = min(start + REPORT_STEPS, whole)
        elapsed_s = _timed(trainer, data, batches, start, stop)
        duration_s += elapsed_s
        if stop < whole:
            tell(Epoch(stop * batch_size / len(order), duration_s, elapsed_s))
    if rest := len(order) % batch_size:
        elapsed_s = _timed(trainer, data, trainer.place(order[-rest:].reshape(1, rest)), 0, 1)
        duration_s += elapsed_s
    figures = trainer.figures()
    trainer.write_back()
    tell(Epoch(1.0, duration_s, elapsed_s, figures))


def _timed(trainer: Trainer, data: tuple[Any, Any], order: Any, start: int, stop: int) -> float:
    started = time.perf_counter()
    trainer.run(*data, order, start, stop)
    trainer.wait()
    return time.perf_counter() - started
