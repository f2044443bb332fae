"""Patches of Keras's methods while a program is traced: which layers are plain enough, and how it is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras

FLOATS = "float32"  # other layers compute in another type than their weights have

Patch = tuple[Any, str, Callable[..., Any]]  # a layer or an optimizer, the name of its method, the replacement


@contextmanager
def patching(patches: Sequence[Patch]) -> Iterator[None]:
    """Replace the methods inside the block; afterwards the model is Keras's again."""
    before = [(owner, name, vars(owner).get(name)) for owner, name, _ in patches]
    for owner, name, method in patches:
        setattr(owner, name, method)
    try:
        yield
    finally:
        for owner, name, original in before:
            if original is None:
                delattr(owner, name)  # uncovers the method of the class
            else:
                setattr(owner, name, original)


def lstm_patch(layer: Any, run: Callable[..., Any]) -> Patch:
    """Return the patch of a plain LSTM by ``run(layer, sequences, training)``; with a mask or a state it is Keras's."""

    def call(sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        if initial_state is not None or mask is not None:
            return type(layer).call(layer, sequences, initial_state=initial_state, mask=mask, training=training)
        return run(layer, sequences, training)

    return layer, "call", call


def dense_patch(layer: Any, run: Callable[..., Any]) -> Patch:
    """Return the patch of a plain Dense by ``run(layer, inputs)``, whose gradient is that of matrices; else Keras's."""

    def call(inputs: Any, training: bool | None = None) -> Any:
        return run(layer, inputs) if len(inputs.shape) == 2 else type(layer).call(layer, inputs, training=training)

    return layer, "call", call


def plain_lstm(layer: Any) -> bool:
    """Whether ``layer`` is an LSTM as Keras makes it by default: its last output alone, without dropout.

    Called with a mask or with a state to start from, it needs Keras's own method.
    """
    if type(layer) is not keras.layers.LSTM or layer.compute_dtype != FLOATS:
        return False
    special = ("return_sequences", "return_state", "go_backwards", "stateful", "dropout", "recurrent_dropout")
    gates = (layer.activation, layer.recurrent_activation) == (keras.activations.tanh, keras.activations.sigmoid)
    return gates and layer.use_bias and not any(getattr(layer, name) for name in special)


def plain_dropout(layer: Any) -> bool:
    """Whether ``layer`` is a Dropout that draws each value independently and drops some values, but not all."""
    plain = type(layer) is keras.layers.Dropout and layer.noise_shape is None and 0 < layer.rate < 1
    return plain and layer.compute_dtype == FLOATS


def plain_dense(layer: Any) -> bool:
    """Whether ``layer`` is a Dense layer with a bias, neither quantized nor adapted."""
    plain = type(layer) is keras.layers.Dense and layer.use_bias and layer.compute_dtype == FLOATS
    return plain and not (layer.lora_enabled or layer.quantization_mode)
