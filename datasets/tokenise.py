"""Tokenise reviews as Keras does, in its two ways.

The rule behind `keras.datasets.imdb` is that of Keras 2's `text_to_word_sequence`: punctuation becomes a space.
The rule of `TextVectorization` removes punctuation, so that "don't" stays one token and "good,bad" becomes one.
Both work on UTF-8 bytes and lower-case ASCII letters only, which `bytes.lower` and `tf.strings.lower` agree on.
"""

from __future__ import annotations

import string
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import count, repeat

import numpy as np

from datasets.corpus import Ids, Offsets, Ragged

START_ID = 1
UNKNOWN_ID = 2
INDEX_FROM = 3  # Keras adds this to a word's rank: 0 is padding, 1 the start, 2 an unknown word, 3 unused

_PUNCTUATION = string.punctuation.encode()
_LOWER = bytes.maketrans(string.ascii_uppercase.encode(), string.ascii_lowercase.encode())
# Keras's filter leaves the apostrophe alone and adds tab and newline.
_SPACED = _PUNCTUATION.replace(b"'", b"") + b"\t\n"
_LOWER_AND_SPACE = bytes.maketrans(
    string.ascii_uppercase.encode() + _SPACED,
    string.ascii_lowercase.encode() + b" " * len(_SPACED),
)


def keras_ids(text: Ragged, word_index: Sequence[str]) -> Ragged:
    """Return each review as `keras.datasets.imdb` serves it with an unlimited vocabulary.

    `word_index` holds the words by falling frequency, the first of rank 1; words that it lacks are dropped.
    """
    return keras_ids_by(text, word_ids(word_index))


def word_ids(word_index: Sequence[str]) -> dict[bytes, int]:
    """Return the id of each word of the word index, for `keras_ids_by`."""
    return {word.encode(): rank + INDEX_FROM for rank, word in enumerate(word_index, start=1)}


def keras_ids_by(text: Ragged, ids: Mapping[bytes, int]) -> Ragged:
    """Like `keras_ids`, with a table made beforehand: making it takes longer than tokenising a batch."""
    rows = _looked_up(map(_keras_words, text_rows(text)), ids, missing=0)
    return ragged_ids(_with_start(row[row != 0]) for row in rows)


def tokens(review: bytes) -> list[bytes]:
    """Split one review as `TextVectorization` does by default, after `<br />` became one space."""
    return review.replace(b"<br />", b" ").translate(_LOWER, _PUNCTUATION).split()


def vocabulary(text: Ragged) -> tuple[str, ...]:
    """Return the tokens of `text` in the order of `TextVectorization.adapt`: falling count, then falling token."""
    return ranked(text)[0]


def ranked(text: Ragged) -> tuple[tuple[str, ...], Ragged]:
    """Return the vocabulary of `text` and its token ranks, tokenising it once."""
    seen: defaultdict[bytes, int] = defaultdict(count().__next__)  # numbers tokens as they turn up
    numbers = ragged_ids(np.fromiter(map(seen.__getitem__, row), np.int32, len(row)) for row in _tokenised(text))
    counts = np.bincount(numbers.values, minlength=len(seen)).tolist()
    ordered = sorted(zip(counts, seen, range(len(seen)), strict=True), reverse=True)
    rank_of_number = np.empty(len(seen), np.int32)
    rank_of_number[[number for _, _, number in ordered]] = np.arange(len(seen))
    ranks = Ragged(rank_of_number[numbers.values], numbers.offsets)
    return tuple(token.decode() for _, token, _ in ordered), ranks


def token_ranks(text: Ragged, vocabulary: Sequence[str]) -> Ragged:
    """Return each review's tokens as ranks in `vocabulary`, from 0; `len(vocabulary)` for a token that it lacks."""
    return token_ranks_by(text, ranks(vocabulary))


def ranks(vocabulary: Sequence[str]) -> dict[bytes, int]:
    """Return the rank of each token of a vocabulary, for `token_ranks_by`."""
    return {token.encode(): rank for rank, token in enumerate(vocabulary)}


def token_ranks_by(text: Ragged, ranks: Mapping[bytes, int]) -> Ragged:
    """Like `token_ranks`, with a table made beforehand."""
    return ragged_ids(_looked_up(_tokenised(text), ranks, missing=len(ranks)))


def text_rows(text: Ragged) -> Iterator[bytes]:
    """Yield the reviews of a ragged text as bytes."""
    flat = text.values.tobytes()
    bounds = text.offsets.tolist()
    return map(flat.__getitem__, map(slice, bounds, bounds[1:]))


def ragged_text(reviews: Sequence[bytes]) -> Ragged:
    """Lay reviews end to end."""
    return Ragged(np.frombuffer(b"".join(reviews), np.uint8), _offsets(map(len, reviews)))


def ragged_ids(rows: Iterable[Ids]) -> Ragged:
    """Lay rows of ids end to end."""
    kept = list(rows)
    return Ragged(np.concatenate([np.empty(0, np.int32), *kept]), _offsets(map(len, kept)))


def _tokenised(text: Ragged) -> Iterator[list[bytes]]:
    return map(tokens, text_rows(text))


def _keras_words(review: bytes) -> list[bytes]:
    # The pieces may be empty: no word index holds the empty word, so the look-up drops them.
    return review.translate(_LOWER_AND_SPACE).split(b" ")


def _looked_up(rows: Iterable[list[bytes]], ids: Mapping[bytes, int], *, missing: int) -> Iterator[Ids]:
    find: Callable[[bytes, int], int] = ids.get
    for row in rows:
        yield np.fromiter(map(find, row, repeat(missing)), np.int32, len(row))


def _with_start(row: Ids) -> Ids:
    started = np.empty(len(row) + 1, np.int32)
    started[0] = START_ID
    started[1:] = row
    return started


def _offsets(lengths: Iterable[int]) -> Offsets:
    return np.cumsum([0, *lengths], dtype=np.int64)
