"""Data-parallel training on JAX: Keras's own distribution, which shards each batch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import jax
import keras

from bench.worker.distribution import Member

# Each process hands its part of a batch to `fit`: Keras joins them.
EACH_ITS_PART = True

_distribution: list[keras.distribution.DataParallel] = []


def begin(devices: int, member: Member) -> None:
    """Distribute every model made in `scope` over so many devices; ValueError where there are fewer."""
    if member.processes > 1:
        jax.config.update("jax_cpu_collectives_implementation", "gloo")
        keras.distribution.initialize(",".join(member.addresses), member.processes, member.rank)
    found = keras.distribution.list_devices()
    if len(found) < devices:
        raise ValueError(f"expected {devices} devices; JAX has {len(found)}")
    _distribution[:] = [keras.distribution.DataParallel(devices=found[:devices], auto_shard_dataset=False)]


def scope() -> AbstractContextManager[object]:
    """Return the context in which models are distributed.

    The distribution is set for what comes later too, since `fit` shards by it; `keras.utils.clear_session` forgets it.
    """
    keras.distribution.set_distribution(_distribution[0])
    return nullcontext()


@contextmanager
def alone() -> Iterator[None]:
    """Distribute nothing for a while."""
    former = keras.distribution.distribution()
    keras.distribution.set_distribution(None)
    try:
        yield
    finally:
        keras.distribution.set_distribution(former)


def copies(variable: keras.Variable) -> int:
    """Return on how many devices ``variable`` is."""
    return len(variable.value.sharding.device_set)
