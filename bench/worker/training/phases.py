"""Training to accuracy: each phase of a recipe from fresh weights, evaluated in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from bench.protocol import Learn, Train
from bench.worker import compiled, device
from bench.worker.programs import Predictor
from bench.worker.reviews import Encoded, Reviews
from bench.worker.training import metrics
from bench.worker.training.epochs import DRIVERS, Epoch, Schedule
from models.model import create, probabilities
from models.recipes import Phase

# Divides 5,000, 7,500, 10,000 and 25,000: without a smaller last batch, prediction is compiled once.
PREDICT_BATCH = 500

Tell = Callable[..., None]


def train(reviews: Reviews, request: Train | Learn, *, tell: Tell) -> tuple[dict[str, Any], keras.Model]:
    """Train every phase named in ``request.epochs`` for that many epochs, each from fresh weights, and test it.

    Returns, for each phase, its curves by epoch, its seconds by epoch, and test accuracy and loss; and the model of the
    last one. A phase with fewer epochs than published is not tested: no source gives its accuracy.
    """
    results: dict[str, Any] = {}
    for phase in (phase for phase in reviews.recipe.phases if phase.name in request.epochs):
        results[phase.name], model = _train_phase(reviews, phase, request, tell)
    return results, model


def predict(predictor: Predictor, x: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return the raw outputs for every row of ``x``, shape (rows,)."""
    starts = range(0, len(x), PREDICT_BATCH)
    return np.concatenate([predictor(x[start : start + PREDICT_BATCH]) for start in starts]).reshape(-1).astype(float)


def _train_phase(
    reviews: Reviews, phase: Phase, request: Train | Learn, tell: Tell
) -> tuple[dict[str, Any], keras.Model]:
    keras.utils.clear_session()  # else the graphs and names of all models of a session accumulate
    device.seed(request.seed)
    model = create(reviews.recipe)
    data, held_out = reviews.phase(phase)
    history = PhaseHistory(model, phase, request.epochs[phase.name], Evaluator(reviews, model), held_out, tell)
    schedule = Schedule(phase.batch_size, history.epochs, request.seed)
    DRIVERS[request.path](reviews.recipe, model, data, schedule, history.add)
    cut_short = isinstance(request, Train) and history.epochs < phase.epochs
    tested = {} if cut_short else history.test(reviews.test)
    return {**history.result(), "steps": -(-len(data.y) // phase.batch_size), **tested}, model


class Evaluator:
    """Evaluates a model; its prediction is compiled once for all epochs."""

    def __init__(self, reviews: Reviews, model: keras.Model) -> None:
        self._model, self._logits = model, reviews.recipe.logits
        self._predictor = compiled.predictor(model)

    def evaluate(self, data: Encoded) -> dict[str, float]:
        """Return accuracy and loss on ``data``; the loss includes weight penalties, as Keras reports it."""
        positive = probabilities(predict(self._predictor, data.x), logits=self._logits)
        labels = data.y.reshape(-1).astype(np.int8)
        penalty = sum(float(loss) for loss in self._model.losses)
        return {
            "accuracy": metrics.accuracy(positive, labels),
            "loss": metrics.cross_entropy(positive, labels) + penalty,
        }


class PhaseHistory:
    """What the epochs of one phase gave: curves, seconds, and the best weights where the recipe restores them."""

    def __init__(
        self, model: keras.Model, phase: Phase, epochs: int, evaluator: Evaluator, held_out: Encoded | None, tell: Tell
    ) -> None:
        self.epochs = epochs
        self._model, self._phase, self._evaluator, self._held_out, self._tell = model, phase, evaluator, held_out, tell
        self._curves: dict[str, list[float]] = {}
        self._epoch_s: list[float] = []
        self._best_accuracy = -1.0
        self._best_weights: list[npt.NDArray[Any]] | None = None

    def add(self, epoch: Epoch) -> None:
        """Add a report of the training; at the end of an epoch, validate."""
        where = {"phase": self._phase.name, "epoch": len(self._epoch_s) + 1, "epochs": self.epochs}
        if not epoch.complete:
            self._tell(**where, share=epoch.share, elapsed_s=epoch.elapsed_s)
            return
        self._epoch_s.append(epoch.duration_s)
        for name, value in {**epoch.figures, **self._validate()}.items():
            self._curves.setdefault(name, []).append(float(value))
        latest = {name: values[-1] for name, values in self._curves.items()}
        self._tell(**where, elapsed_s=epoch.elapsed_s, **latest)

    def result(self) -> dict[str, Any]:
        """Return the curves and seconds by epoch."""
        return {"curves": self._curves, "epoch_s": self._epoch_s}

    def test(self, data: Encoded) -> dict[str, float]:
        """Test the model, with its best weights where the recipe restores them."""
        if self._best_weights is not None:
            self._model.set_weights(self._best_weights)
        return {f"test_{name}": value for name, value in self._evaluator.evaluate(data).items()}

    def _validate(self) -> dict[str, float]:
        if self._held_out is None:
            return {}
        found = self._evaluator.evaluate(self._held_out)
        if self._phase.restore_best and found["accuracy"] > self._best_accuracy:
            self._best_accuracy, self._best_weights = found["accuracy"], self._model.get_weights()
        return {f"val_{name}": value for name, value in found.items()}
