"""Which device TensorFlow runs on, how to seed it, how to wait for it, and how to compile for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf


def probe() -> tuple[str, str]:
    """Run a small product on the default device and return its kind ("cpu", "gpu") and its name."""
    product = tf.linalg.matmul(tf.ones((8, 8)), tf.ones((8, 8)))
    kind = tf.DeviceSpec.from_string(product.device).device_type.lower()
    devices = tf.config.list_physical_devices(kind.upper())
    details = tf.config.experimental.get_device_details(devices[0]) if devices and kind == "gpu" else {}
    return kind, str(details.get("device_name", kind))


def reported() -> dict[str, Any]:
    """Return what TensorFlow says about itself: whether it compiles, its precision, its threads (0: it chooses).

    No such switch as JAX's is there for the precision: every tensor has a type of its own.
    """
    return {
        "jit": not tf.config.functions_run_eagerly(),
        "x64": False,
        "matmul_precision": "default",
        "intra_op_threads": tf.config.threading.get_intra_op_parallelism_threads(),
        "inter_op_threads": tf.config.threading.get_inter_op_parallelism_threads(),
        "auto_jit": str(tf.config.optimizer.get_jit()),
        "onednn": _onednn(),
    }


def share_compilations(folder: str) -> None:
    """Do nothing: TensorFlow traces its graphs in every process and keeps none on disk."""
    del folder


def _onednn() -> bool | None:
    """Return whether oneDNN multiplies matrices; None where this release does not say."""
    try:
        from tensorflow.python.util import _pywrap_util_port
    except ImportError:
        return None
    return bool(_pywrap_util_port.IsMklEnabled())


# Python's, NumPy's and TensorFlow's.
seed = keras.utils.set_random_seed


def wait(value: Any) -> None:
    """Return once ``value``, a tensor or a tree of them, is computed."""
    tf.nest.map_structure(np.asarray, value)


def wait_uncopied(value: Any) -> None:
    """Return once a tensor is computed, without copying it: one element is fetched."""
    tf.reshape(value, (-1,))[:1].numpy()


def move(variables: Sequence[Any]) -> None:
    """Give each of ``variables``, Keras's or TensorFlow's, other memory with the same content."""
    copies = [tf.raw_ops.DeepCopy(x=tf.convert_to_tensor(variable)) for variable in variables]
    for variable, copy in zip(variables, copies, strict=True):
        variable.assign(copy)


def peak_bytes() -> int | None:
    """Return the most of the first GPU's memory in use since `forget_peak`; None where there is no GPU."""
    return int(tf.config.experimental.get_memory_info(_GPU)["peak"]) if tf.config.list_physical_devices("GPU") else None


def forget_peak() -> None:
    """Begin the peak anew."""
    if tf.config.list_physical_devices("GPU"):
        tf.config.experimental.reset_memory_stats(_GPU)


# The one on which operations run unless told otherwise.
_GPU = "GPU:0"


def compile_function(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``function`` as a graph."""
    return tf.function(function, autograph=False)  # type: ignore[no-any-return]
