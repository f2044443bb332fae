"""Tokenise reviews as Keras does, in its two ways.

The rule behind `keras.datasets.imdb` is that of Keras 2's `text_to_word_sequence`: punctuation becomes a space.
The rule of `TextVectorization` removes punctuation, so that "don't" stays one token and "good,bad" becomes one.
Both work on UTF-8 bytes and lower-case ASCII letters only, which `bytes.lower` and `tf.strings.lower` agree on.
"""

from __future__ import annotations

import string
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, count

import numpy as np

from datasets.corpus import Ids, Offsets, Ragged
from datasets.word_table import WordTable, word_table

START_ID = 1
UNKNOWN_ID = 2
UNSEEN_RANK = np.iinfo(np.int32).max - 2  # of a token outside the vocabulary: no limit reaches it, two ids are added
INDEX_FROM = 3  # Keras adds this to a word's rank: 0 is padding, 1 the start, 2 an unknown word, 3 unused

_DROPPED = 0  # stands for a word outside the index until it is dropped: no word has this id
_START = b"!"  # stands in front of each review: punctuation becomes a space, so no word of a review is this one
_PUNCTUATION = string.punctuation.encode()


def _lower_and_space(spaced: bytes) -> bytes:
    """Return the table of `bytes.translate` that lowers ASCII letters and makes a space of each byte of ``spaced``."""
    upper, lower = string.ascii_uppercase.encode(), string.ascii_lowercase.encode()
    return bytes.maketrans(upper + spaced, lower + b" " * len(spaced))


# Keras's filter leaves the apostrophe alone and adds tab and newline.
_KERAS = _lower_and_space(_PUNCTUATION.replace(b"'", b"") + b"\t\n")
_TEXT = _lower_and_space(string.whitespace.encode())

# Reviews that are read at once: what is made of their bytes stays in a core's cache.
_REVIEWS_AT_ONCE = 128


def keras_ids(text: Ragged, word_index: Sequence[str]) -> Ragged:
    """Return each review as `keras.datasets.imdb` serves it with an unlimited vocabulary.

    `word_index` holds the words by falling frequency, the first of rank 1; words that it lacks are dropped.
    """
    return keras_ids_by(list(text_rows(text)), keras_table(word_index))


def keras_table(word_index: Sequence[str]) -> WordTable:
    """Return the id of each word of the word index, for `keras_ids_by`."""
    ids = {word.encode(): rank + INDEX_FROM for rank, word in enumerate(word_index, start=1)}
    return word_table({_START: START_ID} | ids | {_START: START_ID}, missing=_DROPPED)


def keras_ids_by(reviews: Sequence[bytes], table: WordTable) -> Ragged:
    """Like `keras_ids`, with a table made beforehand: making it takes longer than tokenising a batch."""
    return _read(lambda some: _known(table.read(list(map(_keras_spaced, some)))), reviews)


def tokens(review: bytes) -> list[bytes]:
    """Split one review as `TextVectorization` does by default, after `<br />` became one space."""
    return _text_spaced(review).split()


def word_index(text: Ragged) -> tuple[str, ...]:
    """Return the words of `text` for `keras_ids` as Keras 2's `Tokenizer` ranks them: falling count, then as they come.

    Words are those of `keras_ids`, which lowers ASCII letters only.
    """
    words = Counter(chain.from_iterable(map(_keras_words, text_rows(text))))
    return tuple(word.decode() for word, _ in words.most_common())


def vocabulary(text: Ragged) -> tuple[str, ...]:
    """Return the tokens of `text` in the order of `TextVectorization.adapt`: falling count, then falling token."""
    return ranked(text)[0]


def ranked(text: Ragged) -> tuple[tuple[str, ...], Ragged]:
    """Return the vocabulary of `text` and its token ranks, tokenising it once."""
    seen: defaultdict[bytes, int] = defaultdict(count().__next__)  # numbers tokens as they turn up
    rows = map(tokens, text_rows(text))
    numbers = ragged_ids(np.fromiter(map(seen.__getitem__, row), np.int32, len(row)) for row in rows)
    counts = np.bincount(numbers.values, minlength=len(seen)).tolist()
    ordered = sorted(zip(counts, seen, range(len(seen)), strict=True), reverse=True)
    rank_of_number = np.empty(len(seen), np.int32)
    rank_of_number[[number for _, _, number in ordered]] = np.arange(len(seen))
    ranks = Ragged(rank_of_number[numbers.values], numbers.offsets)
    return tuple(token.decode() for _, token, _ in ordered), ranks


def token_ranks(text: Ragged, vocabulary: Sequence[str]) -> Ragged:
    """Return each review's tokens as ranks in `vocabulary`, from 0; `UNSEEN_RANK` for a token that it lacks."""
    return token_ranks_by(list(text_rows(text)), token_table(vocabulary))


def token_table(vocabulary: Sequence[str]) -> WordTable:
    """Return the rank of each token of a vocabulary, for `token_ranks_by`."""
    return word_table({token.encode(): rank for rank, token in enumerate(vocabulary)}, missing=UNSEEN_RANK)


def token_ranks_by(reviews: Sequence[bytes], table: WordTable) -> Ragged:
    """Like `token_ranks`, with a table made beforehand."""
    return _read(lambda some: table.read(list(map(_text_spaced, some))), reviews)


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


def _keras_spaced(review: bytes) -> bytes:
    """Return the start and the review's words as the word index writes them, with spaces between."""
    return _START + b" " + review.translate(_KERAS)


def _keras_words(review: bytes) -> Iterator[bytes]:
    return filter(None, review.translate(_KERAS).split(b" "))


def _text_spaced(review: bytes) -> bytes:
    """Return the review's tokens with spaces between."""
    return review.replace(b"<br />", b" ").translate(_TEXT, _PUNCTUATION)


def _known(ids: Ragged) -> Ragged:
    """Return ids of words without those that the index lacks."""
    known = ids.values != _DROPPED
    before = np.concatenate([[0], np.cumsum(known)])
    return Ragged(ids.values[known], before[ids.offsets])


def _read(read: Callable[[Sequence[bytes]], Ragged], reviews: Sequence[bytes]) -> Ragged:
    """Read some reviews at a time, on one thread: a second one, which waits for Python's lock, gained nothing."""
    parts = [read(reviews[at : at + _REVIEWS_AT_ONCE]) for at in range(0, len(reviews), _REVIEWS_AT_ONCE)]
    values = np.concatenate([np.empty(0, np.int32), *(part.values for part in parts)])
    return Ragged(values, _offsets(length for part in parts for length in np.diff(part.offsets).tolist()))


def _offsets(lengths: Iterable[int]) -> Offsets:
    return np.cumsum([0, *lengths], dtype=np.int64)
