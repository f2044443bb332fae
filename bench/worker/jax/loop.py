"""The loop over training steps as one JAX program, for `compiled` and `floor`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from bench.worker.jax.call import analyse
from bench.worker.programs import Rows

Array = Any  # a jax.Array, or a structure of them: the linter knows no framework
Step = Callable[[Any, Array, Array], Any]


class Loop:
    """Takes steps in one program; their number is its argument, so that it is compiled once for every number of steps.

    ``step`` takes a state, inputs and labels to the next state. Without ``in_program``, each step is a call of its own.
    """

    resolved: dict[str, Any] = {"jit_compile": True}

    def __init__(self, state: Any, step: Step, *, in_program: bool = True) -> None:
        self._state = state
        self._run = jax.jit(_over(step), donate_argnums=0) if in_program else Calls(step)

    def place(self, rows: Rows) -> Array:
        return jax.device_put(rows)

    def run(self, x: Array, y: Array, order: Array, start: int, stop: int) -> None:
        # By default threefry's numbers are partitioned for several devices; without, a pooling-dropout step on one
        # CPU, which mostly draws masks, is twice as fast (64 ms against 125, interleaved on a busy machine).
        with jax.threefry_partitionable(False):
            self._state = self._run(self._state, x, y, order, start, stop)

    def move(self) -> None:
        self._state = jax.block_until_ready(jax.tree.map(jnp.copy, self._state))

    def wait(self) -> None:
        jax.block_until_ready(self._state)

    def program(self, x: Array, y: Array, order: Array) -> dict[str, float]:
        with jax.threefry_partitionable(False):
            return analyse(self._run, self._state, x, y, order, 0, 1)


class SummingLoop(Loop):
    """A loop whose state is a named tuple with the fields of `zero_sums`."""

    def figures(self) -> dict[str, float]:
        seen = float(self._state.seen)
        found = {"loss": float(self._state.loss) / seen, "accuracy": float(self._state.correct) / seen}
        self._state = self._state._replace(**zero_sums())
        return found


def zero_sums() -> dict[str, Array]:
    """Return the sums over steps that a state starts with: loss times reviews, correct answers, reviews seen."""
    return {name: jnp.zeros(()) for name in ("loss", "correct", "seen")}


def _over(step: Step) -> Callable[..., Any]:
    take = _taking(step)

    def run(state: Any, x: Array, y: Array, order: Array, start: int, stop: int) -> Any:
        return jax.lax.fori_loop(start, stop, lambda i, state: take(state, x, y, order, i), state)

    return run


def _taking(step: Step) -> Callable[..., Any]:
    """Return the step on the rows that ``order`` has for it."""

    def take(state: Any, x: Array, y: Array, order: Array, i: Array) -> Any:
        rows = order[i]
        return step(state, *jax.tree.map(lambda values: values[rows], (x, y)))

    return take


class Calls:
    """A loop in Python over calls of the program of one step."""

    def __init__(self, step: Step) -> None:
        self._take = jax.jit(_taking(step), donate_argnums=0)

    def __call__(self, state: Any, x: Array, y: Array, order: Array, start: int, stop: int) -> Any:
        if start == stop:  # only trace it, so that what cannot be compiled is said before the first step
            self._take.lower(state, x, y, order, start)
        for i in range(start, stop):
            state = self._take(state, x, y, order, i)
        return state

    def lower(self, state: Any, x: Array, y: Array, order: Array, start: int, stop: int) -> Any:
        """Return one step, lowered."""
        del stop
        return self._take.lower(state, x, y, order, start)
