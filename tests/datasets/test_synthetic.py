"""Tests of the synthetic corpus: what it has in common with the real reviews, and what can be learnt from it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from datasets import synthetic
from datasets.corpus import Corpus, Ragged, Split, digest
from datasets.synthetic_lexicon import lexicon
from datasets.tokenise import INDEX_FROM, text_rows

# The digest of seed 0: it goes into every record, so that a change of it makes published runs incomparable.
DIGEST = "83add6d241aa148dd5cfb9f05bc38f86f54bc1fd22ebc42ffaac57e544ad2196"

# Aggregates of the real reviews, and how far the synthetic ones may be from them.
# `test_the_constants_are_those_of_the_real_reviews` measures them again where the reviews are at hand.
REAL_TRAIN = {
    "bytes": (33_132_823, 0.02),
    "capital letters": (903_115, 0.03),
    "commas": (276_280, 0.03),
    "full stops": (327_192, 0.03),
    "line breaks": (101_870, 0.03),
    "double quotes": (65_831, 0.1),
    "apostrophes": (133_857, 0.1),
    "hyphens": (67_075, 0.1),
    "bytes beyond ASCII": (11_881, 0.2),
    "ids": (5_967_841, 0.02),
    "distinct ids": (88_584, 0.1),
    "share of ids below 10,000": (0.94277, 0.02),
    "share of ids below 1,000": (0.764266, 0.02),
    "distinct ids below 10,000 a review": (130.727, 0.02),
    "share of rank 10": (0.0129263, 0.1),
    "share of rank 100": (0.0012794, 0.1),
    "share of rank 1,000": (0.00010054, 0.1),
    "share of rank 10,000": (5.1945e-06, 0.1),
    "tokens": (5_764_597, 0.02),
    "distinct tokens": (112_532, 0.1),
    "share of tokens beyond 10,000": (0.063621, 0.1),
    "share of tokens beyond 1,000": (0.24172, 0.05),
    "ids at quantile 0.05": (66, 0.03),
    "ids at quantile 0.25": (130, 0.03),
    "ids at quantile 0.5": (178, 0.03),
    "ids at quantile 0.75": (291, 0.03),
    "ids at quantile 0.95": (610, 0.03),
}
REAL_TEST = {
    "bytes": (32_350_685, 0.02),
    "ids": (5_770_105, 0.02),
    "share of ids below 10,000": (0.94853, 0.02),
    "distinct ids below 10,000 a review": (127.777, 0.02),
    "tokens": (5_634_379, 0.02),
}


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    """The synthetic corpus of seed 0."""
    return synthetic.corpus()


@pytest.fixture(scope="module")
def other() -> Corpus:
    """The synthetic corpus of another seed."""
    return synthetic.corpus(seed=1)


@pytest.fixture(scope="module")
def train_shape(corpus: Corpus) -> dict[str, float]:
    """The training half, measured."""
    return aggregates(corpus.train, len(corpus.tokens))


@pytest.fixture(scope="module")
def held_out_shape(corpus: Corpus) -> dict[str, float]:
    """The test half, measured."""
    return aggregates(corpus.test, len(corpus.tokens))


def distinct(rows: Ragged, *, below: int, first: int | None = None) -> tuple[npt.NDArray[np.int64], ...]:
    """Return (row, id) of each id under `below`, once a row, among its `first` ones."""
    lengths = np.diff(rows.offsets)
    row = np.repeat(np.arange(len(rows)), lengths)
    place = np.arange(len(row)) - rows.offsets[row]
    kept = (rows.values < below) & (place < (first or len(row)))
    seen = np.zeros((len(rows), below), dtype=bool)
    seen[row[kept], rows.values[kept]] = True
    return np.nonzero(seen)


def aggregates(split: Split, tokens: int) -> dict[str, float]:
    """Measure one half, with `tokens` known tokens."""
    text, ids, ranks = split.text.values, split.keras_ids.values, split.token_ranks.values
    bytes_ = np.bincount(text, minlength=256)
    counts = np.sort(np.bincount(ids, minlength=INDEX_FROM + 2))[::-1]
    counts = counts[counts != len(split)]  # the start id occurs once a review
    signs = {"commas": ",", "full stops": ".", "double quotes": '"', "apostrophes": "'", "hyphens": "-"}
    lengths = np.diff(split.keras_ids.offsets)
    return {
        "bytes": len(text),
        "capital letters": int(bytes_[ord("A") : ord("Z") + 1].sum()),
        **{name: int(bytes_[ord(sign)]) for name, sign in signs.items()},
        "line breaks": text.tobytes().count(b"<br />"),
        "bytes beyond ASCII": int(bytes_[128:].sum()),
        "ids": len(ids),
        "distinct ids": int((counts > 0).sum()),
        "share of ids below 10,000": float(np.mean(ids < 10_000)),
        "share of ids below 1,000": float(np.mean(ids < 1_000)),
        "distinct ids below 10,000 a review": len(distinct(split.keras_ids, below=10_000)[0]) / len(split),
        **{f"share of rank {rank:,}": counts[rank - 1] / len(ids) for rank in (10, 100, 1_000, 10_000)},
        "tokens": len(ranks),
        "distinct tokens": tokens,
        "share of tokens beyond 10,000": float(np.mean(ranks >= 9_998)),  # two ids are padding and unknown
        "share of tokens beyond 1,000": float(np.mean(ranks >= 998)),
        **{f"ids at quantile {at}": float(np.quantile(lengths, at)) for at in (0.05, 0.25, 0.5, 0.75, 0.95)},
    }


def bag_of_words_accuracy(train: Split, test: Split, *, below: int, first: int | None = None) -> float:
    """Return the test accuracy of naive Bayes on which tokens occur, order unseen."""
    row, token = distinct(train.token_ranks, below=below, first=first)
    positive, negative = (np.bincount(token[train.labels[row] == label], minlength=below) + 1 for label in (1, 0))
    row, token = distinct(test.token_ranks, below=below, first=first)
    scores = np.bincount(row, np.log(positive / negative)[token], minlength=len(test))
    return float(np.mean((scores > 0) == test.labels))


def opinions(corpus: Corpus) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Return for each id its opinion (1, 0 or -1), and whether it is a negation."""
    known = lexicon(np.random.PCG64([0, 0]))
    spelt = {word.decode(): position for position, word in enumerate(known.spelling.tolist())}
    position = np.array([-9] * (INDEX_FROM + 1) + [spelt.get(word, -9) for word in corpus.word_index])
    good, bad = np.isin(position, known.opinions), np.isin(position, known.opinions + 1)
    return good.astype(np.int64) - bad, np.isin(position, known.negations)


def counting_accuracy(corpus: Corpus, *, heeding_negation: bool, shuffled: bool = False) -> float:
    """Return the test accuracy of adding up opinions, each turned round by a negation before it if that is heeded."""
    ids = corpus.test.keras_ids
    rows = np.repeat(np.arange(len(ids)), np.diff(ids.offsets))
    words = ids.values
    if shuffled:
        words = words[np.lexsort((np.random.default_rng(0).random(len(words)), rows))]
    opinion_of_id, is_negation = opinions(corpus)
    opinion = opinion_of_id[words]
    turned = heeding_negation & np.append(False, is_negation[words][:-1])
    scores = np.bincount(rows, np.where(turned, -opinion, opinion))
    return float(np.mean(np.where(scores == 0, 0.5, (scores > 0) == corpus.test.labels)))


def test_one_seed_gives_the_same_bytes_everywhere(corpus: Corpus) -> None:
    """The digest is fixed: it must hold on every machine and with every NumPy."""
    assert (corpus.name, corpus.digest) == ("synthetic", DIGEST)


def test_another_seed_gives_other_reviews(corpus: Corpus, other: Corpus) -> None:
    """The seed decides the words, the reviews and the labels."""
    assert other.digest != corpus.digest
    assert other.word_index[0] != corpus.word_index[0]
    assert not np.array_equal(other.train.labels, corpus.train.labels)


def test_the_digest_covers_text_rows_and_labels(corpus: Corpus) -> None:
    """Records with one digest saw the same reviews with the same labels."""
    train, test = corpus.train, corpus.test
    relabelled = Split(train.text, 1 - train.labels, train.keras_ids, train.token_ranks)
    offsets = train.text.offsets.copy()
    offsets[1] += 1
    moved = Split(Ragged(train.text.values, offsets), train.labels, train.keras_ids, train.token_ranks)
    seen = {digest(*halves) for halves in [(train, test), (test, train), (relabelled, test), (moved, test)]}
    assert len(seen) == 4
    assert digest(train, test) == corpus.digest


def test_half_of_each_half_is_positive_in_no_order(corpus: Corpus) -> None:
    """25,000 + 25,000 balanced reviews; every recipe's held-out part must be about balanced, too."""
    for split in (corpus.train, corpus.test):
        assert len(split) == len(split.text) == len(split.keras_ids) == len(split.token_ranks) == 25_000
        assert split.labels.sum() == 12_500
        assert abs(split.labels[:10_000].mean() - 0.5) < 0.02


def test_every_review_is_utf8_without_zero_bytes(corpus: Corpus) -> None:
    """Frameworks take the reviews as strings; zero bytes are NumPy's padding of short strings."""
    for split in (corpus.train, corpus.test):
        reviews = [review.decode() for review in text_rows(split.text)]
        assert all(reviews)
        assert "\0" not in "".join(reviews)


def test_no_review_occurs_twice(corpus: Corpus) -> None:
    """No test review was trained on."""
    reviews = [*text_rows(corpus.train.text), *text_rows(corpus.test.text)]
    assert len(set(reviews)) == 50_000


def test_the_word_index_ranks_the_training_words(corpus: Corpus) -> None:
    """As in Keras's index: 88,584 words by falling count in the training half, none of whose words is lacking."""
    counts = np.bincount(corpus.train.keras_ids.values, minlength=len(corpus.word_index) + INDEX_FROM + 1)
    assert len(set(corpus.word_index)) == len(corpus.word_index) == 88_584
    assert np.all(np.diff(counts[INDEX_FROM + 1 :]) <= 0)
    assert counts[corpus.word_index.index("br") + INDEX_FROM + 1] == corpus.train.text.values.tobytes().count(b"<br />")
    assert counts[-1] == 0


@pytest.mark.parametrize("name", REAL_TRAIN)
def test_the_training_half_has_the_shape_of_the_real_one(train_shape: dict[str, float], name: str) -> None:
    """Timings can agree only where sizes and frequencies do."""
    real, tolerance = REAL_TRAIN[name]
    assert train_shape[name] == pytest.approx(real, rel=tolerance)


@pytest.mark.parametrize("name", REAL_TEST)
def test_the_test_half_has_the_shape_of_the_real_one(held_out_shape: dict[str, float], name: str) -> None:
    """Prediction is timed on the test half."""
    real, tolerance = REAL_TEST[name]
    assert held_out_shape[name] == pytest.approx(real, rel=tolerance)


def test_another_seed_keeps_the_shape(other: Corpus) -> None:
    """The constants are no accident of seed 0."""
    measured = aggregates(other.train, len(other.tokens))
    for name in ("bytes", "ids", "tokens", "distinct ids", "distinct tokens", "distinct ids below 10,000 a review"):
        real, tolerance = REAL_TRAIN[name]
        assert measured[name] == pytest.approx(real, rel=2 * tolerance), name


def test_the_constants_are_those_of_the_real_reviews(real_corpus: Corpus) -> None:
    """The aggregates that the synthetic corpus is compared with follow from the real reviews."""
    train = aggregates(real_corpus.train, len(real_corpus.tokens))
    test = aggregates(real_corpus.test, len(real_corpus.tokens))
    assert train == pytest.approx({name: real for name, (real, _) in REAL_TRAIN.items()}, rel=1e-4)
    assert {name: test[name] for name in REAL_TEST} == pytest.approx(
        {name: real for name, (real, _) in REAL_TEST.items()}, rel=1e-4
    )


def test_the_labels_can_be_learnt_but_not_perfectly(corpus: Corpus) -> None:
    """A recipe that learns nothing, or everything, would hide a fault; the real reviews give about 0.88."""
    assert 0.84 < bag_of_words_accuracy(corpus.train, corpus.test, below=10_000) < 0.91


def test_the_labels_show_in_what_the_lstm_recipe_sees(corpus: Corpus) -> None:
    """It sees the 1,000 most frequent tokens among a review's first 100."""
    assert 0.77 < bag_of_words_accuracy(corpus.train, corpus.test, below=1_000, first=100) < 0.84


def test_the_order_of_the_words_carries_part_of_the_label(corpus: Corpus) -> None:
    """A reader who heeds "not" before "good" understands more, and nothing more once the words are shuffled."""
    blind = counting_accuracy(corpus, heeding_negation=False)
    assert counting_accuracy(corpus, heeding_negation=True) > blind + 0.015
    assert counting_accuracy(corpus, heeding_negation=True, shuffled=True) < blind
