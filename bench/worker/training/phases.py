"""Training to accuracy: each phase of a recipe from fresh weights, then tested."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy.typing as npt

from bench.protocol import Learn, Train
from bench.worker import device
from bench.worker.distribution import create
from bench.worker.reviews import Encoded, Reviews
from bench.worker.training.epochs import DRIVERS, Epoch, Schedule
from bench.worker.training.evaluate import Evaluate, evaluator
from models.recipes import Phase, Recipe

Tell = Callable[..., None]


def train(reviews: Reviews, request: Train | Learn, *, tell: Tell) -> tuple[dict[str, Any], keras.Model]:
    """Train every phase named in ``request.epochs`` for that many epochs, each from fresh weights, and test it.

    Returns, for each phase, its curves by epoch, its seconds by epoch, and test accuracy and loss; and the model of the
    last one. A phase with fewer epochs than published is not tested: no source gives its accuracy.
    """
    results: dict[str, Any] = {}
    reviews = reviews.seeded(request.seed)
    for phase in (phase for phase in reviews.recipe.phases if phase.name in request.epochs):
        results[phase.name], model = _train_phase(reviews, phase, request, tell)
    return results, model


def _train_phase(
    reviews: Reviews, phase: Phase, request: Train | Learn, tell: Tell
) -> tuple[dict[str, Any], keras.Model]:
    keras.utils.clear_session()  # else the graphs and names of all models of a session accumulate
    device.seed(request.seed)
    model = create(reviews.recipe)
    data, held_out = reviews.phase(phase)
    best = Best(reviews.recipe, phase)
    history = PhaseHistory(model, best, request.epochs[phase.name], evaluator(reviews, model), held_out, tell)
    schedule = Schedule(phase.batch_size, history.epochs, request.seed)
    fell_back = DRIVERS[request.path](model, data, schedule, history.add)
    cut_short = isinstance(request, Train) and history.epochs < phase.epochs
    tested = {} if cut_short else _tested(history.test(reviews.test))
    steps = -(-len(data) // phase.batch_size)
    return {**history.result(), "steps": steps, "fell_back": fell_back, **tested}, model


def _tested(figures: dict[str, float]) -> dict[str, Any]:
    """Return the test's figures as a record has them: accuracy and loss, and beside them what else a model reports."""
    named = {f"test_{name}": figures[name] for name in ("accuracy", "loss") if name in figures}
    return {**named, "test": {name: value for name, value in figures.items() if f"test_{name}" not in named}}


@dataclass
class Best:
    """The weights of the epoch that validated best so far, where the phase restores them."""

    recipe: Recipe
    phase: Phase
    value: float = -math.inf
    weights: list[npt.NDArray[Any]] | None = None

    def see(self, found: dict[str, float], model: keras.Model) -> None:
        """Keep the weights of ``model`` if what it found decides better than before."""
        value = found[self.recipe.metric] * (1 if self.recipe.direction == "max" else -1)
        if self.phase.restore_best and value > self.value:
            self.value, self.weights = value, model.get_weights()


class PhaseHistory:
    """What the epochs of one phase gave: curves, seconds, and the best weights where the recipe restores them."""

    def __init__(
        self, model: keras.Model, best: Best, epochs: int, evaluate: Evaluate, held_out: Encoded | None, tell: Tell
    ) -> None:
        self.epochs = epochs
        self._model, self._best, self._evaluate, self._held_out, self._tell = model, best, evaluate, held_out, tell
        self._curves: dict[str, list[float]] = {}
        self._epoch_s: list[float] = []

    def add(self, epoch: Epoch) -> None:
        """Add a report of the training; at the end of an epoch, validate."""
        where = {"phase": self._best.phase.name, "epoch": len(self._epoch_s) + 1, "epochs": self.epochs}
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
        if self._best.weights is not None:
            self._model.set_weights(self._best.weights)
        return self._evaluate(data)

    def _validate(self) -> dict[str, float]:
        if self._held_out is None:
            return {}
        found = self._evaluate(self._held_out)
        self._best.see(found, self._model)
        return {f"val_{name}": value for name, value in found.items()}
