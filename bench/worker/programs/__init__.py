"""What a program offers that trains or predicts, and what runs it: one for a Keras model's and for a floor's.

A program is compiled by its backend and its data are resident on the device. A loop over training steps and the call
of a prediction are the same whoever wrote the step; `bench.worker.compiled` and `bench.worker.floors` write them.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[Any]


class Trainer(Protocol):
    """Training as one program that loops over steps."""

    resolved: dict[str, Any]

    def place(self, rows: Rows) -> Any:
        """Copy ``rows``, (rows, …), to the device, once for all epochs."""

    def run(self, x: Any, y: Any, order: Any, start: int, stop: int) -> None:
        """Take the steps ``start`` to ``stop``: step i trains on the rows ``order[i]``, (steps, batch) int32.

        All but the numbers are placed. A batch of another size than before compiles again.
        """

    def figures(self) -> dict[str, float]:
        """Return running "loss" and "accuracy" as `fit` prints them, and begin new ones."""

    def write_back(self) -> None:
        """Give the model the weights that the steps left; until then its variables may be out of date."""

    def wait(self) -> None:
        """Return once every step is done."""

    def program(self, x: Any, y: Any, order: Any) -> dict[str, float]:
        """Return what the backend's compiler says of the program, a loop's body once: see `bench.worker.counters`."""


class Predictor(Protocol):
    """Prediction as one program: raw outputs for a batch, NumPy in and NumPy out, (batch, …) to (batch, 1)."""

    resolved: dict[str, Any]

    def __call__(self, rows: Rows) -> npt.NDArray[np.float32]:
        """Predict ``rows``; another number of rows than before compiles again."""

    def place(self, rows: Rows) -> Any:
        """Copy ``rows`` to the device."""

    def run(self, placed: Any) -> Any:
        """Predict rows that were placed; the scores stay on the device, perhaps not computed yet."""

    def program(self, rows: Rows) -> dict[str, float]:
        """Return what the backend's compiler says of the program for as many rows."""
