"""TensorFlow's ways to write an array where memory exists already: a variable's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from bench.worker.tensorflow.device import compile_function

Tensor = Any  # a tf.Tensor: the linter knows no framework
Work = Callable[[], Tensor]


def moves(values: int, times: int) -> dict[str, tuple[int, Work]]:
    """Return, by name, how many arrays of ``values`` float32 each way reads and writes, and the work itself.

    The work is done ``times`` over, in one graph. Assigning a tensor itself would share its memory and copy nothing.
    """
    into, other = tf.Variable(tf.zeros(values)), tf.ones(values)
    return {
        "copy": (2, _repeated(lambda: into.assign(other + 1), into, times)),
        "add": (3, _repeated(lambda: into.assign_add(other), into, times)),
    }


def _repeated(move: Callable[[], Any], into: tf.Variable, times: int) -> Work:
    def body(done: Tensor) -> tuple[Tensor]:
        move()
        return (done + 1,)

    def work() -> Tensor:
        tf.while_loop(lambda done: done < times, body, (0,), parallel_iterations=1)
        return into[:1]  # one value to wait for; the variable itself would be copied

    return compile_function(work)
