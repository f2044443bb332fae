"""Load an exported model into a function that predicts; no framework is imported before it is needed.

A function takes the inputs of a model as Keras does, an array or a dictionary, tuple or list of arrays, and returns its
outputs in NumPy: one array, or a list of them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.plan.formats import Format

Predict = Callable[[Any], Any]

# ONNX's names of types, where a model may have such an input.
_ONNX_TYPES = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(uint8)": np.uint8,
    "tensor(bool)": np.bool_,
}
# OpenVINO computes in bfloat16 where the processor can, unless it is told not to.
FULL_PRECISION = {"INFERENCE_PRECISION_HINT": "f32"}


def load(wanted: Format, file: Path) -> Predict:
    """Return what predicts by the model in ``file``, which has the format ``wanted``."""
    return LOADERS[wanted.name](file)


def flat(inputs: Any) -> list[npt.NDArray[Any]]:
    """Return the arrays of ``inputs`` in the order in which Keras numbers them: those of a dictionary by name."""
    if isinstance(inputs, dict):
        return [array for name in sorted(inputs) for array in flat(inputs[name])]
    if isinstance(inputs, list | tuple):
        return [array for part in inputs for array in flat(part)]
    return [np.asarray(inputs)]


def _keras(file: Path) -> Predict:
    import keras

    model = keras.saving.load_model(file, compile=False)
    return model.predict_on_batch  # type: ignore[no-any-return]


def _saved_model(folder: Path) -> Predict:
    import tensorflow as tf

    loaded = tf.saved_model.load(str(folder))  # kept: a function does not hold the variables that it reads

    def predict(x: Any) -> Any:
        return tf.nest.map_structure(np.asarray, loaded.serve(x))

    return predict


def _onnx(file: Path) -> Predict:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    inputs = [(one.name, _ONNX_TYPES[one.type]) for one in session.get_inputs()]

    def predict(x: Any) -> Any:
        arrays = zip(inputs, flat(x), strict=True)
        named: dict[str, Any] = {name: np.asarray(array, kind) for (name, kind), array in arrays}
        return _one(session.run(None, named))

    return predict


def _openvino(file: Path) -> Predict:
    import openvino

    compiled = openvino.compile_model(str(file), "CPU", FULL_PRECISION)
    types = [one.element_type.to_dtype() for one in compiled.inputs]
    # The converter adds a number without rows where a layer holds a seed, as attention does.
    outputs = [one for one in compiled.outputs if one.partial_shape.rank.get_length()]

    def predict(x: Any) -> Any:
        answer = compiled([np.asarray(array, kind) for array, kind in zip(flat(x), types, strict=True)])
        return _one([answer[one] for one in outputs])

    return predict


def _litert(file: Path) -> Predict:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(file), num_threads=len(os.sched_getaffinity(0)))
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    shapes: list[tuple[int, ...]] = []

    def predict(x: Any) -> Any:
        arrays = [np.asarray(array, one["dtype"]) for array, one in zip(flat(x), inputs, strict=True)]
        if shapes != [array.shape for array in arrays]:
            for array, one in zip(arrays, inputs, strict=True):
                interpreter.resize_tensor_input(one["index"], array.shape)
            interpreter.allocate_tensors()
            shapes[:] = [array.shape for array in arrays]
        for array, one in zip(arrays, inputs, strict=True):
            interpreter.set_tensor(one["index"], array)
        interpreter.invoke()
        return _one([interpreter.get_tensor(one["index"]) for one in outputs])

    return predict


def _one(outputs: Sequence[npt.NDArray[Any]]) -> Any:
    """Return the only output of a model, or the list of them."""
    return outputs[0] if len(outputs) == 1 else list(outputs)


LOADERS: dict[str, Callable[[Path], Predict]] = {
    "Keras": _keras,
    "SavedModel": _saved_model,
    "ONNX": _onnx,
    "OpenVINO": _openvino,
    "LiteRT": _litert,
    "int8": _keras,
}
