"""`bench score`: score text with a saved model."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated

from bench.cli import Outcome
from bench.cli.options import AT_LEAST_ONE, Flag, RecipeFile
from datasets.errors import ExpectedError


def score(
    model: Path,
    /,
    *text: str,
    file: Path | None = None,
    backend: str = "jax",
    batch_size: Annotated[int, AT_LEAST_ONE] = 512,
    scores_only: Flag = False,
    recipes: RecipeFile = None,
) -> Outcome:
    """Score text with a saved model: 0 negative, 1 positive.

    Without TEXT, every line of FILE or of standard input is scored in constant memory; output is "score TAB line".

    Parameters
    ----------
    model
        Folder that `bench train --save` wrote, or its model.keras.
    text
        Texts to score, each in quotes.
    file
        File with one text per line.
    backend
        jax, tensorflow, numpy or openvino, if installed; any of them serves what another one trained.
    batch_size
        Lines per prediction: 512 is fast, 1 answers each line at once.
    scores_only
        Print scores without their lines.
    recipes
        Your file of recipes, if the model has layers of your own.
    """
    from bench.backends import EVERY
    from bench.cli import execution
    from bench.report import score
    from bench.runner import scoring
    from datasets import errors

    backend = errors.find("backend", backend, EVERY).name
    if text:
        scores = scoring.texts(model, backend, text, file=recipes)
        return Outcome(score.Scores(text, scores) if sys.stdout.isatty() else score.plain(text, scores))
    if file is None and sys.stdin.isatty():
        execution.say("reading lines from the terminal; end with Ctrl-D")
    with _lines(file) as lines:
        scoring.stream(model, backend, lines, batch_size=batch_size, scores_only=scores_only, file=recipes)
    return Outcome()


@contextmanager
def _lines(file: Path | None) -> Iterator[IO[bytes]]:
    """Yield ``file``, or standard input, as a stream of lines."""
    if file is None:
        yield sys.stdin.buffer
        return
    try:
        opened = file.open("rb")
    except OSError as error:
        raise ExpectedError(f"expected a file with one text per line; {file}: {error.strerror}") from error
    with opened:
        yield opened
