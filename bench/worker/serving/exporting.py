"""Export a Keras model: each format of `bench.plan.formats` into a file of its own."""

from __future__ import annotations

import importlib.util
import re
import traceback
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras

from bench.plan.formats import KERAS, Format
from bench.worker.programs import Unsupported
from bench.worker.serving import loading
from datasets.plain_text import shortened
from models import saved
from models.recipes import Recipe

# Keras's names of the formats; the others are Keras's own files.
_EXPORTERS = {"SavedModel": "tf_saved_model", "ONNX": "onnx", "OpenVINO": "openvino", "LiteRT": "litert"}

# Of what a converter or a runtime says.
LONGEST_REASON = 160


def export(model: keras.Model, recipe: Recipe, wanted: Format, folder: Path) -> Path:
    """Write ``model``, which has predicted before, to ``folder`` in the format ``wanted`` and return the file.

    Raises Unsupported where a package is not installed, or where its converter refuses the model.
    """
    file = folder / wanted.file
    require(wanted)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of converters about themselves
            if wanted.name in _EXPORTERS:
                model.export(str(file), format=_EXPORTERS[wanted.name], verbose=False)
            else:
                (served if wanted.exact else quantized)(model, recipe).save(file)
    except Exception as error:  # whatever a converter says of what it does not know
        traceback.print_exc()
        raise Unsupported(f"{recipe.name} in the format {wanted.name} ({said(error)})") from error
    return file


def loaded(model: keras.Model, recipe: Recipe, wanted: Format, x: Any) -> loading.Predict:
    """Return what predicts by ``model`` in the format ``wanted``, once it has predicted ``x``.

    Raises Unsupported where the model cannot be exported, or does not run.
    """
    model.predict_on_batch(x)
    with TemporaryDirectory() as folder:
        file = export(model, recipe, wanted, Path(folder))
        try:
            predict = loading.load(wanted, file)
            predict(x)
        except Exception as error:  # as above
            traceback.print_exc()
            raise Unsupported(f"{recipe.name} by {wanted.name} ({said(error)})") from error
    return predict


def require(wanted: Format) -> None:
    """Raise Unsupported where a package is missing that ``wanted`` needs."""
    for package in (wanted.package, *(("tf2onnx",) if wanted.name == "ONNX" else ())):
        if importlib.util.find_spec(package) is None:
            raise Unsupported(f"{wanted.name} without the package {package} (the extra `serving` installs it)")


def served(model: keras.Model, recipe: Recipe) -> keras.Model:
    """Return a copy of ``model`` without its optimizer, whose state a server does not need.

    The suite's models are in Keras's own layers. A copy by `clone_model` would be compiled like the model.
    """
    plain = model if recipe.family == "own" else saved.stock_layers(model)
    known = {type(layer).__name__: type(layer) for layer in (plain, *plain._flatten_layers(include_self=False))}
    with TemporaryDirectory() as folder:
        file = Path(folder) / KERAS.file
        plain.save(file)
        return keras.saving.load_model(file, custom_objects=known, compile=False)


def quantized(model: keras.Model, recipe: Recipe) -> keras.Model:
    """Return a copy of ``model`` with weights in int8, where its layers have a way to do so: Keras's own have."""
    plain = served(model, recipe)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of each layer that stays as it is
        plain.quantize("int8")
    return plain


def size(file: Path) -> int:
    """Return the bytes of a format: of a file, of one with its weights beside it, or of a folder."""
    parts = file.rglob("*") if file.is_dir() else (file, *([file.with_suffix(".bin")] if file.suffix == ".xml" else ()))
    return sum(part.stat().st_size for part in parts if part.is_file())


def said(error: BaseException) -> str:
    """Return the line of what an exception says that names what is missing, or its first one, with its type."""
    lines = [line.strip("- ") for line in str(error).strip().splitlines()]
    told = next((line for line in lines if line.startswith("No conversion rule")), lines[0] if lines else "")
    return _short(f"{type(error).__name__}: {told}" if told else type(error).__name__)


def said_last(errors: str) -> str:
    """Return the exception with which a process ended, from what it wrote to standard error."""
    lines = errors.strip().splitlines() or ["no words"]
    return _short(next((line for line in reversed(lines) if _RAISED.match(line)), lines[-1]))


# The line of a traceback that names the exception; a log's levels are in capitals alone.
_RAISED = re.compile(r"[A-Za-z_][\w.]*[a-z]\w*: ")


def _short(words: str) -> str:
    """Return ``words`` without folders of this machine, shortened."""
    return shortened(re.sub(r"(?:/[\w.+-]+)+/", "", words), LONGEST_REASON)
