"""Train a recipe once, evaluate the final model in detail and save it: `bench train`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from bench.protocol import Json, Learn
from bench.worker.reviews import Reviews
from bench.worker.training import evaluate, metrics, phases
from datasets.encoding import vocabulary
from models import saved
from models.model import probabilities
from models.recipes import Recipe


def train_and_save(reviews: Reviews, request: Learn, *, tell: Callable[..., None]) -> Json:
    """Train every phase named in ``request.epochs``; evaluate the last one's model in detail and save it.

    Returns the result of `phases.train`, the test's figures, Keras's summary of the model and its parameters.
    """
    results, model = phases.train(reviews, request, tell=tell)
    recipe = replace(reviews.recipe, logits=_gives_logits(reviews.recipe, model))
    if request.file:
        words = vocabulary(reviews.corpus, recipe.encoding) if recipe.reads_text else ()
        saved.save(Path(request.file), model, recipe, words)
    details = _details(reviews, model, logits=recipe.logits) if recipe.reads_text else None
    last = list(results.values())[-1]
    tested = {"accuracy": last["test_accuracy"], "loss": last["test_loss"], **details} if details else None
    return {"phases": results, "tested": tested, "summary": summary(model), "parameters": int(model.count_params())}


def summary(model: keras.Model) -> str:
    """Return Keras's own summary, a line for each layer."""
    lines: list[str] = []
    model.summary(print_fn=lambda line, **_: lines.append(line), line_length=79)
    return "\n".join(line.rstrip() for line in "\n".join(lines).splitlines())


def _gives_logits(recipe: Recipe, model: keras.Model) -> bool:
    """Whether the last layer has no activation: the recipe says so, or the loss that a user compiled with."""
    return recipe.logits or bool(getattr(model.loss, "from_logits", False))


def _details(reviews: Reviews, model: keras.Model, *, logits: bool) -> dict[str, Any] | None:
    """Return the figures of a model that tells positive reviews from negative ones; None for any other."""
    scores, labels = evaluate.predictor(model)(reviews.test.x), reviews.test.y.reshape(-1).astype(np.int8)
    if np.shape(scores) != (len(labels), 1) or labels.max() > 1:
        return None
    positive = probabilities(scores, logits=logits)
    return {"roc_auc": metrics.roc_auc(positive, labels), **metrics.confusion(positive, labels)}
