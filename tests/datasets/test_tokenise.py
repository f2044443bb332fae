"""Tests of the two tokenisations, by hand-worked examples and against Keras's own layer."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets import tokenise
from datasets.corpus import Corpus, Ragged

REVIEWS = st.lists(st.text(st.sampled_from("aAbB .,'<br />\n\t\x0bé"), max_size=30).map(str.encode), max_size=6)
# Every trap in one place: entities, apostrophes, other white space, letters beyond ASCII, all punctuation.
TRICKY = [
    b"",
    b"   ",
    b"Don't stop,NOW!<br /><br />It's (really) GOOD...",
    "Caf\u00c9 na\u00efve \u00a0no-break\u2003em \u0130stanbul \u2019quote\u2019".encode(),
    b"a\x0bb\x0cc\rd\ne\tf\x1cg\x85h".decode("latin-1").encode(),
    b"!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~' x <br/> <BR /> <br />y",
]


def text(*reviews: bytes) -> Ragged:
    """Lay reviews end to end."""
    return tokenise.ragged_text(reviews)


def rows(ragged: Ragged) -> list[list[int]]:
    """Return a ragged array as lists."""
    return [ragged.row(index).tolist() for index in range(len(ragged))]


def test_a_keras_review_starts_with_1_and_adds_3_to_each_rank() -> None:
    """The id of a word is its rank + 3, and 1 stands in front."""
    assert rows(tokenise.keras_ids(text(b"the film the"), ("the", "film"))) == [[1, 4, 5, 4]]


def test_keras_words_end_at_punctuation_but_keep_their_apostrophes() -> None:
    """Punctuation, tab and newline become a space; so `<br />` leaves the word br, which Keras's index holds."""
    index = ("don't", "stop", "now", "br")
    assert rows(tokenise.keras_ids(text(b"DON'T stop,now<br />\tstop\nnow"), index)) == [[1, 4, 5, 6, 7, 5, 6]]


def test_keras_words_end_at_no_other_white_space() -> None:
    """A vertical tab or a no-break space is part of the word, which the index then lacks."""
    assert rows(tokenise.keras_ids(text("stop\x0bnow stop\u00a0now now".encode()), ("stop", "now"))) == [[1, 5]]


def test_keras_words_lower_ascii_letters_only() -> None:
    """A capital beyond ASCII stays one, so the lower-case word of the index is not found."""
    assert rows(tokenise.keras_ids(text("CAF\u00c9 caf\u00e9 CAF\u00e9".encode()), ("caf\u00e9",))) == [[1, 4, 4]]


def test_words_that_the_index_lacks_are_dropped() -> None:
    """An unknown word leaves no id; a review of unknown words is the start alone."""
    assert rows(tokenise.keras_ids(text(b"the zzz film", b"zzz", b""), ("the", "film"))) == [[1, 4, 5], [1], [1]]


def test_text_tokens_lose_their_punctuation_and_join_over_it() -> None:
    """`TextVectorization` removes punctuation without leaving a space, apart from `<br />`, which becomes one."""
    assert tokenise.tokens(b"Don't stop,NOW<br />well-made") == [b"dont", b"stopnow", b"wellmade"]


def test_the_vocabulary_falls_by_count_and_then_by_token() -> None:
    """Keras sorts by count and token and reverses both: ties come in falling order."""
    assert tokenise.vocabulary(text(b"b a d", b"b a c")) == ("b", "a", "d", "c")


def test_a_token_that_the_vocabulary_lacks_has_a_rank_that_no_limit_reaches() -> None:
    """The rank behind the vocabulary would pass for a token's where an encoding allows more tokens than there are."""
    assert rows(tokenise.token_ranks(text(b"a z b", b""), ("b", "a"))) == [[1, tokenise.UNSEEN_RANK, 0], []]


def test_a_made_word_index_ranks_words_as_the_tokenizer_of_keras_2_does() -> None:
    """Worked by hand from `fit_on_texts`: it's 2, then film, a, don't, t, each once, as they come."""
    assert tokenise.word_index(text(b"It's\ta FILM,", b"it's (don't)", b"t--a")) == ("it's", "a", "film", "don't", "t")


@given(REVIEWS)
def test_ranking_at_once_equals_ranking_in_two_steps(reviews: list[bytes]) -> None:
    """`ranked` is only a quicker way to the vocabulary and the ranks."""
    vocabulary, ranks = tokenise.ranked(text(*reviews))
    assert vocabulary == tokenise.vocabulary(text(*reviews))
    assert rows(ranks) == rows(tokenise.token_ranks(text(*reviews), vocabulary))
    assert ranks.values.dtype == np.int32


@given(REVIEWS)
def test_reviews_come_back_as_they_were_laid(reviews: list[bytes]) -> None:
    """Laying end to end loses nothing, not even empty reviews."""
    assert list(tokenise.text_rows(text(*reviews))) == reviews


def layer_tokens(keras: ModuleType, reviews: list[bytes]) -> list[list[bytes]]:
    """Return the tokens that Keras's layer makes after `<br />` became one space."""
    layer = keras.layers.TextVectorization()
    spaced: list[Any] = [review.replace(b"<br />", b" ") for review in reviews]
    split: list[list[bytes]] = layer._preprocess(spaced).to_list()  # its tokens, before any look-up
    return split


@pytest.mark.framework
def test_tokens_equal_the_layers_on_tricky_reviews(keras: ModuleType) -> None:
    """ASCII lower case, the punctuation and the white space are those of tf.strings, to the byte."""
    assert [tokenise.tokens(review) for review in TRICKY] == layer_tokens(keras, TRICKY)


@pytest.mark.framework
def test_tokens_equal_the_layers_on_real_reviews(keras: ModuleType, real_corpus: Corpus) -> None:
    """The same holds for 2,000 real reviews of the half that no vocabulary was adapted on."""
    reviews = list(tokenise.text_rows(real_corpus.test.text.slice(0, 2000)))
    assert [tokenise.tokens(review) for review in reviews] == layer_tokens(keras, reviews)


@pytest.mark.framework
def test_a_made_word_index_equals_the_tokenizers_on_real_reviews(keras: ModuleType, real_corpus: Corpus) -> None:
    """2,000 real reviews: Keras keeps its `Tokenizer` of before; it lowers letters beyond ASCII, which stay here."""
    from keras.src.legacy.preprocessing.text import Tokenizer  # type: ignore[import-not-found]

    text = real_corpus.train.text.slice(0, 2000)
    reviews = [review.decode("ascii", "ignore") for review in tokenise.text_rows(text)]
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts(reviews)
    made = tokenise.word_index(tokenise.ragged_text([review.encode() for review in reviews]))
    assert list(made) == sorted(tokenizer.word_index, key=tokenizer.word_index.get)


@pytest.fixture(scope="module")
def spaced_training_text(real_corpus: Corpus) -> list[bytes]:
    """The training text as the layer is adapted on it."""
    return [review.replace(b"<br />", b" ") for review in tokenise.text_rows(real_corpus.train.text)]


@pytest.mark.framework
@pytest.mark.parametrize("max_tokens", [1000, 10000])
def test_the_vocabulary_equals_an_adapted_layers(
    keras: ModuleType, real_corpus: Corpus, spaced_training_text: list[bytes], max_tokens: int
) -> None:
    """Cut to size, the corpus's tokens are `get_vocabulary()` of a layer adapted on the training text."""
    layer = keras.layers.TextVectorization(max_tokens=max_tokens)
    layer.adapt(spaced_training_text, batch_size=1024)
    assert layer.get_vocabulary() == ["", "[UNK]", *real_corpus.tokens[: max_tokens - 2]]
