"""Score text with saved models, in a process of its own under the chosen backend."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from pydantic import TypeAdapter, ValidationError

from bench import ROOT
from bench.plan.targets import Target, environment, require_installed
from bench.runner import scratch
from bench.runner.process import WorkFailed
from datasets.errors import ExpectedError

_SCORES: TypeAdapter[list[list[float]]] = TypeAdapter(list[list[float]])


def texts(model: Path, backend: str, given: Sequence[str], *, file: Path | None = None) -> list[float]:
    """Return how probably each text is positive; the user's ``file`` has the layers that are not Keras's own."""
    lines = "".join(" ".join(text.splitlines()) + "\n" for text in given).encode()
    return [
        float(score)
        for score in _answer(backend, lines, *_score(model, len(given) or 1, file, "--scores-only")).splitlines()
    ]


def stream(
    model: Path, backend: str, lines: IO[bytes], *, batch_size: int, scores_only: bool, file: Path | None = None
) -> None:
    """Score ``lines``; the process reads them and writes to standard output itself."""
    options = ["--scores-only"] if scores_only else []
    done = _run(backend, *_score(model, batch_size, file, *options), stdin=lines)
    if done.returncode:
        raise ExpectedError(f"scoring ended with exit status {done.returncode}; see its message above")


def serve(models: Sequence[Path], texts: Sequence[str], backend: str, *, file: Path | None = None) -> list[list[float]]:
    """Return the probability that each text is positive, by each model; WorkFailed if ``backend`` cannot serve."""
    try:
        words = ("bench.worker.serving.serve", *map(str, models), *_recipes(file))
        written = _answer(backend, json.dumps(list(texts)).encode(), *words)
    except ExpectedError as error:
        raise WorkFailed(f"{backend} could not serve the model: {error}") from error
    try:
        return _SCORES.validate_json((written.splitlines() or [b""])[-1])
    except ValidationError as error:
        raise WorkFailed(f"{backend} gave no scores: {error.errors()[0]['msg']}") from error


def _score(model: Path, batch_size: int, file: Path | None, *options: str) -> list[str]:
    words = ["bench.worker.serving.score", str(model.resolve()), "--batch-size", str(batch_size)]
    return [*words, *options, *_recipes(file)]


def _recipes(file: Path | None) -> list[str]:
    return ["--recipes", str(file.resolve())] if file else []


def _answer(backend: str, given: bytes, *words: str) -> bytes:
    """Return what `python -m` with ``words`` prints; ExpectedError with the last line of its errors if it fails."""
    done = _run(backend, *words, input=given, capture_output=True)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise ExpectedError(said[-1] if said else f"scoring ended with exit status {done.returncode}")
    return done.stdout


def _run(backend: str, *words: str, **streams: Any) -> subprocess.CompletedProcess[bytes]:
    require_installed([Target(backend)])
    with scratch.folder() as keras_home:
        variables = {**environment(Target(backend), str(keras_home)), "TF_CPP_MIN_LOG_LEVEL": "2"}
        return subprocess.run([sys.executable, "-m", *words], env=variables, cwd=ROOT, check=False, **streams)
