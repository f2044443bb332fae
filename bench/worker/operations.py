"""The operations: the one definition of each piece of work that is timed, as closures over a recipe's reviews."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import keras
import numpy as np

from bench.worker import device
from bench.worker.clock import Operation
from bench.worker.reviews import Encoded, Reviews
from datasets import tokenise
from datasets.corpus import Ragged
from datasets.encode import keras_sequences, text_sequences
from datasets.encoding import encode_sequences
from models.model import create

BYTES_PER_MEGABYTE = 1e6

Prepare = Callable[[Reviews, int], Operation]


def prepare(reviews: Reviews, *, phase: str, path: str, batch_size: int) -> Operation:
    """Return the operation ``phase`` by ``path`` on batches of ``batch_size`` reviews; KeyError where there is none."""
    keras.utils.clear_session()
    keras.utils.set_random_seed(0)
    return PATHS[phase][path](reviews, batch_size)


def _fit(reviews: Reviews, batch_size: int) -> Operation:
    """One `fit` over as many batches as there are repeats: its cost is a line, so two lengths tell the step's."""
    model, data = create(reviews.recipe), reviews.train

    def run(repeats: int) -> Any:
        rows = data.rows(0, repeats * batch_size)
        return model.fit(rows.x, rows.y, batch_size=batch_size, epochs=1, shuffle=False, verbose=0)

    return Operation(run, lambda _: _settle(model), _reviews(batch_size), len(data.y) // batch_size, _resolved(model))


def _train_on_batch(reviews: Reviews, batch_size: int) -> Operation:
    """One optimizer step a repeat, on one batch after another from NumPy arrays."""
    model, batches = create(reviews.recipe), _batches(reviews.train, batch_size)

    def run(repeats: int) -> Any:
        for _ in range(repeats):
            batch = next(batches)
            model.train_on_batch(batch.x, batch.y)

    return Operation(run, lambda _: _settle(model), _reviews(batch_size), resolved=_resolved(model))


def _predict(reviews: Reviews, batch_size: int) -> Operation:
    """One `predict` a repeat: a data pipeline is built anew each time, which is what its users pay."""
    model, batches = create(reviews.recipe), _batches(reviews.test, batch_size)

    def run(repeats: int) -> Any:
        for _ in range(repeats):
            scores = model.predict(next(batches).x, batch_size=batch_size, verbose=0)
        return scores

    return Operation(run, device.wait, _reviews(batch_size), resolved=_resolved(model))


def _predict_on_batch(reviews: Reviews, batch_size: int) -> Operation:
    """One `predict_on_batch` a repeat, NumPy in and NumPy out."""
    model, batches = create(reviews.recipe), _batches(reviews.test, batch_size)

    def run(repeats: int) -> Any:
        for _ in range(repeats):
            scores = model.predict_on_batch(next(batches).x)
        return scores

    return Operation(run, device.wait, _reviews(batch_size), resolved=_resolved(model))


def _text_vectorization(reviews: Reviews, batch_size: int) -> Operation:
    """Raw strings to the model's input by `TextVectorization`, called eagerly, its vocabulary given."""
    encoding, tokens = reviews.recipe.encoding, reviews.corpus.tokens
    layer = keras.layers.TextVectorization(
        max_tokens=encoding.vocabulary_size,
        output_mode="multi_hot" if encoding.form == "multi_hot" else "int",
        output_sequence_length=encoding.sequence_length,
        vocabulary=list(tokens[: encoding.vocabulary_size - 2]),
    )
    text = reviews.corpus.train.text.slice(0, batch_size)
    strings = np.array([bytes(text.row(i)).replace(b"<br />", b" ") for i in range(batch_size)], object)

    def run(repeats: int) -> Any:
        for _ in range(repeats):
            rows = layer(strings)
        return rows

    return Operation(run, device.wait, _bytes(text, batch_size), resolved={"layer": "TextVectorization"})


def _encoder(reviews: Reviews, batch_size: int) -> Operation:
    """Raw bytes to the model's input by the project's own tokeniser and encoder, its tables made before."""
    corpus, encoding = reviews.corpus, reviews.recipe.encoding
    text = corpus.train.text.slice(0, batch_size)
    words, ranks = tokenise.word_ids(corpus.word_index), tokenise.ranks(corpus.tokens)

    def sequences() -> Ragged:
        if encoding.words == "keras_ids":
            return keras_sequences(tokenise.keras_ids_by(text, words), encoding.vocabulary_size)
        return text_sequences(tokenise.token_ranks_by(text, ranks), encoding.vocabulary_size)

    def run(repeats: int) -> Any:
        for _ in range(repeats):
            rows = encode_sequences(sequences(), encoding)
        return rows

    return Operation(run, _ready, _bytes(text, batch_size))


def _ids(reviews: Reviews, batch_size: int) -> Operation:
    """Integer sequences to the model's input by the project's own encoder: multi-hot, or cut and padded."""
    encoding, split = reviews.recipe.encoding, reviews.corpus.train
    ids = (split.keras_ids if encoding.words == "keras_ids" else split.token_ranks).slice(0, batch_size)
    cut = keras_sequences if encoding.words == "keras_ids" else text_sequences

    def run(repeats: int) -> Any:
        for _ in range(repeats):
            rows = encode_sequences(cut(ids, encoding.vocabulary_size), encoding)
        return rows

    return Operation(run, _ready, _bytes(split.text.slice(0, batch_size), batch_size))


PATHS: dict[str, dict[str, Prepare]] = {
    "vectorize": {"TextVectorization": _text_vectorization, "encoder": _encoder, "encoder from ids": _ids},
    "train": {"fit": _fit, "train_on_batch": _train_on_batch},
    "predict": {"predict": _predict, "predict_on_batch": _predict_on_batch},
}


def _settle(model: keras.Model) -> None:
    """Wait until the model's weights are those of the last step."""
    device.wait([variable.value for variable in model.trainable_variables])


def _ready(rows: Any) -> None:
    """NumPy's arrays are ready when they are returned."""


def _resolved(model: keras.Model) -> dict[str, Any]:
    return {"jit_compile": bool(model.jit_compile)}


def _reviews(batch_size: int) -> dict[str, float]:
    return {"reviews": batch_size}


def _bytes(text: Ragged, batch_size: int) -> dict[str, float]:
    return {"reviews": batch_size, "megabytes": len(text.values) / BYTES_PER_MEGABYTE}


def _batches(data: Encoded, batch_size: int) -> Any:
    """Yield batches of one size for ever, round and round the rows."""
    whole = len(data.y) // batch_size
    for position in count():
        start = (position % whole) * batch_size
        yield data.rows(start, start + batch_size)
