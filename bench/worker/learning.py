"""Learning: a recipe trained as its readers would, looked at from every side, and saved; it judges nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np

from bench.protocol import Json, Learn
from bench.worker import compiled, metrics, training
from bench.worker.reviews import Reviews
from datasets.encoding import vocabulary
from models import saved
from models.scores import probabilities


def learn(reviews: Reviews, request: Learn, *, tell: Callable[..., None]) -> Json:
    """Train every phase named in ``request.epochs``; test the last one's model closely and save it.

    Returns what `training.train` does, the test's figures, Keras's summary of the model and its parameters.
    """
    phases, model = training.train(reviews, request, tell=tell)
    if request.file:
        words = vocabulary(reviews.corpus, reviews.recipe.encoding)
        saved.save(Path(request.file), model, reviews.recipe, words)
    last = list(phases.values())[-1]
    tested = {"accuracy": last["test_accuracy"], "loss": last["test_loss"], **_examined(reviews, model)}
    return {"phases": phases, "tested": tested, "summary": summary(model), "parameters": int(model.count_params())}


def summary(model: keras.Model) -> str:
    """Return Keras's own summary, a line for each layer."""
    lines: list[str] = []
    model.summary(print_fn=lambda line, **_: lines.append(line), line_length=79)
    return "\n".join(line.rstrip() for line in "\n".join(lines).splitlines())


def _examined(reviews: Reviews, model: keras.Model) -> dict[str, Any]:
    scores = training.predict(compiled.predictor(model), reviews.test.x)
    positive = probabilities(scores, logits=reviews.recipe.logits)
    labels = reviews.test.y.reshape(-1).astype(np.int8)
    return {"roc_auc": metrics.roc_auc(positive, labels), **metrics.confusion(positive, labels)}
