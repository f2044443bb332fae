"""The programs that turn raw reviews into a recipe's input, for vectorizing and for predicting.

The encoder and plain Python give the recipe's rows. Keras's layer does where the recipe's words are the layer's
("text"). For a recipe on Keras's published ids it only does work of the same kind and shape: its ids are those of the
corpus's vocabulary, and of a review that is too long it keeps the first ones, never the last.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from datasets import tokenise
from datasets.corpus import Corpus, Ragged
from datasets.encoding import (
    TEXT_INDEX_FROM,
    TEXT_UNKNOWN_ID,
    Encoding,
    Rows,
    TextEncoder,
    encode_sequences,
    vocabulary,
)
from datasets.encoding import encoder as text_encoder

Strings = npt.NDArray[np.object_]

# How Keras's tokeniser of `imdb` and `TextVectorization` replace characters.
_LOWER = dict(zip(string.ascii_uppercase, string.ascii_lowercase, strict=True))
_SPACED = str.maketrans(_LOWER | dict.fromkeys(string.punctuation.replace("'", "") + "\t\n", " "))
# None removes; an empty string would too, but at half the speed.
_STRIPPED = str.maketrans(_LOWER | dict.fromkeys(string.punctuation) | dict.fromkeys(string.whitespace, " "))


def strings(text: Ragged) -> Strings:
    """Return the reviews as an array of `bytes` objects, shape (rows,): how NumPy hands strings to TensorFlow."""
    return np.array(list(tokenise.text_rows(text)), object)


def encoder(corpus: Corpus, encoding: Encoding) -> TextEncoder:
    """Return the project's tokeniser and encoder, its table of words built."""
    return text_encoder(vocabulary(corpus, encoding), encoding)


def layer(corpus: Corpus, encoding: Encoding) -> Callable[[Strings], Any]:
    """Return Keras's layer with its vocabulary given, after `<br />` became a space; also for `tf.data`'s `map`.

    TensorFlow makes the space on every backend: a custom `standardize` gets NumPy strings on JAX, another program, and
    does not trace inside `tf.data`.
    """
    import tensorflow as tf  # the layer needs it on every backend

    # The layer keeps an id for unknown words and, unless its output is multi-hot, one for padding.
    reserved = 1 if encoding.form == "multi_hot" else TEXT_INDEX_FROM
    vectorize = keras.layers.TextVectorization(
        max_tokens=encoding.vocabulary_size,
        output_mode="multi_hot" if encoding.form == "multi_hot" else "int",
        output_sequence_length=encoding.sequence_length,
        vocabulary=list(corpus.tokens[: encoding.vocabulary_size - reserved]),
    )
    return lambda reviews: vectorize(tf.strings.regex_replace(reviews, "<br />", " "))


def plain_python(corpus: Corpus, encoding: Encoding) -> Callable[[Sequence[str]], Rows]:
    """Return the obvious program: `str` methods, a dictionary, and then the encoder.

    A table lowers the letters and `split` takes a space: `str.lower` and a bare `split` know letters and spaces
    beyond ASCII as well, which would change about 350 of the 25,000 training reviews. It takes about as long.
    """
    read = _keras_reader(corpus, encoding) if encoding.words == "keras_ids" else _text_reader(corpus, encoding)
    return lambda reviews: encode_sequences(
        tokenise.ragged_ids(np.array(read(review), np.int32) for review in reviews), encoding
    )


def _keras_reader(corpus: Corpus, encoding: Encoding) -> Callable[[str], list[int]]:
    ids = {
        word: rank if rank < encoding.vocabulary_size else tokenise.UNKNOWN_ID
        for rank, word in enumerate(corpus.word_index, start=1 + tokenise.INDEX_FROM)
    }

    def read(review: str) -> list[int]:
        words = review.translate(_SPACED).split(" ")
        return [tokenise.START_ID] + [ids[word] for word in words if word in ids]

    return read


def _text_reader(corpus: Corpus, encoding: Encoding) -> Callable[[str], list[int]]:
    known = corpus.tokens[: encoding.vocabulary_size - TEXT_INDEX_FROM]
    ids = {token: id_ for id_, token in enumerate(known, start=TEXT_INDEX_FROM)}

    def read(review: str) -> list[int]:
        words = review.replace("<br />", " ").translate(_STRIPPED).split(" ")
        return [ids.get(word, TEXT_UNKNOWN_ID) for word in words if word]

    return read
