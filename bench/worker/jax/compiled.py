"""The compiled programs of a Keras model in JAX: `jax.lax.fori_loop` around its stateless steps and calls."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import keras

from bench.worker import support
from bench.worker.jax.call import Call
from bench.worker.jax.layers import patched
from bench.worker.jax.loop import Loop
from bench.worker.programs import Unsupported

CONVOLUTIONS = (
    keras.layers.Conv1D,
    keras.layers.Conv1DTranspose,
    keras.layers.Conv2D,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3D,
    keras.layers.Conv3DTranspose,
    keras.layers.DepthwiseConv1D,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv1D,
    keras.layers.SeparableConv2D,
)

Array = Any  # a jax.Array, or a structure of them: the linter knows no framework
Variables = list[Any]


class State(NamedTuple):
    """What a step reads and writes: values in the order that Keras's step has; a model's own logs of its last step."""

    values: tuple[list[Array], ...]
    logs: dict[str, Array]


class Trainer(Loop):
    """Trains a Keras model by its `train_step`."""

    def __init__(self, model: keras.Model, *, patch: bool) -> None:
        uncompiled = [layer.name for layer in model._flatten_layers() if not layer.supports_jit]
        if uncompiled:
            raise Unsupported(f"the layer {uncompiled[0]}, which JAX cannot compile,")
        self._model, self._patch = model, patch
        self._logs: dict[str, Array] = {}
        super().__init__(None, self._step, in_program=not _convolves(model))

    def run(self, x: Array, y: Array, order: Array, start: int, stop: int) -> None:
        self._read(x, y, order)
        super().run(x, y, order, start, stop)

    def program(self, x: Array, y: Array, order: Array) -> dict[str, float]:
        self._read(x, y, order)
        return super().program(x, y, order)

    def figures(self) -> dict[str, Any]:
        self.write_back()
        return support.figures(self._model, self._logs)

    def write_back(self) -> None:
        if self._state is None:
            return
        for group, arrays in zip(self._variables(), self._state.values, strict=True):
            for variable, array in zip(group, arrays, strict=True):
                variable.assign(array)
        self._logs = self._state.logs
        self._state = None  # these arrays are the model's now; its callbacks may assign others

    def _variables(self) -> tuple[Variables, ...]:
        model = self._model
        groups = (model.trainable_variables, model.non_trainable_variables)
        return (*groups, model.optimizer.variables, model.metrics_variables)

    def _take(self, values: tuple[list[Array], ...], x: Array, y: Array) -> tuple[dict[str, Array], Any]:
        return self._model.train_step(values, keras.utils.pack_x_y_sample_weight(x, y))  # type: ignore[no-any-return]

    def _read(self, x: Array, y: Array, order: Array) -> None:
        """Take the model's variables as the state, where it is not there from steps before."""
        if self._state is not None:
            return
        support.build(self._model, x, y, order.shape[1])
        # Copies, because the program reuses the memory of its input and the model's variables must stay readable.
        values = tuple([jnp.copy(variable.value) for variable in group] for group in self._variables())
        self._state = State(values, self._own_logs(values, x, y, order))

    def _own_logs(self, values: tuple[list[Array], ...], x: Array, y: Array, order: Array) -> dict[str, Array]:
        """Return zeros like the logs of a step, where they are not the model's metrics."""
        if not support.may_have_own_logs(self._model):
            return {}
        batch = jax.tree.map(lambda rows: rows[order[0]], (x, y))
        logs = jax.eval_shape(lambda *arguments: self._traced(*arguments)[0], values, *batch)
        return jax.tree.map(jnp.zeros_like, logs) if support.own_logs(self._model, logs) else {}

    def _step(self, state: State, x: Array, y: Array) -> State:
        logs, values = self._traced(state.values, x, y)
        leaves, structure = jax.tree.flatten(state.values)
        after = [jnp.asarray(new, old.dtype) for new, old in zip(jax.tree.leaves(values), leaves, strict=True)]
        return State(jax.tree.unflatten(structure, after), {name: logs[name] for name in state.logs})

    def _traced(self, values: tuple[list[Array], ...], x: Array, y: Array) -> tuple[dict[str, Array], Any]:
        """Trace a step; the model's variables hold afterwards what they held before."""
        held = [(variable, variable._value) for variable in itertools.chain(*self._variables())]
        try:
            with support.tracing(), patched(self._model) if self._patch else nullcontext():
                found = self._take(values, x, y)
            if leaked := [variable.path for variable, value in held if variable._value is not value]:
                raise Unsupported(f"a step that assigns {leaked[0]} outside of its state")
            return found
        finally:
            for variable, value in held:
                variable._value = value


class Evaluator(Trainer):
    """Evaluates a Keras model by its `test_step`."""

    def _variables(self) -> tuple[Variables, ...]:
        model = self._model
        return model.trainable_variables, model.non_trainable_variables, model.metrics_variables

    def _take(self, values: tuple[list[Array], ...], x: Array, y: Array) -> tuple[dict[str, Array], Any]:
        return self._model.test_step(values, keras.utils.pack_x_y_sample_weight(x, y))  # type: ignore[no-any-return]


class Predictor(Call):
    """Predicts with a Keras model."""

    def __init__(self, model: keras.Model, *, patch: bool) -> None:
        # Gathered once: that takes as long as a small prediction. Their values are read at each call.
        self._trainable, self._non_trainable = model.trainable_variables, model.non_trainable_variables
        super().__init__(_predict(model, patch))

    def _arguments(self, rows: Array) -> tuple[Any, ...]:
        # What `value` returns outside of a scope; its look-up of the scope took 1.5 us a variable.
        return ([v._value for v in self._trainable], [v._value for v in self._non_trainable]), rows


def _convolves(model: keras.Model) -> bool:
    """Whether ``model`` has convolutions on a CPU, which XLA runs half as fast inside of a loop.

    `tests/benchmarks/test_convolutions.py` compares both ways.
    """
    return jax.default_backend() == "cpu" and any(isinstance(one, CONVOLUTIONS) for one in model._flatten_layers())


def _predict(model: keras.Model, patch: bool) -> Callable[[tuple[list[Array], list[Array]], Array], Array]:
    def predict(weights: tuple[list[Array], list[Array]], x: Array) -> Array:
        with support.tracing(), patched(model) if patch else nullcontext():
            scores, after = model.predict_step(weights, (x,))
        for variable, old, new in zip(model.non_trainable_variables, weights[1], after, strict=True):
            if new is not old:  # each call would begin with the same random numbers, for example
                raise Unsupported(f"a layer that changes {variable.path} in prediction")
        return scores

    return predict
