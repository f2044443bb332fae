"""Train a recipe, export its last model to every format, and start each in fresh processes: `run --profile serving`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from bench import ROOT
from bench.plan.formats import EXPORTED, KERAS, Format
from bench.protocol import Export, Json, Train
from bench.worker import support
from bench.worker.programs import Unsupported
from bench.worker.reviews import Reviews
from bench.worker.serving import exporting, loading, start
from bench.worker.training import evaluate, metrics, phases
from models import own_data
from models.model import probabilities
from models.recipes import Recipe

# Fresh processes of each format, and rows of the test data that each predicts.
STARTS, ROWS = 3, 256

Tell = Callable[..., None]


def train_and_export(reviews: Reviews, request: Export, *, tell: Tell) -> Json:
    """Train every phase named in ``request.epochs``; export and start the last one's model."""
    wanted = Train(request.recipe, request.seed, request.epochs, request.path)
    results, model = phases.train(reviews, wanted, tell=tell)
    return {"phases": results, "exports": measure(reviews, model, request.served_on, tell=tell)}


def measure(reviews: Reviews, model: keras.Model, served_on: Sequence[str] = (), *, tell: Tell) -> Json:
    """Export ``model``, start each format and return the fields of `bench.records.schema.ExportsRecord`."""
    found: list[Json] = []
    failed: dict[str, str] = {}
    with TemporaryDirectory() as folder:
        trained = Trained(reviews, model, Path(folder))
        ways = [*_ways(served_on)]
        for number, (one, backend) in enumerate(ways):
            begun = time.perf_counter()
            try:
                found.append(trained.exported(one, backend))
            except Unsupported as error:
                failed[one.name if backend == running() else f"{one.name} on {backend}"] = f"{error} is not supported"
            elapsed_s = time.perf_counter() - begun
            tell(phase="export", epoch=number + 1, epochs=len(ways), elapsed_s=elapsed_s)
        return {
            "rows": trained.rows,
            "metric": reviews.recipe.metric,
            "figure": trained.expected,
            "formats": found,
            "failed": failed,
        }


def running() -> str:
    """Return the name of the backend of this process."""
    return str(keras.backend.backend())


def _ways(served_on: Sequence[str]) -> Iterator[tuple[Format, str]]:
    """Yield each format with the backend that exports or loads it."""
    yield from ((KERAS, backend) for backend in (running(), *served_on))
    yield from ((one, running()) for one in EXPORTED if running() in one.backends)


@dataclass
class Trained:
    """A trained model with the test data, and a folder for its files."""

    reviews: Reviews
    model: keras.Model
    folder: Path

    def __post_init__(self) -> None:
        data = self.reviews.test
        sample = own_data.part(data.x, 0, ROWS)
        self.rows = min(ROWS, len(data))
        self._sample = self.folder / "rows.npz"
        start.write(self._sample, sample)
        self._scores = _numbers(self.model.predict_on_batch(sample), self.reviews.recipe)
        self.expected = self._figure(self.model.predict_on_batch)

    def exported(self, wanted: Format, backend: str) -> Json:
        """Export the model, start it some times and return the fields of its `ExportedFormat`.

        Raises Unsupported where it cannot be exported, or does not run.
        """
        file = self._file(wanted)
        starts = [self._started(wanted, file, backend) for _ in range(STARTS)]
        scores = probabilities(np.array(starts[0]["scores"]), logits=self.reviews.recipe.logits)
        if scores.shape != self._scores.shape:
            outputs = f"{scores.size} numbers for {self._scores.size}"
            raise Unsupported(f"{self.reviews.recipe.name} by {wanted.name}, which gives {outputs},")
        return {
            "format": wanted.name,
            "backend": backend,
            "bytes": exporting.size(file),
            **{name: [one[name] for one in starts] for name in ("import_s", "load_s", "first_prediction_s")},
            "prediction_difference": float(
                np.max(np.abs(scores - self._scores)) / max(1.0, np.abs(self._scores).max())
            ),
            "figure": self._figure(loading.load(wanted, file)) if backend == running() else None,
        }

    def _file(self, wanted: Format) -> Path:
        """Return the file of the model in ``wanted``, which is written once."""
        file = self.folder / wanted.file
        if file.exists():
            return file
        return exporting.export(self.model, self.reviews.recipe, wanted, self.folder)

    def _started(self, wanted: Format, file: Path, backend: str) -> Json:
        """Return what a fresh process says; Unsupported with the last line of its errors where it fails."""
        recipes = ["--recipes", self.reviews.recipe.file] if self.reviews.recipe.file else []
        words = [sys.executable, "-m", start.__name__, wanted.name, str(file), str(self._sample), *recipes]
        env = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "2"}
        done = subprocess.run(words, env=env, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.stderr.write(done.stderr)
            said = exporting.said_last(done.stderr)
            raise Unsupported(f"{self.reviews.recipe.name} by {wanted.name} on {backend} ({said})")
        return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]

    def _figure(self, predict: loading.Predict) -> float | None:
        """Return what decides on the whole test data, by ``predict``; None where a model evaluates itself."""
        data, recipe = self.reviews.test, self.reviews.recipe
        if recipe.family == "own" and support.overrides(self.model, "test_step"):
            return None
        outputs = evaluate.in_parts(predict, data.x)
        if recipe.family == "own":
            return evaluate.figures(self.model, data, _as_keras(self.model, outputs))[recipe.metric]
        labels = data.y.reshape(-1).astype(np.int8)
        return metrics.accuracy(probabilities(outputs, logits=recipe.logits), labels)


def _as_keras(model: keras.Model, outputs: Any) -> Any:
    """Return ``outputs`` in the structure of the model's own, whichever a runtime returned."""
    arrays = loading.flat(outputs)
    return arrays[0] if len(arrays) == 1 else keras.tree.pack_sequence_as(model.output, arrays)


def _numbers(outputs: Any, recipe: Recipe) -> npt.NDArray[np.float64]:
    """Return the outputs of a model as one array: probabilities of reviews."""
    return np.concatenate([probabilities(array, logits=recipe.logits) for array in loading.flat(outputs)])
