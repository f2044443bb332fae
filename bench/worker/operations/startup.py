"""Start-up: what a user waits for once, from building a model to its first step, prediction and loading it again."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import keras

from bench.worker import device
from bench.worker.reviews import Reviews
from models.model import create


def measure(reviews: Reviews, *, import_s: float, now: Callable[[], float] = time.perf_counter) -> dict[str, float]:
    """Return the seconds of each start, by path: it must be the first work of a fresh process.

    "import" is ``import_s``, measured where Keras was imported. "first step" and "first prediction" hold what the
    framework traces and compiles, for the recipe's batch size and for one review. "load" reads the saved model. The
    encoding and saving are not timed, and neither is the backend's own start, for which the worker's proof of its
    device has paid.
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
        "load": _load_s(model, now),
    }


def _load_s(model: keras.Model, now: Callable[[], float]) -> float:
    """Return the seconds that Keras takes to load ``model``, with the classes of this process, not compiled."""
    known = {type(layer).__name__: type(layer) for layer in model.layers}
    with TemporaryDirectory() as folder:
        file = Path(folder) / "model.keras"
        model.save(file)
        begun = now()
        keras.models.load_model(file, custom_objects=known, compile=False, safe_mode=False)
        return now() - begun
