"""The scoring of raw lines by a saved model: text in, a score and the text out, in constant memory.

A program of its own, since it imports a framework: `python -m bench.worker.score MODEL < lines`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import keras
import numpy as np

from bench.worker import precision
from datasets import tokenise
from datasets.errors import ExpectedError
from models import saved
from models.saved import Saved
from models.scores import probabilities

# Backends whose prediction is compiled here; the others only infer, and Keras drives them.
COMPILED = ("jax", "tensorflow")
# Batches that are read and encoded while one is predicted.
AHEAD = 2

Batch = tuple[list[bytes], Any]


def main() -> int:
    """Score every line of standard input; return the exit status."""
    options = _options()
    precision.keep_full()
    try:
        model = saved.load(options.model)
    except (ExpectedError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    scorer = Scorer(model, predictor(model), options.batch_size)
    try:
        scorer.stream(sys.stdin.buffer, sys.stdout.buffer, texts=not options.scores_only)
    except BrokenPipeError:
        sys.stderr.close()  # whoever read has enough: `| head`
    return 0


@dataclass(frozen=True)
class Scorer:
    """A saved model, the program that predicts ``batch_size`` of its rows, and what they do with lines."""

    model: Saved
    predict: Callable[[Any], Any]
    batch_size: int

    def stream(self, lines: Iterable[bytes], out: BinaryIO, *, texts: bool) -> None:
        """Write "score", or "score TAB text", for each line in its order; an empty line counts as well.

        The next batches are read and encoded while the program of one runs.
        """
        with ThreadPoolExecutor(1) as encoder:
            for batch, rows in _ahead(encoder, self.encoded, _batches(lines, self.batch_size)):
                scores = probabilities(self.predict(rows), logits=self.model.logits)[: len(batch)].tolist()
                shown = (b"%.4f\t%s\n" % pair for pair in zip(scores, batch, strict=True))
                out.writelines(shown if texts else (b"%.4f\n" % score for score in scores))
                out.flush()

    def encoded(self, batch: list[bytes]) -> Batch:
        """Return ``batch`` and its rows, filled up to the batch size: another number would compile again."""
        rows = self.model.encode(tokenise.ragged_text(batch))
        missing = self.batch_size - len(rows)
        return batch, np.concatenate([rows, np.zeros((missing, *rows.shape[1:]), rows.dtype)]) if missing else rows


def predictor(model: Saved) -> Callable[[Any], Any]:
    """Return the fastest way that this backend has to predict a batch of one size."""
    if keras.backend.backend() in COMPILED:
        from bench.worker import compiled

        return compiled.predictor(model.model)
    return model.model.predict_on_batch  # type: ignore[no-any-return]


def _batches(lines: Iterable[bytes], size: int) -> Iterator[list[bytes]]:
    stripped = (line.rstrip(b"\r\n") for line in lines)
    while batch := list(islice(stripped, size)):
        yield batch


def _ahead(
    pool: ThreadPoolExecutor, encode: Callable[[list[bytes]], Batch], batches: Iterator[list[bytes]]
) -> Iterator[Batch]:
    """Yield encoded batches, at most `AHEAD` of them waiting."""

    def following() -> Batch | None:
        batch = next(batches, None)
        return None if batch is None else encode(batch)

    waiting = [pool.submit(following) for _ in range(AHEAD)]
    while (batch := waiting.pop(0).result()) is not None:
        waiting.append(pool.submit(following))
        yield batch


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.worker.score", description=__doc__)
    parser.add_argument("model", type=Path, help="folder or file of a saved model")
    parser.add_argument("--batch-size", type=int, default=512, help="lines that are predicted at once")
    parser.add_argument("--scores-only", action="store_true", help="leave the texts out")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
