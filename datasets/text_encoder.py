"""The text encoder: from raw text to a model's input, by a vocabulary, as a recipe's reviews are encoded."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from datasets import tokenise
from datasets.corpus import Corpus, Ragged
from datasets.encode import TEXT_INDEX_FROM
from datasets.encoding import Encoding, Rows, encode_sequences, limited

TextEncoder = Callable[[Ragged], Rows]


def vocabulary(corpus: Corpus, encoding: Encoding) -> Sequence[str]:
    """Return the words that ``encoding`` needs to know, most frequent first.

    Of Keras's published index all of them: a word beyond the limit becomes "unknown", one outside the index vanishes.
    """
    by_keras = encoding.words == "keras_ids"
    return corpus.word_index if by_keras else corpus.tokens[: encoding.vocabulary_size - TEXT_INDEX_FROM]


def encoder(words: Sequence[str], encoding: Encoding) -> TextEncoder:
    """Return the function from raw text, bytes of UTF-8, to rows of a model's input; its table of words is made."""
    if encoding.words == "keras_ids":
        ids = tokenise.word_ids(words)
        return lambda text: encode_sequences(limited(tokenise.keras_ids_by(text, ids), encoding), encoding)
    ranks = tokenise.ranks(words)
    return lambda text: encode_sequences(limited(tokenise.token_ranks_by(text, ranks), encoding), encoding)
