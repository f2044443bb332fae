"""JAX's ways to write an array where memory exists already: the output takes the memory of a donated argument."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

Array = Any  # a jax.Array: the linter knows no framework
Work = Callable[[], Array]


def moves(values: int, times: int) -> dict[str, tuple[int, Work]]:
    """Return, by name, how many arrays of ``values`` float32 each way reads and writes, and the work itself.

    The work is done ``times`` over. An addition of one stands for a copy, which XLA does in one thread.
    """
    other = jnp.ones(values, jnp.float32)
    return {
        "copy": (2, _repeated(lambda _, other: other + 1, other, times)),
        "add": (3, _repeated(lambda into, other: into + other, other, times)),
    }


def _repeated(move: Callable[[Array, Array], Array], other: Array, times: int) -> Work:
    # Kept though a copy does not read it: else there is nothing to donate.
    run = jax.jit(move, donate_argnums=0, keep_unused=True)
    into = [jnp.zeros_like(other)]

    def work() -> Array:
        for _ in range(times):
            into[0] = run(into[0], other)
        return into[0]

    return work
