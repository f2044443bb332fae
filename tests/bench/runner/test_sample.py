"""The sample: reviews as a person and as a model reads them, from made reviews of four words."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from bench.report import sample as report
from bench.runner import sample
from bench.runner.sample import Sampled
from datasets import encoding
from datasets.corpus import Corpus
from datasets.encoding import Encoding
from models.recipes import DENSE, LSTM, Recipe
from tests.bench.report.test_terminal import shown
from tests.datasets import made

HOT = replace(DENSE, encoding=Encoding(words="keras_ids", vocabulary_size=6, form="multi_hot"))
PADDED = replace(LSTM, encoding=Encoding(words="text", vocabulary_size=4, form="padded", sequence_length=3))


@cache
def corpus() -> Corpus:
    """Return the made reviews, read from a folder as the real ones are."""
    with tempfile.TemporaryDirectory() as folder:
        index = Path(folder) / "imdb_word_index.json"
        index.write_bytes(made.word_index_json())
        return made.read_made(made.write_folder(Path(folder)) / "aclImdb", index)


def drawn(*recipes: Recipe, count: int = 4, seed: int = 0) -> list[Sampled]:
    return sample.draw(corpus(), recipes or (HOT, PADDED), count=count, seed=seed)


def find(text: str) -> Sampled:
    return next(one for one in drawn() if one.text.startswith(text))


def test_every_review_is_drawn_once_with_its_own_label() -> None:
    """Four training reviews, two of each kind; asking for more gives all there are."""
    found = drawn(count=9)
    assert len({one.index for one in found}) == 4
    assert {one.text: one.label for one in found} == {
        "A good film, a GOOD one!": 1,
        "Good<br /><br />fun": 1,
        "A bad film": 0,
        "bad, bad": 0,
    }


def test_the_same_seed_draws_the_same_reviews() -> None:
    assert [one.index for one in drawn(count=2, seed=5)] == [one.index for one in drawn(count=2, seed=5)]


def test_a_review_is_decoded_from_its_ids() -> None:
    """Words as Keras's index has them: Keras left out what its index lacks, here "one"."""
    assert find("A good film").decoded == "<start> a good film a good"


def test_a_multi_hot_row_holds_each_word_once() -> None:
    """Ids below 6: start 1, unknown 2, a 4, good 5; film is 7 and unknown: one of the six."""
    encoded = find("A good film").encodings[0]
    assert (encoded.ids, encoded.words, encoded.width) == ((1, 2, 4, 5), "<start> ? a good", 6)
    assert encoded.lost == pytest.approx(1 / 6)


def test_a_padded_row_ends_where_the_model_s_does() -> None:
    """Three ids of six tokens: at least half is lost, and what the small vocabulary lacks besides."""
    encoded = find("A good film").encodings[1]
    assert (len(encoded.ids), encoded.width) == (3, 3)
    assert encoded.lost >= 0.5


def test_tokens_decode_to_words() -> None:
    """2 is the first token, 1 unknown, 0 padding; an id beyond the vocabulary is unknown too."""
    assert encoding.decode_text([2, 1, 3, 0, 9], ("the", "film")) == "the ? film ?"


def test_a_sample_reads_in_eighty_columns() -> None:
    words = shown(report.render(drawn()))
    assert max(map(len, words.splitlines())) <= 80
    assert "multi-hot 6" in words
    assert "positive" in words
