"""The plain definitions of the two tokenisations and of a recipe's rows: what the fast ones must equal."""

from __future__ import annotations

import string
from collections.abc import Iterable, Sequence

import numpy as np

from datasets.encoding import Encoding, Rows

PUNCTUATION = string.punctuation.encode()
LOWER = bytes.maketrans(string.ascii_uppercase.encode(), string.ascii_lowercase.encode())


def keras_ids(reviews: Iterable[bytes], word_index: Sequence[str]) -> list[list[int]]:
    """Return for each review 1 and then rank + 3 of each word that the index holds."""
    ids = {word.encode(): rank + 3 for rank, word in enumerate(word_index, start=1)}
    return [[1, *(ids[word] for word in keras_words(review) if word in ids)] for review in reviews]


def keras_words(review: bytes) -> list[bytes]:
    """Split at punctuation but the apostrophe, tabs, newlines and spaces."""
    for byte in PUNCTUATION.replace(b"'", b"") + b"\t\n":
        review = review.replace(bytes([byte]), b" ")
    return review.translate(LOWER).split(b" ")


def token_ranks(reviews: Iterable[bytes], vocabulary: Sequence[str]) -> list[list[int]]:
    """Return the rank of each token, and for one that the vocabulary lacks a rank that no limit reaches."""
    ranks = {token.encode(): rank for rank, token in enumerate(vocabulary)}
    return [[ranks.get(token, 2**31 - 3) for token in text_tokens(review)] for review in reviews]


def text_tokens(review: bytes) -> list[bytes]:
    """Split at white space and `<br />`, without punctuation."""
    return review.replace(b"<br />", b" ").translate(LOWER, PUNCTUATION).split()


def rows(reviews: Sequence[bytes], words: Sequence[str], encoding: Encoding) -> Rows:
    """Return the rows that a model takes."""
    made = [row(ids, encoding) for ids in sequences(reviews, words, encoding)]
    return np.array(made, np.float32 if encoding.form == "multi_hot" else np.int32)


def sequences(reviews: Sequence[bytes], words: Sequence[str], encoding: Encoding) -> list[list[int]]:
    """Return ids below the vocabulary's size and from `skip_top` on; others are 2 (Keras's ids) or 1 (text)."""
    by_keras = encoding.words == "keras_ids"
    first, unknown = (0, 2) if by_keras else (2, 1)
    known = range(encoding.skip_top, encoding.vocabulary_size)
    numbers = (keras_ids if by_keras else token_ranks)(reviews, words)
    return [[id_ + first if id_ + first in known else unknown for id_ in ids] for ids in numbers]


def row(ids: list[int], encoding: Encoding) -> list[int]:
    """Return the row of one review's ids."""
    if encoding.sequence_length is None:
        return [int(id_ in set(ids)) for id_ in range(encoding.vocabulary_size)]
    length = encoding.sequence_length
    kept = ids[:length] if encoding.keep == "first" else ids[-length:]
    return kept + [0] * (length - len(kept))
