"""The ways to turn reviews into a recipe's input, from raw text and from integer ids.

Every path gives the recipe's rows, `Reviews.train.x`, for the first reviews of the training split; only the floors
do not, and Keras's layer for recipes on Keras's published ids (see `vectorize_text`). The number type is the path's
own: the tutorials' arrays are float64, the layer's int64 (on JAX int32, outside `tf.data`). The ids are limited to
the vocabulary before the clock starts, as `keras.datasets.imdb.load_data` serves them.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from bench.worker import device
from bench.worker.clock import Operation
from bench.worker.operations import vectorize_text, work
from bench.worker.reviews import Reviews
from datasets import tokenise
from datasets.corpus import Ragged
from datasets.encoding import Rows, encode_sequences, sequences

# Reviews in one call of the layer inside `tf.data`: few enough for several calls to run in parallel.
REVIEWS_PER_CALL = 128


def text_vectorization(reviews: Reviews, batch_size: int) -> Operation:
    """Raw strings by `TextVectorization`, called eagerly."""
    layer = vectorize_text.layer(reviews.corpus, reviews.recipe.encoding)
    strings = vectorize_text.strings(_text(reviews, batch_size))
    return _operation(lambda: layer(strings), reviews, batch_size, device.wait, {"layer": "TextVectorization"})


def text_vectorization_in_tf_data(reviews: Reviews, batch_size: int) -> Operation:
    """Raw strings by `TextVectorization` in a parallel map of `tf.data`, as NumPy arrays of ``REVIEWS_PER_CALL`` rows.

    They are not joined, since training takes them so; joining those of a multi-hot recipe takes as long again.
    """
    import tensorflow as tf

    layer = vectorize_text.layer(reviews.corpus, reviews.recipe.encoding)
    data = tf.data.Dataset.from_tensor_slices(vectorize_text.strings(_text(reviews, batch_size)))
    data = data.batch(REVIEWS_PER_CALL).map(layer, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)
    resolved = {"layer": "TextVectorization", "reviews_per_call": REVIEWS_PER_CALL}
    return _operation(lambda: list(data.as_numpy_iterator()), reviews, batch_size, resolved=resolved)


def plain_python(reviews: Reviews, batch_size: int) -> Operation:
    """Raw strings, decoded, by `str` methods and a dictionary, then the project's encoder."""
    vectorize = vectorize_text.plain_python(reviews.corpus, reviews.recipe.encoding)
    texts = [review.decode() for review in vectorize_text.strings(_text(reviews, batch_size))]
    return _operation(lambda: vectorize(texts), reviews, batch_size)


def encoder(reviews: Reviews, batch_size: int) -> Operation:
    """Raw bytes by the project's tokeniser and encoder, whose tables are built before."""
    encode = vectorize_text.encoder(reviews.corpus, reviews.recipe.encoding)
    texts = list(tokenise.text_rows(_text(reviews, batch_size)))
    return _operation(lambda: encode(texts), reviews, batch_size)


def double_loop(reviews: Reviews, batch_size: int) -> Operation:
    """Lists of ids, a one set for each in two Python loops, as in the blog: float64, multi-hot only."""
    lists, width = _lists(reviews, batch_size), reviews.recipe.encoding.vocabulary_size

    def fill() -> npt.NDArray[np.float64]:
        hot = np.zeros((batch_size, width))
        for row, ids in enumerate(lists):
            for id_ in ids:
                hot[row, id_] = 1.0
        return hot

    return _operation(fill, reviews, batch_size)


def row_assignment(reviews: Reviews, batch_size: int) -> Operation:
    """Lists of ids, the ones of a review set at once, as in the notebook: float64, multi-hot only."""
    lists, width = _lists(reviews, batch_size), reviews.recipe.encoding.vocabulary_size

    def fill() -> npt.NDArray[np.float64]:
        hot = np.zeros((batch_size, width))
        for row, ids in enumerate(lists):
            hot[row, ids] = 1.0
        return hot

    return _operation(fill, reviews, batch_size)


def pad_sequences(reviews: Reviews, batch_size: int) -> Operation:
    """Lists of ids, cut and padded by Keras's function: padded recipes only."""
    lists, encoding = _lists(reviews, batch_size), reviews.recipe.encoding
    cut = "post" if encoding.keep == "first" else "pre"

    def pad() -> Any:
        return keras.utils.pad_sequences(lists, encoding.sequence_length, padding="post", truncating=cut)

    return _operation(pad, reviews, batch_size)


def encoder_from_ids(reviews: Reviews, batch_size: int) -> Operation:
    """Ids, laid end to end, by the project's encoder: multi-hot, or cut and padded."""
    ids, encoding = _ids(reviews, batch_size), reviews.recipe.encoding
    return _operation(lambda: encode_sequences(ids, encoding), reviews, batch_size)


def floor_from_text(reviews: Reviews, batch_size: int) -> Operation:
    """Raw bytes, each of them looked up and written once on one core, and the memory of the result.

    Every tokeniser must find out of each byte what it is. One that stops reading where a row is full may leave bytes
    out; what it does with those that it reads takes longer than this pass over all of them.
    """
    text, rows = _text(reviews, batch_size).values.tobytes(), _memory(reviews, batch_size)

    def read() -> Rows:
        text.lower()
        return rows()

    return _operation(read, reviews, batch_size)


def floor_from_ids(reviews: Reviews, batch_size: int) -> Operation:
    """Ids, laid end to end and copied so into the memory of the result, as many as it has place for."""
    ids, rows = _ids(reviews, batch_size).values, _memory(reviews, batch_size)

    def read() -> Rows:
        result = rows()
        flat = result.reshape(-1)
        flat[: len(ids)] = ids[: len(flat)]
        return result

    return _operation(read, reviews, batch_size)


def _memory(reviews: Reviews, batch_size: int) -> Callable[[], Rows]:
    """Return what makes zeroed memory of the result's size, a value of every page written so that it is allocated.

    Filling the array would write it twice, and the encoder, which leaves most zeros alone, is faster than that.
    """
    row = encode_sequences(_ids(reviews, 1), reviews.recipe.encoding)
    shape, page = (batch_size, *row.shape[1:]), mmap.PAGESIZE // row.itemsize

    def touch() -> Rows:
        rows = np.zeros(shape, row.dtype)
        rows.reshape(-1)[::page] = 1
        return rows

    return touch


PATHS: dict[str, Callable[[Reviews, int], Operation]] = {
    "TextVectorization": text_vectorization,
    "TextVectorization in tf.data": text_vectorization_in_tf_data,
    "plain Python": plain_python,
    "encoder": encoder,
    "double loop": double_loop,
    "row assignment": row_assignment,
    "pad_sequences": pad_sequences,
    "encoder from ids": encoder_from_ids,
    "floor from text": floor_from_text,
    "floor from ids": floor_from_ids,
}


def _ready(rows: Any) -> None:
    """NumPy's arrays are ready when they are returned."""


def _operation(
    vectorize: Callable[[], Any],
    reviews: Reviews,
    batch_size: int,
    wait: Callable[[Any], None] = _ready,
    resolved: dict[str, Any] | None = None,
) -> Operation:
    def run(repeats: int) -> Any:
        for _ in range(repeats):
            rows = vectorize()
        return rows

    return Operation(run, wait, work.text(_text(reviews, batch_size), batch_size), resolved=resolved or {})


def _text(reviews: Reviews, batch_size: int) -> Ragged:
    return reviews.corpus.train.text.slice(0, batch_size)


def _ids(reviews: Reviews, batch_size: int) -> Ragged:
    return sequences(reviews.corpus.train, reviews.recipe.encoding).slice(0, batch_size)


def _lists(reviews: Reviews, batch_size: int) -> list[list[int]]:
    """Return the ids as `load_data` serves them: a list of Python integers for each review."""
    ids = _ids(reviews, batch_size)
    return [ids.row(i).tolist() for i in range(batch_size)]
