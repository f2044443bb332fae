"""Sample the words, separators and labels of synthetic reviews.

Frequencies, lengths and punctuation follow aggregates measured on the IMDB reviews, so that the same work takes
as long. Each review has an opinion, expressed by pairs of words ("good", "bad"), some of them negated
("not bad"), so that word order carries part of it. The other words are noise: no grammar, no topics.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
import numpy.typing as npt

from datasets.synthetic_lexicon import Ints, Lexicon, lexicon, uniform

Half = Literal["train", "test"]
_Kind = TypeVar("_Kind", bound=np.generic)

ROWS = 25_000  # reviews a split, as IMDB has

# Words a review at these quantiles of each half, `<br />` not counted.
_QUANTILES = (
    0, 0.001, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55,
    0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.925, 0.95, 0.96, 0.97, 0.98, 0.99, 0.999, 1,
)  # fmt: skip
_WORDS: Mapping[Half, tuple[int, ...]] = {
    "train": (
        10, 25, 42, 51, 64, 90, 110, 120, 127, 134, 143, 152, 162, 174, 189,
        206, 227, 252, 283, 324, 376, 458, 515, 597, 644, 703, 785, 911, 1065, 2473,
    ),
    "test": (
        6, 24, 41, 50, 62, 88, 108, 118, 126, 133, 141, 150, 160, 172, 186,
        202, 221, 244, 276, 314, 367, 443, 501, 582, 626, 687, 768, 896, 1008, 2246,
    ),
}  # fmt: skip

# What stands between two words, how often in a million, rarer kinds merged into their like.
_SEPARATORS = {
    b" ": 867_857, b", ": 44_200, b". ": 34_600, b"-": 7_691, b".<br /><br />": 6_500, b" (": 5_000,
    b' "': 5_200, b'" ': 3_500, b") ": 2_700, b"? ": 1_700, b"! ": 1_700, b" - ": 1_700,
    b": ": 1_321, b".": 1_400, b"/": 1_100, b"; ": 1_050, b"), ": 1_000, b"). ": 1_000,
    b",": 750, b". <br /><br />": 850, b"... ": 750, b"...": 900, b" & ": 700, b"--": 500,
    b'", ': 600, b'". ': 500, b', "': 500, b"(": 350, b'." ': 500, b" -- ": 400,
    b"<br /><br />": 650, b". (": 300, b'. "': 300, b"!<br /><br />": 400, b"...<br /><br />": 400,
}  # fmt: skip
_ENDINGS = {b".": 700_000, b"": 90_000, b"!": 110_000, b"?": 20_000, b"...": 30_000, b").": 30_000, b'".': 20_000}
# All of them: a sampled split holds positions in this tuple.
MARKS = (*_SEPARATORS, *_ENDINGS)

# A word repeats an earlier one of its review: fitted to 129.1 distinct frequent words a review.
_ECHO = 0.142
# Joined words ("low-budget") come from a stock of pairs, none of them with one of the most frequent words.
# Its size is fitted to 112,532 distinct tokens.
_COMPOUNDS = 36_000
_NEVER_JOINED = 100

# How reliably an opinion of a review is that of its label, ten equally likely kinds of review; and how often
# it is told by negating its opposite. Fitted to the published accuracies.
_CLARITY = (0.92, 0.90, 0.885, 0.87, 0.85, 0.825, 0.79, 0.745, 0.685, 0.56)
_NEGATED = 0.10


@dataclass(frozen=True)
class SamplingTables:
    """What both splits are sampled from.

    lexicon    the words
    urn        positions in the lexicon, each as often as its word has balls left; int32, one-dimensional
    compounds  pairs of positions that occur joined; int32, shape (pairs, 2)
    """

    lexicon: Lexicon
    urn: npt.NDArray[np.int32]
    compounds: npt.NDArray[np.int32]


@dataclass(frozen=True)
class SampledSplit:
    """One split before it becomes text; the words of all rows, end to end.

    labels      1 for a positive review, 0 for a negative one; uint8, shape (rows,)
    lengths     words a row, at least one; int64, shape (rows,)
    words       positions in the lexicon; int32, shape (words,)
    separators  what follows each word, positions in `MARKS`; uint8, shape (words,)
    """

    labels: npt.NDArray[np.uint8]
    lengths: Ints
    words: npt.NDArray[np.int32]
    separators: npt.NDArray[np.uint8]


def sampling_tables(bits: np.random.PCG64) -> SamplingTables:
    """Return the lexicon and the tables that words are drawn from."""
    words = lexicon(bits)
    balls = _background(words)
    urn = np.repeat(np.arange(len(balls), dtype=np.int32), balls)
    compounds = _picked(urn[urn >= _NEVER_JOINED], bits, 2 * _COMPOUNDS).reshape(_COMPOUNDS, 2)
    return SamplingTables(words, urn, compounds)


def sample_split(bits: np.random.PCG64, shared: SamplingTables, half: Half) -> SampledSplit:
    """Return 25,000 rows in random order, half of them positive."""
    labels = (np.argsort(bits.random_raw(ROWS), kind="stable") % 2).astype(np.uint8)
    lengths = np.interp(uniform(bits, ROWS), _QUANTILES, _WORDS[half]).astype(np.int64)
    separators = _separators(bits, lengths)
    words = _echoed(bits, _picked(shared.urn, bits, len(separators)), lengths)
    words = _compounded(bits, words, separators, shared.compounds)
    return SampledSplit(labels, lengths, _opinionated(bits, words, shared.lexicon, labels, lengths), separators)


def _background(words: Lexicon) -> Ints:
    """Return how many balls to draw from, such that the lexicon's hold once compounds and negations are put in."""
    balls = words.balls.copy()
    joined = 2 * sum(count for mark, count in _SEPARATORS.items() if _joins(mark)) / sum(_SEPARATORS.values())
    rare = balls[_NEVER_JOINED:].sum() / balls.sum()
    opinions = (balls[words.opinions] + balls[words.opinions + 1]).sum()
    kept = 1 - _NEGATED * opinions / balls[words.negations].sum()
    balls[:_NEVER_JOINED] = np.rint(balls[:_NEVER_JOINED] / (1 - joined / rare))
    balls[words.negations] = np.rint(balls[words.negations] * kept)
    return balls


def _separators(bits: np.random.PCG64, lengths: Ints) -> npt.NDArray[np.uint8]:
    """Draw what follows each word: a separator, after a row's last word an ending."""
    separators = _picked(_urn(_SEPARATORS), bits, int(lengths.sum()))
    separators[lengths.cumsum() - 1] = len(_SEPARATORS) + _picked(_urn(_ENDINGS), bits, len(lengths))
    return separators


def _echoed(bits: np.random.PCG64, words: npt.NDArray[np.int32], lengths: Ints) -> npt.NDArray[np.int32]:
    """Let some words repeat an earlier one of their row; the frequencies over all rows stay what they are."""
    places = np.arange(len(words))
    starts = np.repeat(lengths.cumsum() - lengths, lengths)
    earlier = starts + ((places - starts) * uniform(bits, len(words))).astype(np.int64)
    sources = np.where(uniform(bits, len(words)) < _ECHO, earlier, places)
    # An echo of an echo leads to a word that is none: follow all chains at once, twice as far each time.
    while not np.array_equal(further := sources[sources], sources):
        sources = further
    return words[sources]


def _compounded(
    bits: np.random.PCG64,
    words: npt.NDArray[np.int32],
    separators: npt.NDArray[np.uint8],
    compounds: npt.NDArray[np.int32],
) -> npt.NDArray[np.int32]:
    """Put a pair from the stock around each separator that joins its words."""
    joining = np.array([*map(_joins, _SEPARATORS), *(False for _ in _ENDINGS)])
    first = np.flatnonzero(joining[separators])
    # The cube makes a few pairs common, and leaves many that occur once.
    chance = uniform(bits, len(first))
    words[first], words[first + 1] = compounds[(chance * chance * chance * len(compounds)).astype(np.int64)].T
    return words


def _joins(separator: bytes) -> bool:
    """Return whether `TextVectorization` makes one token of the words around this."""
    return b" " not in separator and b"<" not in separator


def _opinionated(
    bits: np.random.PCG64, words: npt.NDArray[np.int32], lexicon: Lexicon, labels: npt.NDArray[np.uint8], lengths: Ints
) -> npt.NDArray[np.int32]:
    """Let the opinions tell each row's label, more or less reliably, and some of them by negating the opposite."""
    places = np.flatnonzero(np.isin(words & ~1, lexicon.opinions.astype(np.int32)))
    rows = np.repeat(np.arange(len(lengths)), lengths)[places]
    clarity = _picked(np.array(_CLARITY), bits, len(lengths))[rows]
    positive = (labels[rows] == 1) == (uniform(bits, len(places)) < clarity)
    has_room = places > (lengths.cumsum() - lengths)[rows]  # a row's first word has none before it
    negated = has_room & (uniform(bits, len(places)) < _NEGATED)
    words[places] = (words[places] & ~1) | (positive == negated)
    negations = np.repeat(lexicon.negations, lexicon.balls[lexicon.negations])
    words[places[negated] - 1] = _picked(negations, bits, int(negated.sum()))
    return words


def _urn(counts: Mapping[bytes, int]) -> npt.NDArray[np.uint8]:
    """Return the positions of the keys, each as often as its count says."""
    return np.repeat(np.arange(len(counts), dtype=np.uint8), list(counts.values()))


def _picked(urn: npt.NDArray[_Kind], bits: np.random.PCG64, count: int) -> npt.NDArray[_Kind]:
    """Draw `count` entries, with replacement."""
    return urn[(uniform(bits, count) * len(urn)).astype(np.int64)]
