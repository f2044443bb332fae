"""The loop over training steps as one JAX program, whoever wrote the step: `compiled` or `floors`; no model here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy.typing as npt

from bench.worker.programs.analysis import analyse

Rows = npt.NDArray[Any]
Array = Any  # a jax.Array: the linter knows no framework
Step = Callable[[Any, Array, Array], Any]


def zero_sums() -> dict[str, Array]:
    """Return what a state sums up over steps: loss times reviews, correct answers, reviews seen."""
    return {name: jnp.zeros(()) for name in ("loss", "correct", "seen")}


class Loop:
    """Takes steps in one program; their number is its argument, so one compilation serves every length.

    ``state`` is a named tuple with the fields of `zero_sums`; ``step`` takes it, inputs and labels to the next one.
    """

    resolved: dict[str, Any] = {"jit_compile": True}

    def __init__(self, state: Any, step: Step) -> None:
        self._state = state
        self._run = jax.jit(_over(step), donate_argnums=0)

    def place(self, rows: Rows) -> Array:
        return jax.device_put(rows)

    def run(self, x: Array, y: Array, order: Array, start: int, stop: int) -> None:
        # JAX lays threefry's numbers out for several devices; on one CPU the older layout makes a pooling-dropout
        # step, most of which is drawing masks, twice as fast (64 ms against 125, in turns on a busy machine).
        with jax.threefry_partitionable(False):
            self._state = self._run(self._state, x, y, order, start, stop)

    def figures(self) -> dict[str, float]:
        seen = float(self._state.seen)
        found = {"loss": float(self._state.loss) / seen, "accuracy": float(self._state.correct) / seen}
        self._state = self._state._replace(**zero_sums())
        return found

    def wait(self) -> None:
        jax.block_until_ready(self._state)

    def program(self, x: Array, y: Array, order: Array) -> dict[str, float]:
        with jax.threefry_partitionable(False):
            return analyse(self._run, self._state, x, y, order, 0, 1)


def _over(step: Step) -> Callable[..., Any]:
    def run(state: Any, x: Array, y: Array, order: Array, start: int, stop: int) -> Any:
        return jax.lax.fori_loop(start, stop, lambda i, s: step(s, x[order[i]], y[order[i]]), state)

    return run
