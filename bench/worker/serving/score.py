"""Score raw lines by a saved model in constant memory: `python -m bench.worker.serving.score MODEL < lines`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import keras
import numpy as np

from bench import backends
from bench.worker import compiled
from bench.worker.serving.serve import add_recipes, keep_float32, register
from datasets.encoding import Rows
from datasets.errors import ExpectedError
from models import saved
from models.model import probabilities
from models.saved import Saved


def main() -> int:
    """Score every line of standard input; return the exit status."""
    options = _options()
    keep_float32()
    try:
        register(options.recipes)
        model = saved.load(options.model)
    except (ExpectedError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    scorer = Scorer(model, predictor(model), options.batch_size)
    try:
        scorer.stream(sys.stdin.buffer, sys.stdout.buffer, texts=not options.scores_only)
    except BrokenPipeError:
        sys.stderr.close()  # the reader has enough: `| head`
    return 0


@dataclass(frozen=True)
class Scorer:
    """A saved model with the program that predicts ``batch_size`` rows of it."""

    model: Saved
    predict: Callable[[Any], Any]
    batch_size: int

    def stream(self, lines: Iterable[bytes], out: BinaryIO, *, texts: bool) -> None:
        """Write "score", or "score TAB text", for each line in order, empty lines included.

        A batch is read and encoded while the one before is predicted and written.
        """
        with ThreadPoolExecutor(1) as predictor:
            before: Future[None] | None = None
            for batch in _batches(lines, self.batch_size):
                rows = self.encoded(batch)
                if before is not None:
                    before.result()
                before = predictor.submit(self._write, batch, rows, out, texts=texts)
            if before is not None:
                before.result()

    def encoded(self, batch: list[bytes]) -> Rows:
        """Return the rows of ``batch``, padded to the batch size: another number would compile again."""
        rows = self.model.encode(batch)
        missing = self.batch_size - len(rows)
        return np.concatenate([rows, np.zeros((missing, *rows.shape[1:]), rows.dtype)]) if missing else rows

    def _write(self, batch: list[bytes], rows: Rows, out: BinaryIO, *, texts: bool) -> None:
        scores = probabilities(self.predict(rows), logits=self.model.logits)[: len(batch)].tolist()
        shown = (b"%.4f\t%s\n" % pair for pair in zip(scores, batch, strict=True))
        out.write(b"".join(shown if texts else (b"%.4f\n" % score for score in scores)))
        out.flush()


def predictor(model: Saved) -> Callable[[Any], Any]:
    """Return the fastest way to predict a batch of one size; backends that only infer are driven by Keras."""
    if not backends.trains(keras.backend.backend()):
        return model.model.predict_on_batch  # type: ignore[no-any-return]
    return compiled.predictor(model.model)


def _batches(lines: Iterable[bytes], size: int) -> Iterator[list[bytes]]:
    stripped = (line.rstrip(b"\r\n") for line in lines)
    while batch := list(islice(stripped, size)):
        yield batch


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.worker.serving.score", description=__doc__)
    parser.add_argument("model", type=Path, help="folder or file of a saved model")
    parser.add_argument("--batch-size", type=int, default=512, help="lines that are predicted at once")
    parser.add_argument("--scores-only", action="store_true", help="leave the texts out")
    add_recipes(parser)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
