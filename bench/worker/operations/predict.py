"""The ways to predict a batch, from rows and from text, and the hand-written floor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import cycle
from typing import Any, TypeVar

import keras
import numpy as np

from bench.plan import formats
from bench.plan.formats import Format
from bench.worker import compiled, device, floors
from bench.worker.clock import Operation
from bench.worker.operations import vectorize_text, work
from bench.worker.programs import Predictor
from bench.worker.reviews import Reviews
from bench.worker.serving import exporting
from datasets import tokenise
from models.model import create

# Reviews that stay on the device, where a path keeps any there.
RESIDENT_REVIEWS = 1_024

Batch = TypeVar("Batch")
Predict = Callable[[Any], Any]


def predict(reviews: Reviews, batch_size: int) -> Operation:
    """One `predict` a repeat; as for its users, each call builds a data pipeline."""
    model = create(reviews.recipe)
    return _moving(model, _from_rows(partial(_predict, model, batch_size), reviews, batch_size, _jit(model)))


def predict_on_batch(reviews: Reviews, batch_size: int, **settings: Any) -> Operation:
    """One `predict_on_batch` a repeat."""
    model = create(reviews.recipe, **settings)
    return _moving(model, _from_rows(model.predict_on_batch, reviews, batch_size, _jit(model)))


def eager(reviews: Reviews, batch_size: int) -> Operation:
    """The model called like a function, operation by operation."""
    model = create(reviews.recipe)
    return _moving(model, _from_rows(partial(_call, model), reviews, batch_size, {"jit_compile": False}))


def compiled_function(reviews: Reviews, batch_size: int) -> Operation:
    """One call of the compiled program a repeat."""
    model = create(reviews.recipe)
    return _moving(model, _by_program(compiled.predictor(model), reviews, batch_size))


def compiled_resident(reviews: Reviews, batch_size: int) -> Operation:
    """One call of the compiled program a repeat, on resident rows; no layer is patched.

    The scores stay on the device: what remains is the work of the layers.
    """
    model = create(reviews.recipe)
    return _moving(model, _resident(compiled.predictor(model, patch=False), reviews, batch_size))


def predict_from_text(reviews: Reviews, batch_size: int) -> Operation:
    """Raw strings by `TextVectorization`, called eagerly, then `predict_on_batch`."""
    model, layer = create(reviews.recipe), vectorize_text.layer(reviews.corpus, reviews.recipe.encoding)
    strings = vectorize_text.strings(reviews.corpus.test.text)
    batches = _in_turn(lambda start, stop: strings[start:stop], len(strings), batch_size)
    operation = _operation(lambda text: model.predict_on_batch(layer(text)), batches, batch_size, _jit(model))
    return _moving(model, operation)


def compiled_from_text(reviews: Reviews, batch_size: int) -> Operation:
    """Raw bytes by the project's encoder, then the compiled program."""
    model = create(reviews.recipe)
    predictor = compiled.predictor(model)
    encode = vectorize_text.encoder(reviews.corpus, reviews.recipe.encoding)
    texts = list(tokenise.text_rows(reviews.corpus.test.text))
    batches = _in_turn(lambda start, stop: texts[start:stop], len(texts), batch_size)
    operation = _operation(lambda text: predictor(encode(text)), batches, batch_size, predictor.resolved)
    return _moving(model, operation)


def floor(reviews: Reviews, batch_size: int) -> Operation:
    """The same arithmetic by hand in the backend's own terms, as fast as possible."""
    floors.require_same_work(reviews)
    return _by_program(floors.predictor(reviews.recipe, create(reviews.recipe)), reviews, batch_size)


def floor_resident(reviews: Reviews, batch_size: int) -> Operation:
    """The floor on resident rows; the scores stay on the device."""
    floors.require_same_work(reviews)
    return _resident(floors.predictor(reviews.recipe, create(reviews.recipe)), reviews, batch_size)


def exported(reviews: Reviews, batch_size: int, *, wanted: Format) -> Operation:
    """One call a repeat of what runs an exported model, which holds its weights where no block moves them."""
    one = reviews.timed("test").rows(0, 1).x
    run = exporting.loaded(create(reviews.recipe), reviews.recipe, wanted, one)
    return _from_rows(run, reviews, batch_size, {})


def int8(reviews: Reviews, batch_size: int) -> Operation:
    """One `predict_on_batch` a repeat of the model with weights in int8."""
    model = exporting.quantized(create(reviews.recipe), reviews.recipe)
    return _moving(model, _from_rows(model.predict_on_batch, reviews, batch_size, _jit(model)))


PATHS: dict[str, Callable[[Reviews, int], Operation]] = {
    "predict": predict,
    "predict_on_batch": predict_on_batch,
    "predict_on_batch cudnn=off": partial(predict_on_batch, cudnn=False),
    "eager": eager,
    "compiled": compiled_function,
    "compiled resident": compiled_resident,
    "predict from text": predict_from_text,
    "compiled from text": compiled_from_text,
    "floor": floor,
    "floor resident": floor_resident,
    **{one.name: partial(exported, wanted=one) for one in formats.EXPORTED if one.exact},
    "int8": int8,
}


def _predict(model: keras.Model, batch_size: int, x: Any) -> Any:
    return model.predict(x, batch_size=batch_size, verbose=0)


def _call(model: keras.Model, x: Any) -> Any:
    return _fetched(model(x, training=False))


def _moving(model: keras.Model, operation: Operation) -> Operation:
    """Return ``operation`` with the weights of ``model``, which it reads at each call, in other memory each block."""
    return replace(operation, move=partial(device.move, model))


def _by_program(predictor: Predictor, reviews: Reviews, batch_size: int) -> Operation:
    operation = _from_rows(predictor, reviews, batch_size, predictor.resolved)
    return replace(operation, program=lambda: predictor.program(reviews.timed("test").rows(0, batch_size).x))


def _resident(predictor: Predictor, reviews: Reviews, batch_size: int) -> Operation:
    data = reviews.timed("test")
    rows = min(RESIDENT_REVIEWS, len(data)) // batch_size * batch_size
    parts = (data.rows(start, start + batch_size) for start in range(0, rows, batch_size))
    batches = cycle([predictor.place(part.x) for part in parts])

    def run(repeats: int) -> Any:
        for _ in range(repeats):
            scores = predictor.run(next(batches))
        return scores

    return Operation(
        run,
        device.wait,
        work.reviews(batch_size),
        resolved=predictor.resolved,
        program=lambda: predictor.program(data.rows(0, batch_size).x),
    )


def _from_rows(predict: Predict, reviews: Reviews, batch_size: int, resolved: dict[str, Any]) -> Operation:
    batches = (batch.x for batch in work.batches(reviews.timed("test"), batch_size))
    return _operation(predict, batches, batch_size, resolved)


def _operation(predict: Predict, batches: Iterator[Any], batch_size: int, resolved: dict[str, Any]) -> Operation:
    def run(repeats: int) -> Any:
        for _ in range(repeats):
            scores = predict(next(batches))
        return scores

    return Operation(run, _fetch, work.reviews(batch_size), resolved=resolved)


def _fetch(scores: Any) -> None:
    """Return once the scores are NumPy's, which costs nothing where a path returns them so."""
    _fetched(scores)


def _fetched(scores: Any) -> Any:
    """Return the scores of each output in NumPy."""
    several = isinstance(scores, dict | list | tuple)
    return keras.tree.map_structure(np.asarray, scores) if several else np.asarray(scores)


def _in_turn(part: Callable[[int, int], Batch], rows: int, batch_size: int) -> Iterator[Batch]:
    """Cycle through batches of one size, sliced before the clock starts, in the order of `work.batches`."""
    return cycle([part(start, start + batch_size) for start in range(0, rows - batch_size + 1, batch_size)])


def _jit(model: keras.Model) -> dict[str, Any]:
    return {"jit_compile": bool(model.jit_compile)}
