"""Tests of the metrics that decide: worked by hand, and where floating point is at its end."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.worker.training import metrics

LABELS = np.array([1, 1, 0, 0], np.int8)


@pytest.mark.parametrize(
    ("positive", "expected"),
    [
        ([0.9, 0.51, 0.49, 0.1], 1.0),
        ([0.9, 0.49, 0.49, 0.1], 0.75),
        ([0.1, 0.1, 0.9, 0.9], 0.0),
        ([0.9, 0.9, 0.5, 0.5], 1.0),
        ([0.5, 0.5, 0.1, 0.1], 0.5),
        ([math.nan] * 4, 0.5),
    ],
)
def test_accuracy_is_the_share_on_the_right_side_of_one_half(positive: list[float], expected: float) -> None:
    """Exactly one half counts as negative, as in Keras's BinaryAccuracy (`y_pred > threshold`)."""
    assert metrics.accuracy(np.array(positive), LABELS) == expected


def test_cross_entropy_is_the_mean_of_minus_the_logarithms() -> None:
    """-(ln 0.9 + ln 0.8 + ln 0.7 + ln 0.6) / 4 = 0.2990."""
    found = metrics.cross_entropy(np.array([0.9, 0.8, 0.3, 0.4]), LABELS)
    assert found == pytest.approx(0.299, abs=5e-5)


def test_guessing_costs_the_logarithm_of_two() -> None:
    """The loss before any training: 0.6931 nats."""
    assert metrics.cross_entropy(np.full(4, 0.5), LABELS) == pytest.approx(math.log(2))


@pytest.mark.parametrize(("positive", "expected"), [([1.0, 1.0, 0.0, 0.0], 1e-7), ([0.0, 0.0, 1.0, 1.0], 16.118095651)])
def test_a_certain_prediction_is_clipped_as_keras_clips_it(positive: list[float], expected: float) -> None:
    """-ln(1 - 1e-7) = 1e-7 and -ln(1e-7) = 16.1181: finite, so that losses compare with the published ones."""
    assert metrics.cross_entropy(np.array(positive), LABELS) == pytest.approx(expected, rel=1e-6)


def test_the_loss_of_a_diverged_model_is_no_number() -> None:
    """A NaN is carried on, for a check to see; it is not clipped into a finite loss."""
    assert math.isnan(metrics.cross_entropy(np.array([math.nan, 0.5, 0.5, 0.5]), LABELS))


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 1)), min_size=1, max_size=30))
def test_both_metrics_know_no_order_and_keep_their_bounds(rows: list[tuple[float, int]]) -> None:
    """Reviews may come in any order; accuracy lies in [0, 1], the loss in [0, -ln 1e-7]."""
    positive, labels = (np.array(column) for column in zip(*rows, strict=True))
    assert metrics.accuracy(positive, labels) == metrics.accuracy(positive[::-1], labels[::-1])
    loss = metrics.cross_entropy(positive, labels)
    assert loss == pytest.approx(metrics.cross_entropy(positive[::-1], labels[::-1]))
    assert 0 <= metrics.accuracy(positive, labels) <= 1
    assert 0 <= loss <= 16.1181


def test_the_area_under_the_curve_counts_pairs() -> None:
    """Of 2 x 2 pairs of a positive and a negative: three in order, none tied."""
    assert metrics.roc_auc(np.array([0.9, 0.4, 0.6, 0.1]), LABELS) == 0.75


def test_tied_scores_count_half() -> None:
    """All scores alike: nothing is told apart."""
    assert metrics.roc_auc(np.full(4, 0.3), LABELS) == 0.5


def test_one_label_alone_has_no_area() -> None:
    """There are no pairs."""
    assert math.isnan(metrics.roc_auc(np.array([0.1, 0.9]), np.array([1, 1])))


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=40))
def test_the_area_is_that_of_every_pair(reviews: list[tuple[int, bool]]) -> None:
    """Against the definition, pair by pair."""
    positive, negative = ([s for s, label in reviews if label is wanted] for wanted in (True, False))
    pairs = [(a > b) + (a == b) / 2 for a in positive for b in negative]
    found = metrics.roc_auc(np.array([s / 5 for s, _ in reviews]), np.array([label for _, label in reviews], np.int8))
    assert found == pytest.approx(sum(pairs) / len(pairs)) if pairs else math.isnan(found)


def test_the_confusion_counts_each_review_once() -> None:
    """Exactly one half counts as negative, as in the accuracy."""
    found = metrics.confusion(np.array([0.9, 0.5, 0.6, 0.1]), LABELS)
    assert found == {"true_positive": 1, "false_positive": 1, "true_negative": 1, "false_negative": 1}
