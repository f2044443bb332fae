"""Serving seen from the parent: models saved on one backend give their scores on every other that is installed."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Sequence
from pathlib import Path

from bench import scoring
from bench.process import WorkFailed
from bench.scoring import BACKENDS, ScoringError

# Keras's other backends need a framework; this one is NumPy's own.
ALWAYS = "numpy"


def installed() -> list[str]:
    """Return the backends on which a saved model can be served here."""
    return [name for name in BACKENDS if name == ALWAYS or importlib.util.find_spec(name) is not None]


def scores(models: Sequence[Path], texts: Sequence[str], backend: str) -> list[list[float]]:
    """Return how probably each text is positive, by each model, under ``backend``; WorkFailed with its last words."""
    words = ["bench.worker.serve", *map(str, models)]
    try:
        written = scoring.answer(words, backend, json.dumps(list(texts)).encode())
    except ScoringError as error:
        raise WorkFailed(f"{backend} could not serve the model: {error}") from error
    return json.loads(written.splitlines()[-1])  # type: ignore[no-any-return]
