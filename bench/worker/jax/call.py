"""Prediction of a batch as one JAX program, for `compiled` and `floor`; and XLA's counts of a program."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from bench.worker.programs import Rows

Array = Any  # a jax.Array, or a structure of them: the linter knows no framework


class Call(ABC):
    """A program whose arguments include the weights, so that they are not built into it as constants."""

    resolved: dict[str, Any] = {"jit_compile": True}

    def __init__(self, program: Callable[..., Array], *, static_argnums: tuple[int, ...] = ()) -> None:
        self._program = jax.jit(program, static_argnums=static_argnums)

    @abstractmethod
    def _arguments(self, rows: Array) -> tuple[Any, ...]:
        """Return the program's arguments for ``rows``, weights included."""

    def __call__(self, rows: Rows) -> Any:
        scores = self.run(rows)
        # One array, as most models give, needs no walk over a structure.
        return np.asarray(scores) if isinstance(scores, jax.Array) else jax.tree.map(np.asarray, scores)

    def place(self, rows: Rows) -> Array:
        return jax.device_put(rows)

    def run(self, placed: Array) -> Array:
        return self._program(*self._arguments(placed))

    def program(self, rows: Rows) -> dict[str, float]:
        return analyse(self._program, *self._arguments(rows))


def analyse(run: Any, *arguments: Any) -> dict[str, float]:
    """Compile ``run``, a jitted function, for ``arguments`` and return XLA's counts for one call, loop bodies once."""
    program = run.lower(*arguments).compile()
    cost, memory = program.cost_analysis() or {}, program.memory_analysis()
    return {
        "program_flops": float(cost.get("flops", 0.0)),
        "program_bytes": float(cost.get("bytes accessed", 0.0)),
        "program_temporary_bytes": float(memory.temp_size_in_bytes) if memory else 0.0,
    }
