"""The ways to take optimizer steps: Keras's, the compiled programs and the hand-written floor."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import keras

from bench.worker import compiled, device, distribution, floors
from bench.worker.clock import Operation
from bench.worker.distribution import create
from bench.worker.operations import work
from bench.worker.programs import Trainer
from bench.worker.reviews import Encoded, Reviews

# Most steps in one call of a compiled loop.
LONGEST_LOOP = 1_024


class TrainEnd(keras.callbacks.Callback):
    """Notes when the weights of the last step were there."""

    def __init__(self) -> None:
        super().__init__()
        self.at = 0.0

    def on_train_end(self, logs: Any = None) -> None:
        """Wait for the weights, and read the clock."""
        device.wait_for_weights(self.model)
        self.at = time.perf_counter()


class EachStep(keras.callbacks.Callback):
    """Does some work after each step; JAX does not wait for the step's logs on its account."""

    async_safe = True

    def __init__(self, work: Callable[[], object]) -> None:
        super().__init__()
        self._work = work

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Do the work."""
        self._work()


def fit(reviews: Reviews, batch_size: int, **settings: Any) -> Operation:
    """One `fit` over as many batches as there are repeats: two lengths give the cost of a step as a slope.

    The clock stops where training ends. On TensorFlow `fit` then releases the iterator of `tf.data`, which may wait
    until the thread that tunes it wakes up: 10 ms after its start, or 30, 70, 150, and so on. That takes up to as long
    again as the steps did, and at random: within a slope it would be noise of up to a factor of four.
    """
    return _fit(create(reviews.recipe, **settings), reviews.timed("train"), batch_size, [])


def _fit(
    model: keras.Model, data: Encoded, batch_size: int, callbacks: Sequence[keras.callbacks.Callback]
) -> Operation:
    end = TrainEnd()
    mine, size = distribution.share(data, batch_size)

    def run(repeats: int) -> Any:
        rows = mine.rows(0, repeats * size)
        settings = {"batch_size": size, "epochs": 1, "shuffle": False, "verbose": 0}
        return model.fit(rows.x, rows.y, callbacks=[end, *callbacks], **settings)

    return Operation(
        run,
        lambda _: device.wait_for_weights(model),
        work.reviews(batch_size),
        len(data) // batch_size,
        _resolved(model),
        move=_mover(model),
        ended=lambda: end.at,
        inject=lambda work: _fit(model, data, batch_size, [EachStep(work)]),
    )


def train_on_batch(reviews: Reviews, batch_size: int) -> Operation:
    """One optimizer step a repeat, on one batch after another from NumPy arrays."""
    model, batches = create(reviews.recipe), work.batches(reviews.timed("train"), batch_size)

    def run(repeats: int) -> Any:
        for _ in range(repeats):
            batch = next(batches)
            model.train_on_batch(batch.x, batch.y)

    return Operation(
        run,
        lambda _: device.wait_for_weights(model),
        work.reviews(batch_size),
        resolved=_resolved(model),
        move=_mover(model),
    )


def compiled_step(reviews: Reviews, batch_size: int) -> Operation:
    """One call of the compiled program a repeat, one step each, on resident rows; no layer is patched."""
    trainer = compiled.trainer(create(reviews.recipe), patch=False)
    return _resident(trainer, reviews, batch_size, at_once=False)


def compiled_loop(reviews: Reviews, batch_size: int) -> Operation:
    """All repeats in one call of the compiled program, which loops over them: an epoch as one program."""
    trainer = compiled.trainer(create(reviews.recipe))
    return _resident(trainer, reviews, batch_size, at_once=True)


def floor(reviews: Reviews, batch_size: int) -> Operation:
    """The same arithmetic by hand in the backend's own terms, as fast as possible."""
    floors.require_same_work(reviews)
    trainer = floors.trainer(reviews.recipe, create(reviews.recipe))
    return _resident(trainer, reviews, batch_size, at_once=True)


PATHS: dict[str, Callable[[Reviews, int], Operation]] = {
    "fit": fit,
    "fit steps=10": partial(fit, steps_per_execution=10),
    "fit steps=50": partial(fit, steps_per_execution=50),
    "fit jit=on": partial(fit, jit_compile=True),
    "fit jit=off": partial(fit, jit_compile=False),
    "fit cudnn=off": partial(fit, cudnn=False),
    "train_on_batch": train_on_batch,
    "compiled step": compiled_step,
    "compiled loop": compiled_loop,
    "floor": floor,
}


def _resident(trainer: Trainer, reviews: Reviews, batch_size: int, *, at_once: bool) -> Operation:
    rows = reviews.timed("train")
    x, y = trainer.place(rows.x), trainer.place(rows.y)
    order = trainer.place(work.orders(len(rows), batch_size, LONGEST_LOOP))

    def run(repeats: int) -> None:
        if at_once:
            trainer.run(x, y, order, 0, repeats)
            return
        for step in range(repeats):
            trainer.run(x, y, order, step, step + 1)

    return Operation(
        run,
        lambda _: trainer.wait(),
        work.reviews(batch_size),
        LONGEST_LOOP,
        trainer.resolved,
        program=lambda: trainer.program(x, y, order),
        move=trainer.move,
    )


def _mover(model: keras.Model) -> Callable[[], None] | None:
    """Return what moves the weights of ``model``; nothing where several devices have a copy each."""
    return partial(device.move, model) if distribution.devices() == 1 else None


def _resolved(model: keras.Model) -> dict[str, Any]:
    return {"jit_compile": bool(model.jit_compile), "steps_per_execution": model.steps_per_execution}
