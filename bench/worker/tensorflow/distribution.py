"""Data-parallel training on TensorFlow: strategies that mirror weights and add gradients up.

`MirroredStrategy` in one process, `MultiWorkerMirroredStrategy` in several.
"""

from __future__ import annotations

import json
import os
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import keras
import tensorflow as tf

from bench.worker.distribution import Member

# Each process hands whole batches to `fit`: the strategy parts them.
EACH_ITS_PART = False

_strategy: list[tf.distribute.Strategy] = []
_processes: list[int] = []


def begin(devices: int, member: Member) -> None:
    """Mirror every model made in `scope` on so many devices; ValueError where there are fewer.

    A processor is split into logical devices, which must happen before TensorFlow runs anything. Among several
    processes it is one device: the strategy takes no other.
    """
    _processes[:] = [member.processes]
    if member.processes > 1:
        _strategy[:] = [_several(devices, member)]
        return
    kind = "GPU" if tf.config.list_physical_devices("GPU") else "CPU"
    if kind == "CPU":
        (processor,) = tf.config.list_physical_devices("CPU")
        tf.config.set_logical_device_configuration(processor, [tf.config.LogicalDeviceConfiguration()] * devices)
    found = [device.name for device in tf.config.list_logical_devices(kind)]
    if len(found) < devices:
        raise ValueError(f"expected {devices} devices; TensorFlow has {len(found)}")
    _strategy[:] = [tf.distribute.MirroredStrategy(found[:devices])]


class _MultiWorker(tf.distribute.MultiWorkerMirroredStrategy):
    """The strategy, with two reductions that Keras 3 asks for and TensorFlow refuses (keras#20585; Keras 3.15.1).

    `fit` reduces its first batch, to learn the shapes of the data; and each step reduces its logs, which are numbers,
    along an axis.
    """

    def reduce(self, reduce_op: Any, value: Any, axis: int | None) -> Any:
        """Reduce ``value`` over the replicas; of a batch, a tuple, return the part of one."""
        if isinstance(value, tuple):
            return tf.nest.map_structure(lambda part: self.experimental_local_results(part)[0], value)
        (first, *_) = self.experimental_local_results(value)
        return super().reduce(reduce_op, value, axis if first.shape.rank else None)


def _several(devices: int, member: Member) -> tf.distribute.Strategy:
    """Return the strategy of several processes; each learns of the others by a variable of the environment."""
    task = {"cluster": {"worker": [*member.addresses]}, "task": {"type": "worker", "index": member.rank}}
    os.environ["TF_CONFIG"] = json.dumps(task)
    strategy = _MultiWorker()
    if strategy.num_replicas_in_sync != devices:
        raise ValueError(
            f"expected {devices} devices in {member.processes} processes; TensorFlow has "
            f"{strategy.num_replicas_in_sync}, of a processor one in each process"
        )
    return strategy


def scope() -> AbstractContextManager[object]:
    """Return the context in which models are mirrored."""
    return _strategy[0].scope()  # type: ignore[no-any-return]


def alone() -> AbstractContextManager[object]:
    """Return the context in which models are not mirrored: that outside of `scope`."""
    return nullcontext()


def copies(variable: keras.Variable) -> int:
    """Return on how many devices ``variable`` is, in all processes together."""
    return len(variable.value.values) * _processes[0]
