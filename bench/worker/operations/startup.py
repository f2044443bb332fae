"""Start-up: what a user waits for once, from building a model to its first step and first prediction."""

from __future__ import annotations

import time
from collections.abc import Callable

from bench.worker import device
from bench.worker.reviews import Reviews
from models.model import create


def measure(reviews: Reviews, *, import_s: float, now: Callable[[], float] = time.perf_counter) -> dict[str, float]:
    """Return the seconds of each start, by path: it must be the first work of a fresh process.

    "import" is ``import_s``, measured where Keras was imported. "first step" and "first prediction" hold what the
    framework traces and compiles, for the recipe's batch size and for one review. The encoding is not timed, and
    neither is the backend's own start, for which the worker's proof of its device has paid.
    """
    data = reviews.timed("train")
    batch, one = data.rows(0, reviews.recipe.batch_size), data.rows(0, 1)
    started = now()
    model = create(reviews.recipe)
    built = now()
    model.train_on_batch(batch.x, batch.y)
    device.wait_for_weights(model)
    stepped = now()
    device.wait(model.predict_on_batch(one.x))
    predicted = now()
    return {
        "import": import_s,
        "build": built - started,
        "first step": stepped - built,
        "first prediction": predicted - stepped,
    }
