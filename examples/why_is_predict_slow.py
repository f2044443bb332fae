"""Why `predict` is slow for one review, and what to call instead.

    KERAS_BACKEND=tensorflow python -m examples.why_is_predict_slow
    KERAS_BACKEND=jax python -m examples.why_is_predict_slow --reviews 512

The ways take turns, so that whatever else the machine does meets all of them; each figure is the median of its turns.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable

os.environ.setdefault("KERAS_BACKEND", "jax")  # Keras reads it once, when it is imported

import keras
import numpy as np

from bench.worker import compiled
from models.model import create
from models.recipes import POOLING_LOGITS

TURNS = 30


def main() -> None:
    """Time four ways to predict the same reviews and say where the time goes."""
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
    milliseconds = {name: statistics.median(times) for name, times in _in_turn(ways).items()}

    floor = milliseconds["a compiled function"]
    print(
        f"{keras.backend.backend()}, {options.reviews} review{'s' * (options.reviews > 1)}: median milliseconds a call"
    )
    for name, value in milliseconds.items():
        print(f"  {name:20} {value:9.3f}  {value / floor:6.1f} times the compiled function")
    print(
        "\nAll four give the same scores. `predict` makes a data pipeline, an iterator and its callbacks at every\n"
        "call: work that a thousand batches share, and that one review pays alone. Calling the model runs its layers\n"
        "one operation at a time. `predict_on_batch` keeps the compiled graph and little else; the compiled function\n"
        "keeps nothing but the arithmetic. `python -m bench run` measures all of them, with intervals, on your machine."
    )


def _in_turn(ways: dict[str, Callable[[], object]]) -> dict[str, list[float]]:
    """Return the milliseconds of each way in each turn; a first call of each compiles and is not counted."""
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
