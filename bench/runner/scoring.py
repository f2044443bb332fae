"""Scoring seen from the parent: a saved model's program under a backend, lines in and scores out; no framework here."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from bench import ROOT
from bench.plan.targets import Target, environment
from bench.runner.process import WorkFailed
from datasets.errors import ExpectedError


class ScoringError(ExpectedError):
    """A model that gave no scores; the message is the program's own."""


def texts(model: Path, backend: str, given: Sequence[str]) -> list[float]:
    """Return how probably each text is positive."""
    lines = "".join(" ".join(text.splitlines()) + "\n" for text in given).encode()
    done = answer(_words(model, "--scores-only", "--batch-size", str(max(1, len(given)))), backend, lines)
    return [float(line) for line in done.splitlines()]


def stream(model: Path, backend: str, lines: IO[bytes], *, batch_size: int, scores_only: bool) -> int:
    """Let the program read ``lines`` and write to standard output itself; return its exit status."""
    words = _words(model, "--batch-size", str(batch_size), *(["--scores-only"] if scores_only else []))
    with tempfile.TemporaryDirectory(prefix="kerasmark-") as home:
        return subprocess.run(
            [sys.executable, "-m", *words], stdin=lines, env=_environment(backend, home), cwd=ROOT, check=False
        ).returncode


def serve(models: Sequence[Path], texts: Sequence[str], backend: str) -> list[list[float]]:
    """Return the probability that each text is positive, by each model, under ``backend``; WorkFailed if it fails."""
    words = ["bench.worker.serve", *map(str, models)]
    try:
        written = answer(words, backend, json.dumps(list(texts)).encode())
    except ScoringError as error:
        raise WorkFailed(f"{backend} could not serve the model: {error}") from error
    return json.loads(written.splitlines()[-1])  # type: ignore[no-any-return]


def answer(words: Sequence[str], backend: str, given: bytes) -> bytes:
    """Return what `python -m` with ``words`` writes to standard output, ``given`` its standard input.

    Raises ScoringError with its last words where it fails.
    """
    with tempfile.TemporaryDirectory(prefix="kerasmark-") as home:
        done = subprocess.run(
            [sys.executable, "-m", *words],
            input=given,
            env=_environment(backend, home),
            cwd=ROOT,
            capture_output=True,
            check=False,
        )
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise ScoringError(said[-1] if said else f"scoring ended with exit status {done.returncode}")
    return done.stdout


def _words(model: Path, *options: str) -> list[str]:
    return ["bench.worker.score", str(model.resolve()), *options]


def _environment(backend: str, keras_home: str) -> dict[str, str]:
    """Return the environment of a program that serves under ``backend``; ``keras_home`` is an empty folder."""
    return {**environment(Target(backend), keras_home), "TF_CPP_MIN_LOG_LEVEL": "2"}
