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
    """

    words: Literal["keras_ids", "text"]
    vocabulary_size: int
    form: Literal["multi_hot", "padded"]
    sequence_length: int | None = None
    keep: Literal["first", "last"] = "first"


def encode_split(split: Split, encoding: Encoding) -> Rows:
    """Encode every review of ``split``, in its order."""
    return encode_sequences(sequences(split, encoding), encoding)


def sequences(split: Split, encoding: Encoding) -> Ragged:
    """Return the reviews of ``split`` as integer sequences below ``encoding.vocabulary_size``."""
    if encoding.words == "keras_ids":
        return encode.keras_sequences(split.keras_ids, encoding.vocabulary_size)
    return encode.text_sequences(split.token_ranks, encoding.vocabulary_size)


def encode_sequences(rows: Ragged, encoding: Encoding) -> Rows:
    """Turn integer sequences into the array that the model takes."""
    if encoding.form == "multi_hot":
        return encode.multi_hot(rows, encoding.vocabulary_size)
    if encoding.sequence_length is None:
        raise ValueError("a padded encoding needs a sequence_length; received None")
    return encode.pad(rows, encoding.sequence_length, keep=encoding.keep)
