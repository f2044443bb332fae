"""The serving of saved models by another backend: the same texts through each of them; it judges nothing.

A program of its own, for backends that only infer have no worker: `python -m bench.worker.serve MODEL...` reads a
JSON list of texts from standard input and writes a JSON list of scores for each model.
"""

from __future__ import annotations

import json
import sys

from bench.worker import precision
from models import saved


def main(*models: str) -> int:
    """Write the scores of every text by every model, in their order; return the exit status."""
    precision.keep_full()
    texts = json.load(sys.stdin)
    sys.stdout.write(json.dumps([saved.load(model).score(texts).tolist() for model in models]) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
