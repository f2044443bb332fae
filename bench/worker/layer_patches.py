"""Patches of Keras's layers while a program is traced: which layers are plain enough, and how methods are replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras

Patch = tuple[Any, str, Callable[..., Any]]  # a layer, the name of its method, the replacement


@contextmanager
def patching(patches: Sequence[Patch]) -> Iterator[None]:
    """Replace the methods inside the block; afterwards the model is Keras's again."""
    before = [(layer, name, vars(layer).get(name)) for layer, name, _ in patches]
    for layer, name, method in patches:
        setattr(layer, name, method)
    try:
        yield
    finally:
        for layer, name, original in before:
            if original is None:
                delattr(layer, name)  # uncovers the method of the class
            else:
                setattr(layer, name, original)


def plain_lstm(layer: Any) -> bool:
    """Whether ``layer`` is an LSTM as Keras makes it by default: its last output alone, from zeros, without dropout."""
    if type(layer) is not keras.layers.LSTM:
        return False
    special = ("return_sequences", "return_state", "go_backwards", "stateful", "dropout", "recurrent_dropout")
    gates = (layer.activation, layer.recurrent_activation) == (keras.activations.tanh, keras.activations.sigmoid)
    return gates and layer.use_bias and not any(getattr(layer, name) for name in special)


def plain_dropout(layer: Any) -> bool:
    """Whether ``layer`` is a Dropout that draws each value independently and drops some values, but not all."""
    return type(layer) is keras.layers.Dropout and layer.noise_shape is None and 0 < layer.rate < 1


def plain_dense(layer: Any) -> bool:
    """Whether ``layer`` is a Dense layer with a bias, neither quantized nor adapted."""
    return type(layer) is keras.layers.Dense and layer.use_bias and not (layer.lora_enabled or layer.quantization_mode)
