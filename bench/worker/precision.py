"""The precision of inference: float32 on every backend, also on the one that rounds by itself.

OpenVINO multiplies in bfloat16 wherever the processor has instructions for it, whatever a model's weights are, which
moves probabilities by some thousandths from machine to machine. Keras compiles a model for it without a word about
precision and has no option for one, so the one function that Keras calls is given that word.
"""

from __future__ import annotations

from functools import partial

import keras

FULL = {"INFERENCE_PRECISION_HINT": "f32"}


def keep_full() -> None:
    """Let models that this process compiles from now on compute in float32; asked twice, the same."""
    if keras.backend.backend() != "openvino":
        return
    import openvino

    if not isinstance(openvino.compile_model, partial):
        openvino.compile_model = partial(openvino.compile_model, config=FULL)
