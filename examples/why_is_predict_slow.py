"""Why `predict` is slow for one review, and what to call instead.

    KERAS_BACKEND=tensorflow python -m examples.why_is_predict_slow
    KERAS_BACKEND=jax python -m examples.why_is_predict_slow --reviews 512

The ways are interleaved, so that whatever else the machine does affects them all. Each figure is the median of its
turns.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable

os.environ.setdefault("KERAS_BACKEND", "jax")  # Keras reads it once, at import

import keras
import numpy as np

from bench.worker import compiled
from models.model import create
from models.recipes import POOLING_LOGITS

TURNS = 30


def main() -> None:
    """Time four ways to predict the same reviews, and explain the difference."""
    options = _options()
    model = create(POOLING_LOGITS)
    ids = np.random.default_rng(0).integers(0, 10_000, (options.reviews, 250)).astype("int32")

    program = compiled.predictor(model)  # one compiled function: ids in, scores out
    ways: dict[str, Callable[[], object]] = {
        "predict": lambda: model.predict(ids, batch_size=options.reviews, verbose=0),
        "the model, called": lambda: np.asarray(model(ids, training=False)),
        "predict_on_batch": lambda: model.predict_on_batch(ids),
        "a compiled function": lambda: program(ids),
    }
    milliseconds = {name: statistics.median(times) for name, times in _interleaved(ways).items()}

    floor = milliseconds["a compiled function"]
    print(
        f"{keras.backend.backend()}, {options.reviews} review{'s' * (options.reviews > 1)}: median milliseconds a call"
    )
    for name, value in milliseconds.items():
        print(f"  {name:20} {value:9.3f}  {value / floor:6.1f} times the compiled function")
    print(
        "\nAll four give the same scores. `predict` builds a data pipeline, an iterator and its callbacks at every\n"
        "call: a thousand batches share that cost, one review pays it alone. Calling the model runs its layers one\n"
        "operation at a time. `predict_on_batch` keeps the compiled graph and little else; the compiled function is\n"
        "the arithmetic alone. `python -m bench run --profile full` measures all of them on your machine."
    )


def _interleaved(ways: dict[str, Callable[[], object]]) -> dict[str, list[float]]:
    """Return the milliseconds of each way in each turn; the first call of each compiles and is not counted."""
    for way in ways.values():
        way()
    found: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(TURNS):
        names = list(ways) if turn % 2 else list(reversed(ways))
        for name in names:
            started = time.perf_counter()
            ways[name]()
            found[name].append(1e3 * (time.perf_counter() - started))
    return found


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reviews", type=int, default=1, help="how many at once")
    return parser.parse_args()


if __name__ == "__main__":
    main()
