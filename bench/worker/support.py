"""Which models, data and callbacks the compiled programs support, and what Keras makes before a first step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

from bench.worker.programs import Rows, Unsupported, each
from datasets.plain_text import one_line, shortened, uncoloured

# Methods that replace the training that Keras compiles; a model's own `train_step` is part of it.
REPLACED = ("fit", "make_train_function")
# By these settings of Keras `fit` ends earlier; older releases have none.
CUTS = ("max_epochs", "max_steps_per_epoch")
BATCH_HOOKS = ("on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end")
# Callbacks of Keras with a hook that does nothing unless they save every few batches.
SAVING = (keras.callbacks.ModelCheckpoint, keras.callbacks.BackupAndRestore)


def require_plain_training(model: keras.Model) -> None:
    """Raise Unsupported where `fit` would do more than call `train_step` in a compiled program."""
    if not model.compiled:
        raise Unsupported("a model without compile()")
    if model.run_eagerly:
        raise Unsupported("run_eagerly=True")
    if model.optimizer is None:
        raise Unsupported("a model without an optimizer")
    for name in REPLACED:
        if overrides(model, name):
            raise Unsupported(f"a model with a {name} of its own")
    for name in CUTS:
        if getattr(keras.config, name, lambda: None)():
            raise Unsupported(f"keras.config.set_{name}")
    if keras.distribution.distribution() is not None:
        raise Unsupported("keras.distribution")


def require_arrays(**structures: Rows) -> int:
    """Return the number of rows of all arrays; Unsupported for other data, such as a generator."""
    rows = set()
    for name, structure in structures.items():
        for leaf in keras.tree.flatten(structure):
            if leaf is None and name != "x":
                continue
            if not isinstance(leaf, np.ndarray):
                raise Unsupported(f"{name} of type {type(leaf).__name__} instead of NumPy arrays")
            if leaf.dtype.kind not in "biuf" or not leaf.ndim:
                raise Unsupported(f"an array of type {leaf.dtype} and shape {leaf.shape} in {name}")
            rows.add(len(leaf))
    if len(rows) != 1 or rows == {0}:
        raise Unsupported(f"data of {', '.join(map(str, sorted(rows))) or 'no'} rows, where one number is expected,")
    return int(rows.pop())


def require_epoch_hooks(callbacks: Iterable[keras.callbacks.Callback]) -> None:
    """Raise Unsupported for a callback that is called at each batch: a program takes many in one call."""
    for callback in callbacks:
        hooks = [hook for hook in BATCH_HOOKS if hooked(callback, hook)]
        if hooks and not (_saves_epochs(callback) and hooks == ["on_train_batch_end"]):
            raise Unsupported(f"the callback {type(callback).__name__} with {hooks[0]}")


def hooked(callback: keras.callbacks.Callback, hook: str) -> bool:
    """Whether ``callback`` does something when ``hook`` is called, by its class or for itself."""
    return hook in vars(callback) or overrides(callback, hook, keras.callbacks.Callback)


def overrides(thing: Any, method: str, base: type = keras.Model) -> bool:
    """Whether the class of ``thing`` has a ``method`` that is not the one of ``base``."""
    return bool(getattr(type(thing), method) is not getattr(base, method))


def build(model: keras.Model, x: Rows, y: Rows, batch: int) -> None:
    """Make what Keras makes before its first step: weights, metrics, and the optimizer's state."""

    def symbol(rows: Any) -> Any:
        dtype = keras.backend.standardize_dtype(rows.dtype)
        return keras.KerasTensor((batch, *rows.shape[1:]), dtype)

    with tracing():
        model._symbolic_build(data_batch=(each(symbol, x), each(symbol, y), None))


@contextmanager
def tracing() -> Iterator[None]:
    """Raise Unsupported for whatever the code of a model raises while a backend traces it."""
    try:
        yield
    except Unsupported:
        raise
    except Exception as error:
        words = shortened(one_line(uncoloured(str(error))), 200)
        raise Unsupported(f"a model that cannot be traced ({type(error).__name__}: {words})") from error


def figures(model: keras.Model, logs: dict[str, Any]) -> dict[str, Any]:
    """Return ``logs``, where a model's steps give their own, else its metrics, as numbers; and reset the metrics."""
    found = {name: np.asarray(value) for name, value in (logs or model.get_metrics_result()).items()}
    model.reset_metrics()
    return {name: value.item() if value.ndim == 0 else value for name, value in found.items()}


def may_have_own_logs(model: keras.Model) -> bool:
    """Whether the steps of ``model`` may return something else than its metrics."""
    return any(overrides(model, name) for name in ("train_step", "test_step", "compute_metrics"))


def own_logs(model: keras.Model, logs: Any) -> bool:
    """Whether ``logs`` of a step are not the model's metrics; `fit` then reports those of an epoch's last step."""
    if not isinstance(logs, dict):
        raise Unsupported(f"a train_step that returns a {type(logs).__name__} instead of a dictionary")
    return set(logs) != set(model.get_metrics_result())


def _saves_epochs(callback: keras.callbacks.Callback) -> bool:
    kinds = [kind for kind in SAVING if isinstance(callback, kind)]
    return any(not overrides(callback, "on_train_batch_end", kind) for kind in kinds) and callback.save_freq == "epoch"
