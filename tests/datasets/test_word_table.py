"""Tests of the table of words: every number is the dictionary's, whatever the bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets import word_table as module
from datasets.word_table import WordTable, word_table

# Words around the lengths where another integer or the dictionary begins, and pairs that differ at one byte.
STEMS = [b"a", b"b", b"\0", b"a\0", b"abcdefg", b"abcdefgh", b"abcdefghi", b"abcdefghijklmnop", b"abcdefghijklmnopq"]
WORDS = st.one_of(
    st.sampled_from([*STEMS, *(stem + b"\0" for stem in STEMS), b"abcdefgh" * 2, b"\xff" * 8, b"abcdefgi"]),
    st.binary(min_size=1, max_size=40).map(lambda word: word.replace(b" ", b"_")),
)
ROWS = st.lists(st.lists(st.one_of(WORDS, st.just(b"")), max_size=12).map(b" ".join), max_size=5)


def read(table: WordTable, rows: list[bytes]) -> list[list[int]]:
    """Return the numbers of each row as a list."""
    numbers = table.read(rows)
    return [numbers.row(index).tolist() for index in range(len(numbers))]


def by_dictionary(numbers: dict[bytes, int], rows: list[bytes]) -> list[list[int]]:
    """Return the same by a dictionary and `bytes.split`."""
    return [[numbers.get(word, -5) for word in row.split(b" ") if word] for row in rows]


@given(st.lists(WORDS, unique=True, max_size=40), ROWS)
def test_the_numbers_are_those_of_a_dictionary(words: list[bytes], rows: list[bytes]) -> None:
    """Of arbitrary words and rows: known and unknown ones, empty rows, several spaces, zeros among the bytes."""
    numbers = {word: number for number, word in enumerate(words)}
    rows = [*rows, b" ".join(words), b"  ".join(words[::-1])]
    assert read(word_table(numbers, missing=-5), rows) == by_dictionary(numbers, rows)


def test_words_in_a_crowd_are_found_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """With one place for all words the first eight stand behind each other and the others in the dictionary."""
    monkeypatch.setattr(module, "_own_places", lambda low, high, size: (low * 0).astype("int64"))
    numbers = {b"w%d" % number: number for number in range(20)}
    table = word_table(numbers, missing=-5)
    assert sorted(table.rest.values()) == list(range(8, 20))
    rows = [b" ".join(numbers), b"w20 w w1x", b"", b"w7 w8"]
    assert read(table, rows) == by_dictionary(numbers, rows)


def test_the_first_of_two_words_with_one_place_gets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """So frequent words, which come first, are found at once."""
    monkeypatch.setattr(module, "_own_places", lambda low, high, size: (low * 0 + 3).astype("int64"))
    assert word_table({b"the": 7, b"a": 8, b"film": 9}, missing=-5).numbers[3:6].tolist() == [7, 8, 9]


@pytest.mark.parametrize("word", [b"", b"a b", b"a ", b" a", b"a long word of a table"])
def test_a_word_that_no_text_has_is_left_out(word: bytes) -> None:
    """A vocabulary file may name one: it must not stand for a word without the space."""
    assert read(word_table({word: 1, b"c": 2}, missing=-5), [b"a b  c", word]) == [
        [-5, -5, 2],
        [-5] * len(word.split()),
    ]
