"""Encode ids for a model: vocabulary limits, multi-hot, padding; it tokenises nothing and knows no framework."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from datasets.corpus import Ids, Ragged
from datasets.tokenise import INDEX_FROM, START_ID, UNKNOWN_ID

PADDING_ID = 0
TEXT_UNKNOWN_ID = 1
TEXT_INDEX_FROM = 2  # `TextVectorization` keeps 0 for padding and 1 for unknown tokens


def keras_sequences(ids: Ragged, num_words: int, *, skip_top: int = 0) -> Ragged:
    """Limit the vocabulary as `keras.datasets.imdb.load_data(num_words=..., skip_top=...)` does.

    Larger ids become unknown, and with `skip_top` all that are smaller than it: the start of a review among them.
    """
    limited = np.where(ids.values >= num_words, np.int32(UNKNOWN_ID), ids.values)
    if skip_top:
        limited[ids.values < skip_top] = UNKNOWN_ID
    return Ragged(limited, ids.offsets)


def text_sequences(token_ranks: Ragged, max_tokens: int, *, skip_top: int = 0) -> Ragged:
    """Return the ids that `TextVectorization(max_tokens=...)` gives the tokens of these ranks.

    `max_tokens` must not exceed the corpus's tokens + 2: beyond, the rank of a missing token would pass for a token's.
    The layer knows no `skip_top`: here the ids below it become unknown, as in the sequences that Keras serves.
    """
    ids = token_ranks.values + np.int32(TEXT_INDEX_FROM)
    known = (ids < max_tokens) & (ids >= skip_top)
    return Ragged(np.where(known, ids, np.int32(TEXT_UNKNOWN_ID)), token_ranks.offsets)


def multi_hot(ids: Ragged, width: int) -> npt.NDArray[np.float32]:
    """Return float32 rows with 1 at each id that the review holds, shape (rows, width).

    Every id must be below `width`: apply `keras_sequences(ids, num_words=width)` first.
    """
    if len(ids.values) and (ids.values.min() < 0 or ids.values.max() >= width):
        raise ValueError(
            f"multi_hot: expected ids from 0 to {width - 1}, got {ids.values.min()} to {ids.values.max()}; "
            f"limit the vocabulary with keras_sequences first"
        )
    hot = np.zeros((len(ids), width), np.float32)
    starts = np.arange(len(ids), dtype=np.int64) * width
    hot.reshape(-1)[np.repeat(starts, np.diff(ids.offsets)) + ids.values] = 1
    return hot


def pad(ids: Ragged, length: int, *, keep: Literal["first", "last"]) -> Ids:
    """Return rows of `length` ids, zeros after the text; of a longer review keep its first or last ids."""
    lengths = np.diff(ids.offsets)
    skipped = np.maximum(lengths - length, 0) if keep == "last" else np.zeros_like(lengths)
    columns = np.arange(length)
    inside = columns < np.minimum(lengths, length)[:, None]  # (rows, length)
    sources = (ids.offsets[:-1] + skipped)[:, None] + columns  # (rows, length)
    padded = np.zeros(inside.shape, np.int32)
    padded[inside] = ids.values[sources[inside]]
    return padded


def decode_keras(ids: Iterable[int], word_index: Sequence[str]) -> str:
    """Return a review in words: the start shows as "<start>", an unknown word as "?", padding not at all."""
    return " ".join(_word(int(id_), word_index) for id_ in ids if id_ != PADDING_ID)


def decode_text(ids: Iterable[int], tokens: Sequence[str]) -> str:
    """Return tokens in words as `TextVectorization` knows them: an unknown one as "?", padding not at all."""
    return " ".join(_token(int(id_), tokens) for id_ in ids if id_ != PADDING_ID)


def _token(id_: int, tokens: Sequence[str]) -> str:
    rank = id_ - TEXT_INDEX_FROM
    return tokens[rank] if 0 <= rank < len(tokens) else "?"


def _word(id_: int, word_index: Sequence[str]) -> str:
    if id_ == START_ID:
        return "<start>"
    rank = id_ - INDEX_FROM
    return word_index[rank - 1] if 1 <= rank <= len(word_index) else "?"
