"""What every backend's programs share: the interface of training and prediction, and the bits of a dropout mask.

A program is compiled by its backend, and its data are resident on the device. `bench.worker.compiled` makes those of
a Keras model, `bench.worker.floors` the hand-written ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import keras

# An array, or a dictionary, tuple or list of arrays with equal first dimension; None where a model has no labels.
Rows = Any

BYTE, HALF_WORD, WORD = 8, 16, 32


class Unsupported(Exception):
    """What the compiled programs cannot do; its words are the subject of "... is not supported"."""


class Trainer(Protocol):
    """Training as one program that loops over steps."""

    resolved: dict[str, Any]

    def place(self, rows: Rows) -> Any:
        """Copy ``rows``, (rows, …) each, to the device, once for all epochs."""

    def run(self, x: Any, y: Any, order: Any, start: int, stop: int) -> None:
        """Take the steps ``start`` to ``stop``: step i trains on the rows ``order[i]``, (steps, batch) int32.

        Arrays must be placed. A new batch size compiles again, if no step is to be taken too. Raises Unsupported,
        nothing updated, where the step of a Keras model cannot be traced.
        """

    def figures(self) -> dict[str, Any]:
        """Return the running loss and metrics by Keras's names, as `fit` reports them, and reset them."""

    def write_back(self) -> None:
        """Copy the trained weights to the model; until then its variables may be out of date.

        The next `run` of a Keras model's program begins with what its variables hold by then.
        """

    def move(self) -> None:
        """Give the weights, and what else steps update, other memory; see `bench.worker.clock.block`."""

    def wait(self) -> None:
        """Return once every step is done."""

    def program(self, x: Any, y: Any, order: Any) -> dict[str, float]:
        """Return the compiler's counts of the program, a loop's body once: see `bench.worker.operations.counters`."""


class Predictor(Protocol):
    """Prediction as one program: raw outputs for a batch, NumPy in and NumPy out, (batch, …) each."""

    resolved: dict[str, Any]

    def __call__(self, rows: Rows) -> Any:
        """Predict ``rows``; a new number of rows compiles again."""

    def place(self, rows: Rows) -> Any:
        """Copy ``rows`` to the device."""

    def run(self, placed: Any) -> Any:
        """Predict placed rows; the scores stay on the device and may not be computed yet."""

    def program(self, rows: Rows) -> dict[str, float]:
        """Return the compiler's counts of the program for as many rows."""


def each(function: Callable[[Any], Any], rows: Rows) -> Any:
    """Return ``rows`` with ``function`` of each array in its place."""
    return keras.tree.map_structure(lambda array: None if array is None else function(array), rows)


def threshold(rate: float) -> tuple[int, int]:
    """Return the bits to draw for each value of a dropout mask, and the lowest drawn number that keeps the value.

    Frameworks draw 32 bits for each value, which on two busy cores took three quarters of a pooling-dropout step (JAX
    64 ms with masks and 14 without, TensorFlow 47 and 14). Eight bits are enough where they represent ``rate``
    exactly, as they do one half; else sixteen, which represent it within 1e-5.
    """
    bits = BYTE if (rate * 2**BYTE).is_integer() else HALF_WORD
    return bits, round(rate * 2**bits)
