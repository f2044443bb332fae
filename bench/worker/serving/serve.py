"""Score the same texts by several saved models, under one backend.

`python -m bench.worker.serving.serve MODEL...` reads a JSON list of texts from standard input and writes a JSON list
of scores for each model. It is a program, because backends that only infer have no worker.
"""

from __future__ import annotations

import json
import sys
from functools import partial

import keras

from models import saved

FULL_PRECISION = {"INFERENCE_PRECISION_HINT": "f32"}


def main(*models: str) -> int:
    """Write the scores of every text by every model, in their order; return the exit status."""
    keep_float32()
    texts = json.load(sys.stdin)
    sys.stdout.write(json.dumps([saved.load(model).score(texts).tolist() for model in models]) + "\n")
    return 0


def keep_float32() -> None:
    """Compute in float32 in every model that this process compiles from now on; a second call changes nothing.

    OpenVINO multiplies in bfloat16 wherever the processor has instructions for it, whatever the type of the weights,
    which moves probabilities by some thousandths between machines. Keras sets no precision and has no option for one,
    so the option is added to the one function that Keras calls.
    """
    if keras.backend.backend() != "openvino":
        return
    import openvino

    if not isinstance(openvino.compile_model, partial):
        openvino.compile_model = partial(openvino.compile_model, config=FULL_PRECISION)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
