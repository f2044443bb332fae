"""The encoding: how a recipe wants its reviews, as data, and the arrays that follow from it; it trains nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from datasets import encode
from datasets.corpus import Ragged, Split

Rows = npt.NDArray[np.float32] | npt.NDArray[np.int32]


@dataclass(frozen=True)
class Encoding:
    """How reviews become the input of a model.

    words            "keras_ids": the sequences that `keras.datasets.imdb` serves;
                     "text": tokens of the raw text as `TextVectorization` makes them
    vocabulary_size  ids are below this number (`num_words`, `max_tokens`)
    form             "multi_hot": float32 (rows, vocabulary_size); "padded": int32 (rows, sequence_length)
    sequence_length  ids a review, for "padded"
    keep             which end of a longer review is kept, for "padded"; zeros always follow the text
    skip_top         ids below this number become unknown: the most common words say little
    """

    words: Literal["keras_ids", "text"]
    vocabulary_size: int
    form: Literal["multi_hot", "padded"]
    sequence_length: int | None = None
    keep: Literal["first", "last"] = "first"
    skip_top: int = 0


def encode_split(split: Split, encoding: Encoding) -> Rows:
    """Encode every review of ``split``, in its order."""
    return encode_sequences(sequences(split, encoding), encoding)


def sequences(split: Split, encoding: Encoding) -> Ragged:
    """Return the reviews of ``split`` as integer sequences below ``encoding.vocabulary_size``."""
    return limited(split.keras_ids if encoding.words == "keras_ids" else split.token_ranks, encoding)


def limited(numbers: Ragged, encoding: Encoding) -> Ragged:
    """Return ids below ``encoding.vocabulary_size`` from unlimited Keras ids, or from ranks of tokens."""
    by_keras = encoding.words == "keras_ids"
    limit = encode.keras_sequences if by_keras else encode.text_sequences
    return limit(numbers, encoding.vocabulary_size, skip_top=encoding.skip_top)


def encode_sequences(rows: Ragged, encoding: Encoding) -> Rows:
    """Turn integer sequences into the array that the model takes."""
    if encoding.form == "multi_hot":
        return encode.multi_hot(rows, encoding.vocabulary_size)
    if encoding.sequence_length is None:
        raise ValueError("a padded encoding needs a sequence_length; received None")
    return encode.pad(rows, encoding.sequence_length, keep=encoding.keep)
