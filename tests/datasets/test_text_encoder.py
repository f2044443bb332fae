"""Tests of the text encoder: raw text becomes the rows that a recipe's own reviews became."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets import encoding as module
from datasets import tokenise
from datasets.corpus import Corpus, Ragged
from datasets.encoding import Encoding, encode_split, encoder, keras_sequences, text_sequences, vocabulary
from models.recipes import RECIPES
from tests.datasets import plain

ENCODINGS = [
    Encoding(words="keras_ids", vocabulary_size=12, form="multi_hot"),
    Encoding(words="keras_ids", vocabulary_size=12, form="padded", sequence_length=6, keep="last"),
    Encoding(words="text", vocabulary_size=12, form="padded", sequence_length=6),
    Encoding(words="text", vocabulary_size=12, form="padded", sequence_length=6, skip_top=4),
    Encoding(words="keras_ids", vocabulary_size=12, form="multi_hot", skip_top=6),
    Encoding(words="keras_ids", vocabulary_size=12, form="padded", sequence_length=3),
    Encoding(words="text", vocabulary_size=12, form="padded", sequence_length=3, keep="last"),
    Encoding(words="text", vocabulary_size=12, form="multi_hot"),
]

# Known words of every length that is treated in its own way, and what may stand between words or in them.
WORDS = ("a", "film", "it's", "its", "goodfilm", "goodfilms", "br", "\u00e9lan", "a\0", "x" * 16, "x" * 17, "x" * 30)
PIECES = (
    *WORDS,
    "A",
    "FILM",
    "\u00c9LAN",
    "\0",
    "'",
    "<br />",
    "<br",
    " />",
    "<BR />",
    " ",
    "\t",
    "\n",
    "\x0b",
    "\x85",
)
REVIEWS = st.lists(
    st.one_of(
        st.lists(st.sampled_from([*PIECES, *" .,-<>/"]), max_size=60).map("".join).map(str.encode),
        st.text(max_size=60).map(str.encode),
        st.binary(max_size=60),
    ),
    max_size=6,
)


@pytest.mark.parametrize("encoding", ENCODINGS, ids=str)
def test_raw_text_becomes_the_rows_that_were_trained_on(made_corpus: Corpus, encoding: Encoding) -> None:
    """By the vocabulary alone, as a saved model knows it: row by row what the corpus's own numbers give."""
    split = made_corpus.test
    found = encoder(tuple(vocabulary(made_corpus, encoding)), encoding)(list(tokenise.text_rows(split.text)))
    assert np.array_equal(found, encode_split(split, encoding))


@pytest.mark.parametrize("encoding", ENCODINGS, ids=str)
def test_the_text_of_unknown_words_has_a_row_as_well(made_corpus: Corpus, encoding: Encoding) -> None:
    """An empty review and one without a known word: each still gets a score."""
    assert len(encoder(tuple(vocabulary(made_corpus, encoding)), encoding)([b"", b"zzzq"])) == 2


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


@given(REVIEWS, st.sampled_from(ENCODINGS))
def test_rows_equal_those_of_the_plain_definition(reviews: list[bytes], encoding: Encoding) -> None:
    """Whatever the bytes: empty reviews, zeros, tags and words cut at any place, letters beyond ASCII, long words."""
    words = WORDS if encoding.words == "keras_ids" else WORDS[: encoding.vocabulary_size - 2]
    found = encoder(words, encoding)(reviews)
    width = encoding.sequence_length or encoding.vocabulary_size
    expected = plain.rows(reviews, words, encoding).reshape(len(reviews), width)
    assert np.array_equal(found, expected)
    assert found.dtype == expected.dtype


@pytest.mark.parametrize("bytes_a_word", range(1, 9))
@pytest.mark.parametrize("encoding", [one for one in ENCODINGS if one.form == "padded"], ids=str)
def test_a_long_review_may_be_cut_at_any_byte(
    monkeypatch: pytest.MonkeyPatch, encoding: Encoding, bytes_a_word: int
) -> None:
    """Within a word, a tag or a letter: the words that are left out are read where those that were read are too few."""
    monkeypatch.setattr(module, "BYTES_A_WORD", bytes_a_word)
    review = (
        "br film, a<br /><br />goodfilm a br its goodfilms its \u00e9lan<br />br zzz it's a br goodfilm its".encode()
    )
    review += b" br film a <br /> film br a a its"
    reviews = [review[start:stop] for start in range(len(review)) for stop in (start + 30, len(review))]
    found = encoder(WORDS, encoding)(reviews)
    assert np.array_equal(found, plain.rows(reviews, WORDS, encoding))


@pytest.mark.parametrize("encoding", ENCODINGS, ids=str)
def test_many_reviews_keep_their_order(encoding: Encoding) -> None:
    """They are read 128 at a time; each review is its own, some empty, some long."""
    reviews = [f"{'a ' * (number % 30)}film{number} its {number}".encode() * (number % 3) for number in range(700)]
    found = encoder(WORDS, encoding)(reviews)
    assert np.array_equal(found, plain.rows(reviews, WORDS, encoding))


@pytest.mark.parametrize("half", ["train", "test"])
def test_every_real_review_has_the_ids_of_the_plain_definition(real_corpus: Corpus, half: str) -> None:
    """All 50,000, by each of the two rules, as the cache keeps them."""
    split = real_corpus.train if half == "train" else real_corpus.test
    reviews = list(tokenise.text_rows(split.text))
    ids, ranks = (
        tokenise.keras_ids(split.text, real_corpus.word_index),
        tokenise.token_ranks(split.text, real_corpus.tokens),
    )
    for found, cached, expected in (
        (ids, split.keras_ids, plain.keras_ids(reviews, real_corpus.word_index)),
        (ranks, split.token_ranks, plain.token_ranks(reviews, real_corpus.tokens)),
    ):
        assert np.array_equal(found.values, cached.values)
        assert np.array_equal(found.offsets, cached.offsets)
        assert [found.row(index).tolist() for index in range(len(found))] == expected


@pytest.mark.parametrize("name", RECIPES)
def test_every_real_review_becomes_the_row_of_its_recipe(real_corpus: Corpus, name: str) -> None:
    """All 50,000, a thousand at a time, from their text alone."""
    encoding = RECIPES[name].encoding
    encode = encoder(tuple(vocabulary(real_corpus, encoding)), encoding)
    for split in (real_corpus.train, real_corpus.test):
        for start in range(0, len(split), 1000):
            piece = split.slice(start, start + 1000)
            assert np.array_equal(encode(list(tokenise.text_rows(piece.text))), encode_split(piece, encoding))
