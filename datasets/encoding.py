"""How reviews become a model's input: vocabulary limits, multi-hot rows and padding, from ids or raw text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from datasets import tokenise
from datasets.corpus import Corpus, Ids, Ragged, Split
from datasets.tokenise import INDEX_FROM, START_ID, UNKNOWN_ID

PADDING_ID = 0
TEXT_UNKNOWN_ID = 1
TEXT_INDEX_FROM = 2  # `TextVectorization` keeps 0 for padding and 1 for unknown tokens

# Bytes that are read for each word of a padded row: enough for 99 in 100 of the reviews that are longer.
BYTES_A_WORD = 7

Rows = npt.NDArray[np.float32] | npt.NDArray[np.int32]
TextEncoder = Callable[[Sequence[bytes]], Rows]


@dataclass(frozen=True)
class Encoding:
    """How reviews become the input of a model.

    words            "keras_ids": the sequences that `keras.datasets.imdb` serves;
                     "text": tokens of the raw text as `TextVectorization` makes them;
                     "none": no text, see `ARRAYS`
    vocabulary_size  ids are below this number (`num_words`, `max_tokens`)
    form             "multi_hot": float32 (rows, vocabulary_size); "padded": int32 (rows, sequence_length);
                     "arrays": whatever a user's function `data` returns
    sequence_length  ids a review, for "padded"
    keep             which end of a longer review is kept, for "padded"; zeros always follow the text
    skip_top         ids below this number become unknown: the most common words say little
    """

    words: Literal["keras_ids", "text", "none"]
    vocabulary_size: int
    form: Literal["multi_hot", "padded", "arrays"]
    sequence_length: int | None = None
    keep: Literal["first", "last"] = "first"
    skip_top: int = 0


# Of a model that reads no text: its arrays come from the user's own file.
ARRAYS = Encoding(words="none", vocabulary_size=0, form="arrays")


def encode_split(split: Split, encoding: Encoding) -> Rows:
    """Encode every review of ``split``, in its order."""
    return encode_sequences(sequences(split, encoding), encoding)


def sequences(split: Split, encoding: Encoding) -> Ragged:
    """Return the reviews of ``split`` as integer sequences below ``encoding.vocabulary_size``."""
    return limited(split.keras_ids if encoding.words == "keras_ids" else split.token_ranks, encoding)


def limited(numbers: Ragged, encoding: Encoding) -> Ragged:
    """Return ids below ``encoding.vocabulary_size`` from unlimited Keras ids, or from ranks of tokens."""
    by_keras = encoding.words == "keras_ids"
    limit = keras_sequences if by_keras else text_sequences
    return limit(numbers, encoding.vocabulary_size, skip_top=encoding.skip_top)


def encode_sequences(rows: Ragged, encoding: Encoding) -> Rows:
    """Turn integer sequences into the array that the model takes."""
    if encoding.form == "multi_hot":
        return multi_hot(rows, encoding.vocabulary_size)
    if encoding.sequence_length is None:
        raise ValueError("a padded encoding needs a sequence_length; received None")
    return pad(rows, encoding.sequence_length, keep=encoding.keep)


def vocabulary(corpus: Corpus, encoding: Encoding) -> Sequence[str]:
    """Return the words that ``encoding`` needs to know, most frequent first.

    Of Keras's published index all of them: a word beyond the limit becomes "unknown", one outside the index vanishes.
    """
    by_keras = encoding.words == "keras_ids"
    return corpus.word_index if by_keras else corpus.tokens[: encoding.vocabulary_size - TEXT_INDEX_FROM]


def encoder(words: Sequence[str], encoding: Encoding) -> TextEncoder:
    """Return the function from reviews, bytes of UTF-8, to rows of a model's input; its table of words is made."""
    by_keras = encoding.words == "keras_ids"
    table = tokenise.keras_table(words) if by_keras else tokenise.token_table(words)
    read = tokenise.keras_ids_by if by_keras else tokenise.token_ranks_by

    def encode(reviews: Sequence[bytes]) -> tuple[Rows, Ragged]:
        ids = limited(read(reviews, table), encoding)
        return encode_sequences(ids, encoding), ids

    return lambda reviews: _from_one_end(encode, reviews, encoding)


def _from_one_end(
    encode: Callable[[Sequence[bytes]], tuple[Rows, Ragged]], reviews: Sequence[bytes], encoding: Encoding
) -> Rows:
    """Encode ``reviews``, and of a long one only the end that is kept, where that has words enough.

    A cut may leave a part of a word, which is the last one of the first end, or the first one of the last end. So the
    ids that are kept are right wherever one word more than `sequence_length` was found. Keras's start is no word.
    """
    if encoding.sequence_length is None:
        return encode(reviews)[0]
    most = BYTES_A_WORD * encoding.sequence_length
    kept = slice(most) if encoding.keep == "first" else slice(-most, None)
    rows, ids = encode([review[kept] for review in reviews])
    few = np.flatnonzero(np.diff(ids.offsets) <= encoding.sequence_length + 1).tolist()
    if again := [row for row in few if len(reviews[row]) > most]:
        rows[again] = encode([reviews[row] for row in again])[0]
    return rows


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
    places = np.repeat(starts, np.diff(ids.offsets))
    places += ids.values
    hot.reshape(-1)[places] = 1
    return hot


def pad(ids: Ragged, length: int, *, keep: Literal["first", "last"]) -> Ids:
    """Return rows of `length` ids, zeros after the text; of a longer review keep its first or last ids."""
    bounds = ids.offsets.tolist()
    padded = np.zeros((len(ids), length), np.int32)
    for row, start, stop in zip(padded, bounds, bounds[1:], strict=False):
        kept = slice(start, min(start + length, stop)) if keep == "first" else slice(max(start, stop - length), stop)
        row[: kept.stop - kept.start] = ids.values[kept]
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
