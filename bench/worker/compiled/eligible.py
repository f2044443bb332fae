"""Which layers of a Keras model are plain enough for another implementation of the same; it exchanges nothing."""

from __future__ import annotations

from typing import Any

import keras


def plain_lstm(layer: Any) -> bool:
    """Whether ``layer`` is an LSTM as Keras makes it by default: its last output alone, from zeros, without dropout."""
    if type(layer) is not keras.layers.LSTM:
        return False
    special = ("return_sequences", "return_state", "go_backwards", "stateful", "dropout", "recurrent_dropout")
    gates = (layer.activation, layer.recurrent_activation) == (keras.activations.tanh, keras.activations.sigmoid)
    return gates and layer.use_bias and not any(getattr(layer, name) for name in special)


def plain_dropout(layer: Any) -> bool:
    """Whether ``layer`` is a Dropout that draws for each value by itself, and drops some but not all."""
    return type(layer) is keras.layers.Dropout and layer.noise_shape is None and 0 < layer.rate < 1


def plain_dense(layer: Any) -> bool:
    """Whether ``layer`` is a Dense layer with a bias, neither quantized nor adapted."""
    return type(layer) is keras.layers.Dense and layer.use_bias and not (layer.lora_enabled or layer.quantization_mode)
