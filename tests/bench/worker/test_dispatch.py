"""Dispatch of requests: what was prepared for a recipe and released goes when the next recipe comes."""

from __future__ import annotations

import pytest

from bench.backends import BACKENDS
from tests.bench import fresh

pytestmark = pytest.mark.framework

PREPARED_TWICE = """
import gc, json, tempfile, weakref
from pathlib import Path
from bench.protocol import Block, Prepare, Release
from bench.worker.dispatch import Dispatcher
from bench.worker.operations import predict, train
from datasets import cache
from tests.bench.worker.test_operations import made_corpus

made = []

def create(recipe):
    made.append(weakref.ref(model := of(recipe)))
    return model

of, predict.create, train.create = predict.create, create, create
with tempfile.TemporaryDirectory() as folder:
    cache.store(made_corpus(), Path(folder) / "made")
    dispatcher = Dispatcher(Path(folder) / "made", tell=print, import_s=1.0)
    both, steps, refused = ("pooling-logits", "pooling-dropout"), [], ""
    for recipe in both:
        dispatcher.answer(Prepare(recipe, "train", "train_on_batch", 3))
    for recipe in (*both, both[1]):
        dispatcher.answer(Block("train", "train_on_batch", 3, repeats=1, each=False, recipe=recipe))
        steps.append([int(model().optimizer.iterations.numpy()) for model in made])
    try:
        dispatcher.answer(Block("train", "train_on_batch", 3, repeats=1, each=False))
    except RuntimeError as error:
        refused = str(error)
    dispatcher.answer(Release())
    made.clear()
    frozen, alive = [], []
    for recipe in ("pooling-logits", "pooling-logits", "pooling-dropout"):
        for phase, path, size in (("train", "compiled loop", 3), ("predict", "predict_on_batch", 1)):
            dispatcher.answer(Prepare(recipe, phase, path, size))
            dispatcher.answer(Block(phase, path, size, repeats=1, each=False))
        frozen.append(gc.get_freeze_count())
        dispatcher.answer(Release())
        alive.append([model() is not None for model in made])
print(json.dumps({"frozen": frozen, "alive": alive, "steps": steps, "refused": refused}))
"""


@pytest.mark.parametrize("backend", BACKENDS)
def test_models_of_a_recipe_go_with_it(backend: str) -> None:
    """Collecting is left until then: walking all that a framework holds takes a quarter of a second and more.

    While operations of several recipes are prepared, a block is of the recipe that it names, and must name one: the
    first call of each made one step, then one block of the first and two of the second.
    """
    found = fresh.answer(PREPARED_TWICE, backend)
    assert found["steps"] == [[2, 1], [2, 2], [2, 3]]
    assert found["refused"].startswith("expected an operation that was prepared once")
    assert min(found["frozen"]) > 100_000
    assert found["alive"][-1][:4] == [False] * 4
