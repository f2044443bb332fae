"""A hash table of words that reads all words of many texts at once, by NumPy and exact to the byte.

A word of up to 16 bytes is two integers, compared whole: no unknown word passes for a known one. Longer words, and the
few that find no free place near their own, stand in a dictionary.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from datasets.corpus import Ids, Ragged

_HALF = 8  # bytes of one integer
_LONGEST = 2 * _HALF
# With a quarter of the places taken, one word in twelve is not at its own place and hardly any is eight places away.
_PLACES_A_WORD = 4
_PROBES = 8

_SPACE = ord(" ")
_LITTLE = np.dtype("<u8")  # a word's first byte is the lowest on every machine
# Combined with spaces, the padding of a word becomes zero, and no byte of a word does.
_SPACES = np.frombuffer(b" " * _HALF, _LITTLE)[0]
_FIRST_BYTES = np.array([(1 << 8 * length) - 1 for length in range(_HALF + 1)], _LITTLE)
# Odd multipliers with mixed bits: Knuth's golden ratio (volume 3, section 6.4), and a prime near another fraction.
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_PRIME = np.uint64(0xC2B2AE3D27D4EB4F)

Places = npt.NDArray[np.int64]
Halves = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class _Words:
    """Words of a text: where they start and end, and their first and second eight bytes; all of shape (words,)."""

    starts: Places
    ends: Places
    low: Halves
    high: Halves


@dataclass(frozen=True)
class WordTable:
    """Words with their numbers, by open addressing; make it with `word_table`.

    low, high, numbers  by place; 0, 0 and `missing` where no word stands
    rest                words without a place
    missing             the number of every word that the table lacks
    """

    low: Halves
    high: Halves
    numbers: Ids
    rest: Mapping[bytes, int]
    missing: int

    def read(self, rows: Sequence[bytes]) -> Ragged:
        """Return the numbers of each row's words, which one or more spaces separate."""
        text = b" ".join([b"", *rows, b" " * _LONGEST])
        words = _split(text)
        ends = np.cumsum([1, *(len(row) + 1 for row in rows)])  # where a row begins and the one before ended
        return Ragged(self._numbers(text, words), np.searchsorted(words.starts, ends))

    def _numbers(self, text: bytes, words: _Words) -> Ids:
        places = _own_places(words.low, words.high, len(self.numbers))
        numbers = self.numbers[places]
        away = np.flatnonzero(self._other_words(places, words.low, words.high))
        left = self._probe(numbers, away, places[away], words)
        for word in [*left.tolist(), *np.flatnonzero(words.ends - words.starts > _LONGEST).tolist()]:
            numbers[word] = self.rest.get(text[words.starts[word] : words.ends[word]], self.missing)
        return numbers

    def _probe(self, numbers: Ids, away: Places, places: Places, words: _Words) -> Places:
        """Fill in the numbers of words that are not at their own places; return those that are nowhere near."""
        for _ in range(1, _PROBES):
            places = _next(places, len(self.numbers))
            numbers[away] = self.numbers[places]
            other = self._other_words(places, words.low[away], words.high[away])
            away, places = away[other], places[other]
        return away

    def _other_words(self, places: Places, low: Halves, high: Halves) -> npt.NDArray[np.bool_]:
        """Return which places hold another word than the one that is looked for: neither it nor none."""
        standing = self.low[places]
        another: npt.NDArray[np.bool_] = ((standing != low) | (self.high[places] != high)) & (standing != 0)
        return another


def word_table(numbers: Mapping[bytes, int], *, missing: int) -> WordTable:
    """Return the table of words with their numbers, int32; of two words with one place the first one gets it.

    Put frequent words first. A word with a space in it is left out: no text has it.
    """
    short = [word for word in numbers if 0 < len(word) <= _LONGEST and b" " not in word]
    text = b" ".join([b"", *short, b" " * _LONGEST])
    words = _split(text)
    holders, left = _placed(words, 1 << (_PLACES_A_WORD * len(short)).bit_length())
    taken = holders >= 0
    low, high = np.zeros((2, len(holders)), np.uint64)
    by_place = np.full(len(holders), missing, np.int32)
    low[taken], high[taken] = words.low[holders[taken]], words.high[holders[taken]]
    by_place[taken] = np.array([numbers[word] for word in short], np.int32)[holders[taken]]
    rest = [word for word in numbers if len(word) > _LONGEST] + [short[word] for word in left.tolist()]
    return WordTable(low, high, by_place, {word: numbers[word] for word in rest}, missing)


def _placed(words: _Words, size: int) -> tuple[Places, Places]:
    """Return which word stands at each of ``size`` places, -1 for none, and the words that found no place."""
    holders = np.full(size, -1)
    left, places = np.arange(len(words.low)), _own_places(words.low, words.high, size)
    for _ in range(_PROBES):
        free = holders[places] < 0
        holders[places[free][::-1]] = left[free][::-1]  # of equal places the last assignment stays: the first word's
        away = holders[places] != left
        left, places = left[away], _next(places[away], size)
    return holders, left


def _split(text: bytes) -> _Words:
    """Return the words of ``text``, which begins with a space and ends with `_LONGEST` of them."""
    space = np.frombuffer(text, np.uint8) == _SPACE
    edges = np.flatnonzero(space[1:] != space[:-1]) + 1
    starts, ends = edges[::2], edges[1::2]
    lengths = ends - starts
    low = _halves(text, starts, np.minimum(lengths, _HALF))
    high = np.zeros_like(low)
    longer = np.flatnonzero(lengths > _HALF)
    high[longer] = _halves(text, starts[longer] + _HALF, np.minimum(lengths[longer], _LONGEST) - _HALF)
    return _Words(starts, ends, low, high)


def _halves(text: bytes, starts: Places, lengths: Places) -> Halves:
    """Return ``lengths`` bytes from each start on, at most eight, as integers."""
    # Of one-byte strides and no alignment, so that an integer may start at any byte.
    windows: Halves = np.ndarray(len(text) - _HALF + 1, _LITTLE, text, 0, 1)
    halves: Halves = (windows.take(starts) ^ _SPACES) & _FIRST_BYTES[lengths]
    return halves


def _own_places(low: Halves, high: Halves, size: int) -> Places:
    """Return the place of each word by multiplicative hashing, below ``size``, a power of two."""
    bits = size.bit_length() - 1
    return ((low + high * _PRIME) * _GOLDEN >> np.uint64(64 - bits)).astype(np.int64)


def _next(places: Places, size: int) -> Places:
    return (places + 1) & (size - 1)
