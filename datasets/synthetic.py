"""The synthetic corpus: 50,000 made-up reviews, the same for the same seed on every machine."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from datasets.corpus import Corpus, Ragged, Split, digest
from datasets.synthetic_lexicon import Spelling, uniform
from datasets.synthetic_sampling import MARKS, SampledSplit, sample_split, sampling_tables
from datasets.tokenise import keras_ids, ranked, token_ranks

INDEX_WORDS = 88_584  # Keras's word index: the words of the training half

# Shares of capitalised words: after the end of a sentence, and elsewhere (names, and words that shout).
_CAPITAL_FIRST = 0.96
_CAPITAL_INSIDE = 0.108
_SENTENCE_ENDS = (b".", b"?", b"!")
_CHUNK = 250_000  # words written at once, to bound the memory


def corpus(seed: int = 0) -> Corpus:
    """Return 25,000 + 25,000 reviews, half of each positive: the same bytes for the same seed on every machine."""
    shared = sampling_tables(np.random.PCG64([seed, 0]))
    sampled = (
        sample_split(np.random.PCG64([seed, 1]), shared, "train"),
        sample_split(np.random.PCG64([seed, 2]), shared, "test"),
    )
    spelling = shared.lexicon.spelling
    texts = tuple(_text(np.random.PCG64([seed, 3 + half]), spelling, sampled[half]) for half in range(2))
    word_index = _word_index(spelling, sampled[0])
    tokens, train_ranks = ranked(texts[0])
    ranks = train_ranks, token_ranks(texts[1], tokens)
    train, test = (Split(texts[h], sampled[h].labels, keras_ids(texts[h], word_index), ranks[h]) for h in range(2))
    return Corpus("synthetic", digest(train, test), train, test, word_index, tokens)


def _word_index(spelling: Spelling, train: SampledSplit) -> tuple[str, ...]:
    """Return the words by falling count in the training half, as Keras's index has them; `br`, the tag, is one too."""
    breaks = np.array([mark.count(b"<br />") for mark in MARKS])[train.separators].sum()
    counts = np.append(np.bincount(train.words, minlength=len(spelling)), breaks)
    order = np.argsort(-counts, kind="stable")[:INDEX_WORDS]
    return tuple(word.decode() for word in np.append(spelling, b"br")[order].tolist())


def _text(bits: np.random.PCG64, spelling: Spelling, half: SampledSplit) -> Ragged:
    """Write the rows out, words and separators in turn."""
    cased = np.concatenate([spelling, np.char.capitalize(spelling)])
    marks = np.array(MARKS)
    words = half.words + len(spelling) * _capital(bits, half)
    chunks = [slice(start, start + _CHUNK) for start in range(0, len(words), _CHUNK)]
    values = np.concatenate([_joined(cased[words[at]], marks[half.separators[at]]) for at in chunks])
    sizes = np.char.str_len(cased)[words] + np.char.str_len(marks)[half.separators]
    ends = np.append(0, sizes.cumsum())
    return Ragged(values, ends[np.append(0, half.lengths.cumsum())])


def _capital(bits: np.random.PCG64, half: SampledSplit) -> npt.NDArray[np.bool_]:
    """Return which words begin with a capital letter."""
    ends = np.array([mark[:1] in _SENTENCE_ENDS for mark in MARKS])
    first = np.append(True, ends[half.separators[:-1]])
    first[half.lengths.cumsum()[:-1]] = True
    return uniform(bits, len(first)) < np.where(first, _CAPITAL_FIRST, _CAPITAL_INSIDE)


def _joined(words: Spelling, separators: Spelling) -> npt.NDArray[np.uint8]:
    """Return the bytes of word, separator, word, separator, ...; NumPy pads both with zero bytes, which go."""
    columns = [pieces.view(np.uint8).reshape(len(pieces), -1) for pieces in (words, separators)]
    padded: npt.NDArray[np.uint8] = np.concatenate(columns, axis=1).ravel()
    return padded[np.flatnonzero(padded)]
