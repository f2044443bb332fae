"""The serving of saved models by another backend: the same texts through each of them; it judges nothing.

A program of its own, for backends that only infer have no worker: `python -m bench.worker.serve TEXTS MODEL...` reads
a JSON list of texts and writes a JSON list of scores for each model.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from models import saved


def main(texts_file: str, *models: str) -> int:
    """Write the scores of every text by every model, in their order; return the exit status."""
    texts = json.loads(Path(texts_file).read_text("utf-8"))
    sys.stdout.write(json.dumps([saved.load(model).score(texts).tolist() for model in models]) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
