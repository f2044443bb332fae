"""Tests of the encoders: hand-worked, against naive loops, and against Keras's own."""

from __future__ import annotations

from types import ModuleType
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets import encoding, tokenise
from datasets.corpus import Corpus, Ragged

KEEP: list[Literal["first", "last"]] = ["first", "last"]
ROWS = st.lists(st.lists(st.integers(0, 9), max_size=8), max_size=6)


def ragged(*rows: list[int]) -> Ragged:
    """Lay rows of ids end to end."""
    return tokenise.ragged_ids(np.array(row, np.int32) for row in rows)


def test_ids_from_num_words_on_become_unknown() -> None:
    """`imdb.load_data(num_words=5)` keeps the ids below 5 and turns the others into 2."""
    assert encoding.keras_sequences(ragged([1, 4, 5, 9]), 5).values.tolist() == [1, 4, 2, 2]


def test_text_ids_start_at_2_and_unknown_is_1() -> None:
    """Of max_tokens=5 ids, two are Keras's own: ranks 0 to 2 become 2 to 4, rank 3 and further become 1."""
    assert encoding.text_sequences(ragged([0, 2, 3, 99]), 5).values.tolist() == [2, 4, 1, 1]


def test_multi_hot_marks_each_id_once() -> None:
    """However often an id occurs, its column holds 1; a review without ids is a row of zeros."""
    hot = encoding.multi_hot(ragged([1, 3, 3], [], [0]), 4)
    assert hot.dtype == np.float32
    assert hot.tolist() == [[0, 1, 0, 1], [0, 0, 0, 0], [1, 0, 0, 0]]


@pytest.mark.parametrize("stray", [-1, 4])
def test_multi_hot_refuses_an_id_outside_its_width(stray: int) -> None:
    """A stray id would mark another review's row, because the scatter is flat."""
    with pytest.raises(ValueError, match="expected ids from 0 to 3"):
        encoding.multi_hot(ragged([stray], [0]), 4)


def test_padding_follows_the_text_and_keeps_the_end_that_was_asked_for() -> None:
    """Both ways put zeros behind a short review; they differ in which ids of a long one they keep."""
    rows = ragged([7], [1, 2, 3, 4], [])
    assert encoding.pad(rows, 3, keep="first").tolist() == [[7, 0, 0], [1, 2, 3], [0, 0, 0]]
    assert encoding.pad(rows, 3, keep="last").tolist() == [[7, 0, 0], [2, 3, 4], [0, 0, 0]]


def test_a_decoded_review_shows_its_start_and_its_unknown_words() -> None:
    """Padding disappears; ids 2 and 3 and any beyond the index are no word."""
    assert encoding.decode_keras([1, 4, 2, 5, 6, 3, 0, 0], ("the", "film")) == "<start> the ? film ? ?"


@given(ROWS)
def test_multi_hot_equals_a_double_loop(rows: list[list[int]]) -> None:
    """The flat scatter is only a quicker way to the tutorials' double loop."""
    expected = np.zeros((len(rows), 10))
    for index, row in enumerate(rows):
        for id_ in row:
            expected[index, id_] = 1
    np.testing.assert_array_equal(encoding.multi_hot(ragged(*rows), 10), expected)


@given(ROWS, st.integers(1, 10), st.sampled_from(KEEP))
def test_padding_equals_a_loop(rows: list[list[int]], length: int, keep: Literal["first", "last"]) -> None:
    """Cut at the right end, then filled up with zeros, row by row."""
    cut = [row[:length] if keep == "first" else row[-length:] for row in rows]
    padded = encoding.pad(ragged(*rows), length, keep=keep)
    assert padded.tolist() == [row + [0] * (length - len(row)) for row in cut]
    assert padded.shape == (len(rows), length)
    assert padded.dtype == np.int32


@given(ROWS, st.data())
def test_encoding_a_slice_equals_slicing_the_encoding(rows: list[list[int]], data: st.DataObject) -> None:
    """A slice of reviews starts its own offsets at 0, so batches can be encoded alone."""
    stop = data.draw(st.integers(0, len(rows)))
    start = data.draw(st.integers(0, stop))
    whole = encoding.pad(ragged(*rows), 5, keep="last")
    np.testing.assert_array_equal(encoding.pad(ragged(*rows).slice(start, stop), 5, keep="last"), whole[start:stop])


@pytest.mark.framework
def test_keeping_the_last_ids_equals_pad_sequences(keras: ModuleType, real_corpus: Corpus) -> None:
    """On 2,000 real reviews: `pad_sequences(maxlen=256, padding="post", truncating="pre")`."""
    ids = encoding.keras_sequences(real_corpus.train.keras_ids.slice(0, 2000), 10000)
    rows = [ids.row(index) for index in range(len(ids))]
    expected = keras.utils.pad_sequences(rows, maxlen=256, padding="post", truncating="pre")
    np.testing.assert_array_equal(encoding.pad(ids, 256, keep="last"), expected)


@pytest.mark.framework
@pytest.mark.parametrize(("max_tokens", "length"), [(10000, 250), (1000, 100)])
def test_keeping_the_first_ids_equals_the_text_layer(
    keras: ModuleType, real_corpus: Corpus, max_tokens: int, length: int
) -> None:
    """On 5,000 real test reviews: `TextVectorization(max_tokens, output_sequence_length)`, as two recipes use it."""
    layer = keras.layers.TextVectorization(max_tokens=max_tokens, output_sequence_length=length)
    layer.set_vocabulary(list(real_corpus.tokens[: max_tokens - 2]))
    reviews = tokenise.text_rows(real_corpus.test.text.slice(0, 5000))
    expected = np.asarray(layer([review.replace(b"<br />", b" ") for review in reviews]))
    ids = encoding.text_sequences(real_corpus.test.token_ranks.slice(0, 5000), max_tokens)
    np.testing.assert_array_equal(encoding.pad(ids, length, keep="first"), expected)
