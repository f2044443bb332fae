"""Train a recipe once, evaluate the final model in detail and save it: `bench train`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np

from bench.protocol import Json, Learn
from bench.worker import compiled
from bench.worker.reviews import Reviews
from bench.worker.training import metrics, phases
from datasets.encoding import vocabulary
from models import saved
from models.model import probabilities


def train_and_save(reviews: Reviews, request: Learn, *, tell: Callable[..., None]) -> Json:
    """Train every phase named in ``request.epochs``; evaluate the last one's model in detail and save it.

    Returns the result of `phases.train`, the test's figures, Keras's summary of the model and its parameters.
    """
    results, model = phases.train(reviews, request, tell=tell)
    if request.file:
        words = vocabulary(reviews.corpus, reviews.recipe.encoding)
        saved.save(Path(request.file), model, reviews.recipe, words)
    last = list(results.values())[-1]
    tested = {"accuracy": last["test_accuracy"], "loss": last["test_loss"], **_details(reviews, model)}
    return {"phases": results, "tested": tested, "summary": summary(model), "parameters": int(model.count_params())}


def summary(model: keras.Model) -> str:
    """Return Keras's own summary, a line for each layer."""
    lines: list[str] = []
    model.summary(print_fn=lambda line, **_: lines.append(line), line_length=79)
    return "\n".join(line.rstrip() for line in "\n".join(lines).splitlines())


def _details(reviews: Reviews, model: keras.Model) -> dict[str, Any]:
    scores = phases.predict(compiled.predictor(model), reviews.test.x)
    positive = probabilities(scores, logits=reviews.recipe.logits)
    labels = reviews.test.y.reshape(-1).astype(np.int8)
    return {"roc_auc": metrics.roc_auc(positive, labels), **metrics.confusion(positive, labels)}
