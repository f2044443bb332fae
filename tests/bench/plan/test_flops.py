"""The flops: operations of a step and a prediction, worked by hand."""

from __future__ import annotations

import pytest

from bench.plan import flops
from models.recipes import DENSE, LSTM, POOLING_DROPOUT, POOLING_LOGITS, RECIPES


def test_a_dense_prediction_is_three_products() -> None:
    """2 · (10,000 · 16 + 16 · 16 + 16 · 1) = 320,544 operations a review."""
    assert flops.prediction_flops(DENSE, 1) == 320_544


def test_a_dense_step_has_no_gradient_for_its_input() -> None:
    """Three times the inner products, twice the first: 3 · 544 + 2 · 320,000 = 641,632 a review; 9 for a parameter."""
    assert flops.step_flops(DENSE, 1) == 641_632 + 9 * 160_305


def test_a_pooling_prediction_adds_the_rows_that_it_averages() -> None:
    """256 rows of 16 values, then products of 16 · 16 and 16 · 1; 250 rows and 16 · 1 for the logits."""
    assert flops.prediction_flops(POOLING_DROPOUT, 1) == 256 * 16 + 2 * (16 * 16 + 16)
    assert flops.prediction_flops(POOLING_LOGITS, 1) == 250 * 16 + 2 * 16


def test_a_pooling_step_trains_what_it_averages() -> None:
    """Each product three times over; the rows forward and into the table's gradient; 12 for a parameter of Adam's."""
    assert flops.step_flops(POOLING_LOGITS, 1) == 2 * 250 * 16 + 3 * 2 * 16 + 12 * 160_017
    assert flops.step_flops(POOLING_DROPOUT, 1) == 2 * 256 * 16 + 3 * 2 * (16 * 16 + 16) + 12 * 160_289


def test_an_lstm_multiplies_at_each_time_step() -> None:
    """100 · 2 · (128 + 64) · 256 + 2 · 64 · 64 + 2 · 64 = 9,838,720 operations a review; its rows have a gradient."""
    assert flops.prediction_flops(LSTM, 1) == 9_838_720
    assert flops.step_flops(LSTM, 1) == 3 * 9_838_720 + 100 * 128 + 12 * 181_761


@pytest.mark.parametrize("name", RECIPES)
def test_work_grows_with_the_batch_but_for_the_update(name: str) -> None:
    """Every product has the batch as its rows; the optimizer updates the same parameters after any batch."""
    recipe = RECIPES[name]
    update = flops.UPDATE_FLOPS[recipe.optimizer.name] * recipe.parameters
    assert flops.step_flops(recipe, 64) - update == 64 * (flops.step_flops(recipe, 1) - update)
    assert flops.prediction_flops(recipe, 64) == 64 * flops.prediction_flops(recipe, 1)
    assert flops.step_flops(recipe, 8) > flops.prediction_flops(recipe, 8)
