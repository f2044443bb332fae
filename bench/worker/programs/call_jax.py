"""The prediction of a batch as one JAX program, whoever wrote it: `compiled` or `floors`; no model here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import numpy.typing as npt

from bench.worker.programs.analysis import analyse

Rows = npt.NDArray[Any]
Array = Any  # a jax.Array: the linter knows no framework


class Call(ABC):
    """Predicts by one program; the weights are its arguments, so that they are not built into it as constants."""

    resolved: dict[str, Any] = {"jit_compile": True}

    def __init__(self, program: Callable[..., Array], *, static_argnums: tuple[int, ...] = ()) -> None:
        self._program = jax.jit(program, static_argnums=static_argnums)

    @abstractmethod
    def _arguments(self, rows: Array) -> tuple[Any, ...]:
        """Return what the program takes for ``rows``, weights included."""

    def __call__(self, rows: Rows) -> npt.NDArray[np.float32]:
        return np.asarray(self.run(rows))

    def place(self, rows: Rows) -> Array:
        return jax.device_put(rows)

    def run(self, placed: Array) -> Array:
        return self._program(*self._arguments(placed))

    def program(self, rows: Rows) -> dict[str, float]:
        return analyse(self._program, *self._arguments(rows))
