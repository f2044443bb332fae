"""Tests of the text encoder: raw text becomes the rows that a recipe's own reviews became."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from datasets.corpus import Corpus, Ragged
from datasets.encoding import Encoding, encode_split, encoder, keras_sequences, text_sequences, vocabulary

ENCODINGS = [
    Encoding(words="keras_ids", vocabulary_size=12, form="multi_hot"),
    Encoding(words="keras_ids", vocabulary_size=12, form="padded", sequence_length=6, keep="last"),
    Encoding(words="text", vocabulary_size=12, form="padded", sequence_length=6),
    Encoding(words="text", vocabulary_size=12, form="padded", sequence_length=6, skip_top=4),
    Encoding(words="keras_ids", vocabulary_size=12, form="multi_hot", skip_top=6),
]


@pytest.mark.parametrize("encoding", ENCODINGS, ids=str)
def test_raw_text_becomes_the_rows_that_were_trained_on(made_corpus: Corpus, encoding: Encoding) -> None:
    """By the vocabulary alone, as a saved model knows it: row by row what the corpus's own numbers give."""
    split = made_corpus.test
    found = encoder(tuple(vocabulary(made_corpus, encoding)), encoding)(split.text)
    assert np.array_equal(found, encode_split(split, encoding))


@pytest.mark.parametrize("encoding", ENCODINGS, ids=str)
def test_the_text_of_unknown_words_has_a_row_as_well(made_corpus: Corpus, encoding: Encoding) -> None:
    """An empty review and one without a known word: each still gets a score."""
    text = Ragged(np.frombuffer(b"zzzq", np.uint8), np.array([0, 0, 4], np.int64))
    assert len(encoder(tuple(vocabulary(made_corpus, encoding)), encoding)(text)) == 2


def test_only_as_many_tokens_are_kept_as_the_encoding_tells_apart(made_corpus: Corpus) -> None:
    """Two ids are taken, for padding and for the unknown; of Keras's index every word counts."""
    by_text = replace(ENCODINGS[2], vocabulary_size=8)
    assert tuple(vocabulary(made_corpus, by_text)) == made_corpus.tokens[:6]
    assert vocabulary(made_corpus, ENCODINGS[0]) is made_corpus.word_index


@pytest.mark.parametrize("skip_top", [0, 1, 4, 9])
def test_skip_top_is_the_rule_of_keras(skip_top: int) -> None:
    """`load_data`: an id stays where skip_top <= id < num_words, and becomes 2 elsewhere."""
    ids = np.array([1, 4, 5, 9, 12, 3, 30], np.int32)
    rows = Ragged(ids, np.array([0, 3, 7], np.int64))
    expected = [id_ if skip_top <= id_ < 10 else 2 for id_ in ids.tolist()]
    assert keras_sequences(rows, 10, skip_top=skip_top).values.tolist() == expected


def test_skip_top_makes_the_most_common_tokens_unknown() -> None:
    """Ranks 0 and 1 have the ids 2 and 3; the rest stays."""
    ranks = Ragged(np.array([0, 1, 2, 3, 7], np.int32), np.array([0, 5], np.int64))
    assert text_sequences(ranks, 8, skip_top=4).values.tolist() == [1, 1, 4, 5, 1]
