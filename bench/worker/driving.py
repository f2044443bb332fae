"""Training and prediction of any Keras model by the compiled programs, or by Keras's own where they cannot.

`kerasmark.compiled_loop` and `kerasmark.predictor` are these.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from bench.worker import compiled, support
from bench.worker.programs import Predictor, Rows, Unsupported
from bench.worker.training.loop import Batches, Training

TEST_HOOKS = ("on_test_batch_begin", "on_test_batch_end")


def compiled_loop(
    model: keras.Model,
    x: Rows,
    y: Rows = None,
    *,
    batch_size: int = 32,
    epochs: int = 1,
    shuffle: bool = True,
    seed: int = 0,
    validation_data: tuple[Rows, Rows] | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    **settings: Any,
) -> keras.callbacks.History:
    """Train ``model``, compiled with any loss, metrics and optimizer, as `fit` does, in one program for each epoch.

    x, y             NumPy arrays (rows, …), or dictionaries, tuples or lists of them for several inputs and outputs;
                     they are copied to the device as a whole
    batch_size       rows a step; a smaller last batch is trained on as well
    seed             of the order of rows (`fit` draws it from Keras's global seed)
    validation_data  (x, y), evaluated after each epoch as `evaluate` does
    callbacks        their hooks at the begin and end of training, epochs and tests are called; at the end of an epoch
                     ``model`` holds its weights and its optimizer's state, and what they change there is trained on
    settings         of `fit`

    Returns the history with the loss and metrics of each epoch under Keras's names. Nothing is printed. What was
    compiled is kept for the next call with data of the same shapes, until ``model.compile`` is called.

    Where something is not supported, a warning says what, and `fit` trains with the same arguments: settings of `fit`
    that are not listed above (sample_weight, …), data that are not NumPy arrays, callbacks that are called at each
    batch, run_eagerly, a model that the backend cannot compile. Where `fit` raises, this does.
    """
    callbacks = list(callbacks)
    asked = {name: value for name, value in settings.items() if value is not None and name != "verbose"}
    try:
        if asked:
            raise Unsupported(f"the argument {next(iter(asked))}")
        support.require_epoch_hooks(callbacks)
        training = Training(model, x, y, batch_size=batch_size, shuffle=shuffle, seed=seed)
    except Unsupported as error:
        _warn("compiled_loop", f"{error} is not supported; training by fit instead")
        given = {"batch_size": batch_size, "epochs": epochs, "shuffle": shuffle, "validation_data": validation_data}
        return model.fit(x, y, **given, callbacks=callbacks, **{"verbose": 0, **settings})
    hooks = keras.callbacks.CallbackList(
        callbacks, add_history=True, model=model, verbose=0, epochs=epochs, steps=training.count
    )
    validate = None if validation_data is None else Validation(model, validation_data, batch_size, hooks)
    _train(training, hooks, epochs, validate)
    return model.history


def predictor(model: keras.Model) -> PredictorOrKeras:
    """Return a function that predicts NumPy arrays (rows, …), or a structure of them, in one program.

    It gives what `model.predict_on_batch` gives, NumPy arrays in the structure of the model's outputs, with the weights
    that ``model`` has at the call. A new number of rows compiles again. Where the backend cannot compile the model, a
    warning says why, and `predict_on_batch` predicts.
    """
    return PredictorOrKeras(model)


class PredictorOrKeras:
    """Predicts by the compiled program until that is not supported, then by Keras."""

    def __init__(self, model: keras.Model) -> None:
        self._model = model
        self._program: Predictor | None = compiled.predictor(model)

    def __call__(self, x: Rows) -> Any:
        """Predict ``x``, all rows in one batch."""
        if self._program is None:
            return self._model.predict_on_batch(x)
        try:
            return self._program(x)
        except Unsupported as error:
            found = self._model.predict_on_batch(x)  # where this raises, too, it is the data that are wrong
            _warn("predictor", f"{error} is not supported; predicting by predict_on_batch instead")
            self._program = None
            return found


class Validation:
    """Evaluates a model as `evaluate` does: in one program where nothing but `test_step` is called."""

    def __init__(
        self, model: keras.Model, data: tuple[Any, ...], batch_size: int, hooks: keras.callbacks.CallbackList
    ) -> None:
        self._model, self._data, self._batch_size, self._hooks = model, data, batch_size, hooks
        self._batches: Batches | None = None
        x, y, weights = keras.utils.unpack_x_y_sample_weight(data)
        if weights is not None or any(support.hooked(one, hook) for one in hooks.callbacks for hook in TEST_HOOKS):
            return
        try:
            self._rows = support.require_arrays(x=x, y=y)
            self._batches = Batches(model, "evaluate", x, y, batch_size)
        except Unsupported:
            pass  # Keras evaluates, and reports no other figures

    def figures(self) -> dict[str, Any]:
        """Return loss and metrics by Keras's names, with ``val_`` before them."""
        found = self._by_keras() if self._batches is None else self._by_program(self._batches)
        return {f"val_{name}": value for name, value in found.items()}

    def _by_program(self, batches: Batches) -> dict[str, Any]:
        self._hooks.on_test_begin()
        for _ in batches.take(np.arange(self._rows)):
            pass
        figures = batches.figures()
        self._hooks.on_test_end(figures)
        return figures

    def _by_keras(self) -> dict[str, Any]:
        x, y, weights = keras.utils.unpack_x_y_sample_weight(self._data)
        given = {"sample_weight": weights, "batch_size": self._batch_size}
        return self._model.evaluate(x, y, **given, callbacks=self._hooks, verbose=0, return_dict=True)  # type: ignore[no-any-return]


def _train(training: Training, hooks: keras.callbacks.CallbackList, epochs: int, validate: Validation | None) -> None:
    model, logs = training.model, None
    model.stop_training = False
    hooks.on_train_begin()
    for epoch in range(getattr(model, "_initial_epoch", None) or 0, epochs):  # a callback may resume a training
        model.reset_metrics()
        hooks.on_epoch_begin(epoch)
        for _ in training.steps():
            pass
        logs = training.figures()
        if validate is not None:
            logs.update(validate.figures())
        hooks.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    if epochs > 0:
        model.optimizer.finalize_variable_values(model.trainable_weights)
    hooks.on_train_end(logs)


def _warn(name: str, words: str) -> None:
    warnings.warn(f"kerasmark.{name}: {words}", stacklevel=3)
