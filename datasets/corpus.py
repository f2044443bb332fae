"""The corpus: labelled reviews as flat arrays, ready to be memory-mapped."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

CorpusName = Literal["imdb", "synthetic", "own"]

Ids = npt.NDArray[np.int32]
Offsets = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Ragged:
    """Rows of different length, end to end: row ``i`` is ``values[offsets[i]:offsets[i + 1]]``.

    ``values`` is a one-dimensional array (int32 ids, or the uint8 bytes of UTF-8 text);
    ``offsets`` is int64 of length rows + 1, starting at 0 and ending at ``len(values)``.
    """

    values: npt.NDArray[np.int32] | npt.NDArray[np.uint8]
    offsets: Offsets

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def row(self, index: int) -> npt.NDArray[np.int32] | npt.NDArray[np.uint8]:
        """Return row ``index`` as a view."""
        return self.values[self.offsets[index] : self.offsets[index + 1]]

    def slice(self, start: int, stop: int) -> Ragged:
        """Return the rows ``start`` to ``stop`` (exclusive); their values stay a view."""
        offsets = self.offsets[start : stop + 1]
        return Ragged(self.values[offsets[0] : offsets[-1]], offsets - offsets[0])


@dataclass(frozen=True)
class Split:
    """The training or the test half of a corpus; all arrays share one order of rows.

    text         raw reviews, UTF-8 bytes (uint8), exactly as published
    labels       1 for a positive review, 0 for a negative one; of a user's text the number of its class; uint8,
                 shape (rows,)
    keras_ids    the reviews as `keras.datasets.imdb` serves them with an unlimited vocabulary:
                 start id 1, then rank + 3 for each word of the word index
    token_ranks  the reviews as `TextVectorization` splits them after `<br />` became a space
                 (lower-cased, punctuation stripped): each token's rank, from 0, in `Corpus.tokens`;
                 `tokenise.UNSEEN_RANK` (in older caches `len(Corpus.tokens)`) for one that the training text lacks
    """

    text: Ragged
    labels: npt.NDArray[np.uint8]
    keras_ids: Ragged
    token_ranks: Ragged

    def __len__(self) -> int:
        return len(self.labels)

    def slice(self, start: int, stop: int) -> Split:
        """Return the reviews ``start`` to ``stop`` (exclusive); their values stay views."""
        stop = min(stop, len(self))
        ragged = (rows.slice(start, stop) for rows in (self.text, self.keras_ids, self.token_ranks))
        text, keras_ids, token_ranks = ragged
        return Split(text, self.labels[start:stop], keras_ids, token_ranks)


@dataclass(frozen=True)
class Corpus:
    """Reviews for training and test, with the two vocabularies that encode them.

    name        which corpus this is ("own": a user's text): results of different corpora are never compared
    digest      sha256 over the reviews (hexadecimal), which goes into every record
    word_index  the words of Keras's word index, most frequent first: the word at position 0 has rank 1. Of a user's
                text those of the training text, as Keras 2's `Tokenizer` ranks them
    tokens      the training text's tokens in the order in which `TextVectorization.adapt` ranks them:
                by falling count, ties by falling token (its own padding and unknown tokens left out)
    """

    name: CorpusName
    digest: str
    train: Split
    test: Split
    word_index: tuple[str, ...]
    tokens: tuple[str, ...]


_NO_ROWS = Ragged(np.zeros(0, np.int32), np.zeros(1, np.int64))
_NO_SPLIT = Split(_NO_ROWS, np.zeros(0, np.uint8), _NO_ROWS, _NO_ROWS)

# Of recipes that bring their own data: no reviews.
OWN = Corpus("own", "own", _NO_SPLIT, _NO_SPLIT, (), ())


def digest(*splits: Split) -> str:
    """Return the sha256 over both halves: offsets, bytes and labels, whole numbers as little-endian."""
    sha256 = hashlib.sha256()
    for split in splits:
        sha256.update(split.text.offsets.astype("<i8").tobytes())
        sha256.update(split.text.values.tobytes())
        sha256.update(split.labels.tobytes())
    return sha256.hexdigest()
