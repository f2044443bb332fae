"""Score the same texts by several saved models, under one backend.

`python -m bench.worker.serving.serve MODEL... [--recipes FILE]` reads a JSON list of texts from standard input and
writes a JSON list of scores for each model. It is a program, because backends that only infer have no worker.
"""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial
from pathlib import Path

import keras

from bench.worker.serving.loading import FULL_PRECISION
from models import saved, user_recipes


def main() -> int:
    """Write the scores of every text by every model, in their order; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.worker.serving.serve", description=__doc__)
    parser.add_argument("models", nargs="+")
    add_recipes(parser)
    options = parser.parse_args()
    register(options.recipes)
    keep_float32()
    texts = json.load(sys.stdin)
    sys.stdout.write(json.dumps([saved.load(model).score(texts).tolist() for model in options.models]) + "\n")
    return 0


def add_recipes(parser: argparse.ArgumentParser) -> None:
    """Add the option that names the user's file."""
    parser.add_argument("--recipes", type=Path, help="the user's file, which has layers that are not Keras's own")


def register(file: Path | None) -> None:
    """Run the user's ``file``, if there is one: Keras then knows the layers that it registers."""
    if file is not None:
        sys.path.insert(0, str(file.parent))
        user_recipes.load(file)


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
    sys.exit(main())
