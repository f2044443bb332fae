"""The formats into which a trained model is exported, a row each; `bench.worker.serving` exports and loads them."""

from __future__ import annotations

from dataclasses import dataclass

from bench.backends import BACKENDS, EVERY


@dataclass(frozen=True)
class Format:
    """A format of a saved model and what runs it.

    name      in tables; also the path by which a prediction in it is timed
    summary   one line for a reader who has to choose
    file      the name of the file, or of the folder of a SavedModel
    package   what runs it, by the name that is imported
    backends  those of Keras whose models are exported into it
    code      the lines that a user writes to load it and to predict
    exact     whether it computes in float32; if not, its figure may be somewhat worse
    """

    name: str
    summary: str
    file: str
    package: str
    backends: tuple[str, ...]
    code: tuple[str, ...]
    exact: bool = True


# A model as Keras saves it; every backend of Keras loads it, those that only predict included.
KERAS = Format("Keras", "Keras's own file", "model.keras", "keras", tuple(EVERY), ("model.predict_on_batch(x)",))

# Keras 3.15 exports to the others on TensorFlow: a model that was trained on JAX gets there by Keras's own file.
EXPORTED: tuple[Format, ...] = (
    Format(
        "SavedModel",
        "exported as a SavedModel, called by TensorFlow",
        "saved_model",
        "tensorflow",
        tuple(BACKENDS),
        ('model.export("saved_model")', 'serve = tensorflow.saved_model.load("saved_model").serve', "serve(x)"),
    ),
    Format(
        "ONNX",
        "exported to ONNX, called by ONNX Runtime",
        "model.onnx",
        "onnxruntime",
        ("tensorflow",),
        (
            'model.export("model.onnx", format="onnx")',
            'session = onnxruntime.InferenceSession("model.onnx")',
            "session.run(None, {name: x})",
        ),
    ),
    Format(
        "OpenVINO",
        "exported to OpenVINO's format, called by OpenVINO in float32",
        "model.xml",
        "openvino",
        ("tensorflow",),
        (
            'model.export("model.xml", format="openvino")',
            'compiled = openvino.compile_model("model.xml", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})',
            "compiled(x)",
        ),
    ),
    Format(
        "LiteRT",
        "exported to LiteRT, called by its interpreter",
        "model.tflite",
        "ai_edge_litert",
        ("tensorflow",),
        (
            'model.export("model.tflite", format="litert")',
            'interpreter = ai_edge_litert.interpreter.Interpreter("model.tflite", num_threads=processors)',
            "interpreter.set_tensor(index, x); interpreter.invoke(); interpreter.get_tensor(output)",
        ),
    ),
    Format(
        "int8",
        "weights in int8 by Keras's quantize, then predict_on_batch",
        "model.int8.keras",
        "keras",
        tuple(BACKENDS),
        ('model.quantize("int8")', "model.predict_on_batch(x)"),
        exact=False,
    ),
)

EVERY_FORMAT: dict[str, Format] = {one.name: one for one in (KERAS, *EXPORTED)}
# Paths that only the profile "serving" times.
NAMES: tuple[str, ...] = tuple(one.name for one in EXPORTED)

# Predictions in float32 differ by the order of sums alone; with weights in int8 the figure itself is compared.
PREDICTION_TOLERANCE = 1e-4
# How much worse than in float32 the deciding figure may be: a share of it.
FIGURE_TOLERANCE = 0.01
