"""The flops: operations of matrix products, worked by hand."""

from __future__ import annotations

import pytest

from bench.plan import flops
from models.recipes import DENSE, LSTM, POOLING_DROPOUT, POOLING_LOGITS, RECIPES


def test_a_dense_prediction_is_three_products() -> None:
    """2 · (10,000 · 16 + 16 · 16 + 16 · 1) = 320,544 operations a review."""
    assert flops.prediction_flops(DENSE, 1) == 320_544


def test_a_dense_step_has_no_gradient_for_its_input() -> None:
    """Three times the inner products, twice the first: 3 · 544 + 2 · 320,000 = 641,632 a review."""
    assert flops.step_flops(DENSE, 1) == 641_632


def test_a_pooling_step_trains_what_it_averages() -> None:
    """One product of 16 · 1 for the logits, 16 · 16 more with the hidden layer, each three times over."""
    assert flops.step_flops(POOLING_LOGITS, 1) == 3 * 2 * 16
    assert flops.step_flops(POOLING_DROPOUT, 1) == 3 * 2 * (16 * 16 + 16)


def test_an_lstm_multiplies_at_each_time_step() -> None:
    """100 · 2 · (128 + 64) · 256 + 2 · 64 · 64 + 2 · 64 = 9,838,720 operations a review."""
    assert flops.prediction_flops(LSTM, 1) == 9_838_720
    assert flops.step_flops(LSTM, 1) == 3 * 9_838_720


@pytest.mark.parametrize("name", RECIPES)
def test_work_grows_with_the_batch(name: str) -> None:
    """Every product has the batch as its rows."""
    recipe = RECIPES[name]
    assert flops.step_flops(recipe, 64) == 64 * flops.step_flops(recipe, 1)
    assert flops.prediction_flops(recipe, 64) == 64 * flops.prediction_flops(recipe, 1)
    assert flops.step_flops(recipe, 8) > flops.prediction_flops(recipe, 8)
