"""Start a saved model in a fresh process and predict: `python -m bench.worker.serving.start FORMAT FILE ROWS`.

One line of JSON has the seconds of the import of what runs the model, of loading it and of the first prediction, for
one row, and then the outputs for all rows as one list.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from bench.plan.formats import EVERY_FORMAT
from bench.worker.serving import loading


def main() -> int:
    """Write what was measured; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.worker.serving.start", description=__doc__)
    parser.add_argument("format", choices=EVERY_FORMAT)
    parser.add_argument("file", type=Path)
    parser.add_argument("rows", type=Path, help="the inputs, as `write` has written them")
    parser.add_argument("--recipes", type=Path, help="the user's file, which has layers that are not Keras's own")
    options = parser.parse_args()
    wanted, rows = EVERY_FORMAT[options.format], read(options.rows)
    one = part(rows, 1)
    begun = time.perf_counter()
    importlib.import_module(wanted.package)
    imported = time.perf_counter()
    if wanted.package == "keras":
        _ready_keras(options.recipes)
    ready = time.perf_counter()
    predict = loading.load(wanted, options.file)
    loaded = time.perf_counter()
    predict(one)
    predicted = time.perf_counter()
    scores = [float(value) for array in loading.flat(predict(rows)) for value in np.asarray(array).reshape(-1)]
    seconds = {"import_s": imported - begun, "load_s": loaded - ready, "first_prediction_s": predicted - loaded}
    sys.stdout.write(json.dumps({**seconds, "scores": scores}) + "\n")
    return 0


def _ready_keras(file: Path | None) -> None:
    """Do what a process of Keras's does before it loads a model, outside of the clock."""
    from bench.worker.serving.serve import keep_float32, register

    keep_float32()
    register(file)


def write(file: Path, inputs: Any) -> None:
    """Write the inputs of a model, an array or a dictionary or sequence of arrays, to ``file``, a path in .npz."""
    if isinstance(inputs, dict):
        np.savez(file, **{f"named {name}": array for name, array in inputs.items()})
    elif isinstance(inputs, list | tuple):
        np.savez(file, **{f"number {number}": array for number, array in enumerate(inputs)})
    else:
        np.savez(file, array=inputs)


def read(file: Path) -> Any:
    """Return the inputs that `write` has written; a tuple comes back as a list."""
    with np.load(file) as archive:
        arrays = dict(archive)
    if "array" in arrays:
        return arrays["array"]
    if all(name.startswith("number ") for name in arrays):
        return [arrays[f"number {number}"] for number in range(len(arrays))]
    return {name.removeprefix("named "): array for name, array in arrays.items()}


def part(inputs: Any, rows: int) -> Any:
    """Return the first ``rows`` of the inputs of a model."""
    if isinstance(inputs, dict):
        return {name: array[:rows] for name, array in inputs.items()}
    return [array[:rows] for array in inputs] if isinstance(inputs, list) else inputs[:rows]


if __name__ == "__main__":
    sys.exit(main())
