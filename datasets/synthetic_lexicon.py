"""The vocabulary of the synthetic corpus: made-up words by falling frequency.

Lengths and frequencies follow the training half of the IMDB reviews, measured as aggregates; no word was copied from
them. The few English words below were chosen by hand, so that a person can write a review that a model understands.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Spelling = npt.NDArray[np.bytes_]

BALLS = 2**24  # the urn's size: the rarest word is one ball, 0.35 occurrences in the training half
WORD_BYTES = 16

# (rank, occurrences in a million words), `br` left out: the training half's counts in rank order, beyond rank 30
# averaged over ranks within 7 %. The words that occur once or twice hide the tail, so from rank 30,000 on
# the points are fitted: to 88,584 distinct words in 5.84 million.
_FREQUENCIES = (
    (1, 57550), (2, 28094), (3, 27913), (4, 24970), (5, 23234), (6, 18372), (7, 16082), (8, 13535), (9, 13207),
    (10, 13007), (12, 10100), (15, 7659), (20, 5726), (30, 3972), (50, 2453), (100, 1251), (200, 573), (300, 374.4),
    (500, 215.4), (1000, 102.2), (2000, 44.6), (3000, 27.1), (5000, 14.1), (10000, 5.3), (20000, 1.72),
    (30000, 0.695), (50000, 0.267), (100000, 0.0985), (150000, 0.06),
)  # fmt: skip

# Bytes of the 30 most frequent words: half of the text, too few to be left to chance.
_FIRST_LENGTHS = (3, 3, 1, 2, 2, 2, 2, 2, 1, 4, 4, 3, 2, 3, 4, 5, 3, 4, 2, 3, 3, 3, 3, 4, 2, 2, 3, 3, 2, 4)
# (rank, mean bytes of the words around it); their standard deviation is a third of that at every rank.
_MEAN_LENGTHS = ((55, 2.95), (175, 4.35), (550, 5.73), (1700, 6.36), (5500, 6.87), (17000, 7.35), (50000, 7.8))
_LENGTH_SPREAD = 0.33
# Shares of words with an apostrophe ("movie's") and with a letter outside ASCII, by rank.
_APOSTROPHES = ((30, 0.0), (31, 0.0285), (10000, 0.0285), (10001, 0.145))
_ACCENTS = ((1000, 0.0), (10000, 0.003), (30000, 0.009), (30001, 0.043))

# Repeated letters are likelier; how likely was chosen by ear.
_CONSONANTS = b"ttttnnnnsssrrrrlllldddmmmccppffggbbhhvkwyzj"
_VOWELS = b"eeeeaaaaiiiooouu"
_VOWEL_FIRST = 0.3  # share of words that begin with a vowel

# Words of opinion come in pairs of neighbouring ranks (positive at the even position), in each of these ranges spread
# evenly over the logarithm of the position: (first, end, pairs). The most frequent are listed, the rest are made up.
_PAIR_RANGES = ((60, 1000, 32), (1000, 10_000, 300))
_OPINIONS = (
    (b"good", b"bad"), (b"great", b"poor"), (b"best", b"worst"), (b"love", b"hate"), (b"loved", b"hated"),
    (b"wonderful", b"terrible"), (b"excellent", b"awful"), (b"perfect", b"boring"), (b"brilliant", b"stupid"),
    (b"beautiful", b"ugly"), (b"amazing", b"dull"), (b"enjoyable", b"tedious"), (b"superb", b"dreadful"),
    (b"fresh", b"stale"), (b"clever", b"silly"), (b"moving", b"empty"), (b"gripping", b"tiresome"),
    (b"charming", b"clumsy"), (b"delightful", b"ridiculous"), (b"memorable", b"forgettable"),
)  # fmt: skip
# Position -> word: about where English has them.
_NEGATIONS = {
    19: b"not", 47: b"no", 88: b"don't", 104: b"never", 135: b"can't", 147: b"didn't", 160: b"nothing",
    201: b"without", 213: b"isn't", 979: b"hardly",
}  # fmt: skip


@dataclass(frozen=True)
class Lexicon:
    """The vocabulary, most frequent word first; positions count from 0.

    spelling   the words, bytes of UTF-8, at most WORD_BYTES each; shape (words,)
    balls      each word's share of the text, in balls of the urn; int64, shape (words,), summing to about BALLS
    opinions   positions of the positive words; each one's negative partner stands at the next position
    negations  positions of the words that turn the opinion after them into its opposite
    """

    spelling: Spelling
    balls: Ints
    opinions: Ints
    negations: Ints


def uniform(bits: np.random.PCG64, count: int) -> npt.NDArray[np.float64]:
    """Return `count` numbers in [0, 1).

    NumPy promises a bit generator's raw stream for ever, but not what `Generator` makes of it.
    """
    return (bits.random_raw(count) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def lexicon(bits: np.random.PCG64) -> Lexicon:
    """Return the vocabulary that `bits` determine."""
    balls = _balls()
    opinions, negations = _opinion_positions(), np.array(list(_NEGATIONS))
    fixed = {**_NEGATIONS}
    for position, pair in zip(opinions.tolist(), _OPINIONS, strict=False):
        fixed |= {position: pair[0], position + 1: pair[1]}
    spelling = _distinct(bits, _lengths(bits, len(balls)), reserved=[*fixed.values(), b"br"])
    spelling[list(fixed)] = list(fixed.values())
    return Lexicon(spelling, balls, opinions, negations)


def _balls() -> Ints:
    """Return each word's number of balls; whole numbers, so that no rounding of a logarithm shows in the text."""
    ranks, frequencies = np.array(_FREQUENCIES).T
    every = np.arange(1, ranks[-1] + 1)
    shares = np.exp(np.interp(np.log(every), np.log(ranks), np.log(frequencies)))
    balls: Ints = np.rint(shares / shares.sum() * BALLS).astype(np.int64)
    return balls


def _opinion_positions() -> Ints:
    halves = [np.geomspace(first / 2, end / 2, pairs, endpoint=False) for first, end, pairs in _PAIR_RANGES]
    return np.unique(np.rint(np.concatenate(halves)).astype(np.int64)) * 2


def _lengths(bits: np.random.PCG64, count: int) -> Ints:
    """Return each word's length in bytes."""
    ranks, means = np.array(_MEAN_LENGTHS).T
    mean = np.interp(np.log(np.arange(1, count + 1)), np.log(ranks), means)
    # Three uniform numbers make a bell: their sum has variance 3/12.
    bell = 2 * (uniform(bits, 3 * count).reshape(3, count).sum(axis=0) - 1.5)
    lengths: Ints = np.clip(np.rint(mean * (1 + _LENGTH_SPREAD * bell)), 2, WORD_BYTES - 2).astype(np.int64)
    lengths[: len(_FIRST_LENGTHS)] = _FIRST_LENGTHS
    return lengths


def _distinct(bits: np.random.PCG64, lengths: Ints, reserved: list[bytes]) -> Spelling:
    """Spell words of these lengths, no two alike and none of them `reserved`; a word's later twin grows by a letter."""
    ranks = np.arange(1, len(lengths) + 1)
    words = _spelled(bits, lengths, ranks)
    while len(twins := _twins(words, reserved)):
        lengths[twins] = np.minimum(lengths[twins] + 1, WORD_BYTES)
        words[twins] = _spelled(bits, lengths[twins], ranks[twins])
    return words


def _twins(words: Spelling, reserved: list[bytes]) -> Ints:
    """Return the positions of the words that stand further up already, or are reserved."""
    is_first = np.zeros(len(reserved) + len(words), dtype=bool)
    is_first[np.unique(np.concatenate([np.array(reserved), words]), return_index=True)[1]] = True
    return np.flatnonzero(~is_first[len(reserved) :])


def _spelled(bits: np.random.PCG64, lengths: Ints, ranks: Ints) -> Spelling:
    """Spell words of consonants and vowels in turn; `ranks` decide how likely an apostrophe or an accent is."""
    count = len(lengths)
    picks = uniform(bits, count * WORD_BYTES).reshape(count, WORD_BYTES)
    vowel_first = uniform(bits, count) < _VOWEL_FIRST
    is_vowel = (np.arange(WORD_BYTES) % 2 == 0) == vowel_first[:, None]  # (words, bytes)
    letters = np.where(is_vowel, _picked(_VOWELS, picks), _picked(_CONSONANTS, picks))
    letters[np.arange(WORD_BYTES) >= lengths[:, None]] = 0
    chance = uniform(bits, count)
    # Only where there is room for the two bytes of an accent, and for letters around both.
    accent = np.flatnonzero((lengths >= 6) & (chance < _share(_ACCENTS, ranks)))
    apostrophe = np.flatnonzero((lengths >= 4) & (chance > 1 - _share(_APOSTROPHES, ranks)))
    letters[accent, 1:3] = np.frombuffer("é".encode(), np.uint8)
    letters[apostrophe, lengths[apostrophe] - 2] = ord("'")
    return letters.view(f"S{WORD_BYTES}").ravel()


def _picked(letters: bytes, picks: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
    return np.frombuffer(letters, np.uint8)[(picks * len(letters)).astype(np.int64)]


def _share(points: tuple[tuple[int, float], ...], ranks: Ints) -> npt.NDArray[np.float64]:
    at, shares = np.array(points).T
    share: npt.NDArray[np.float64] = np.interp(ranks, at, shares)
    return share
