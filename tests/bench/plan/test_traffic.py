"""The memory traffic: bytes of a step and a prediction, worked by hand."""

from __future__ import annotations

import pytest

from bench.plan import traffic
from bench.plan.traffic import Traffic
from models.recipes import DENSE, LSTM, POOLING_DROPOUT, POOLING_LOGITS, RECIPES


def test_a_dense_prediction_reads_its_review_and_its_kernels() -> None:
    """10,000 inputs, 160,305 parameters; 16 + 16 + 1 outputs are written and read: 4 bytes each."""
    assert traffic.prediction(DENSE, 1) == Traffic(4 * (10_000 + 160_305 + 2 * 33), 4 * (10_000 + 160_305 + 33))


def test_a_pooling_prediction_reads_a_row_for_each_word() -> None:
    """256 ids, 256 rows of 16, kernels of 16 · 16 + 16 and 16 + 1, and 16 + 16 + 1 outputs."""
    values = 256 + 256 * 16 + 289
    assert traffic.prediction(POOLING_DROPOUT, 1) == Traffic(4 * (values + 2 * 33), 4 * (values + 33))


def test_rows_are_read_again_for_every_look_up_but_lie_in_memory_once() -> None:
    """512 reviews look up 131,072 rows of a table that has 10,000."""
    found = traffic.prediction(POOLING_DROPOUT, 512)
    assert found.moved_bytes == 4 * (512 * (256 + 256 * 16 + 2 * 33) + 289)
    assert found.working_set_bytes == 4 * (512 * (256 + 33) + 289 + 160_000)


def test_adam_moves_every_row_of_the_table_and_rmsprop_one_array_less() -> None:
    """Gradient, parameter and two moments, each written and read: 8 · 160,017. RMSprop has one: 6 · 160,305."""
    batch = 2 * 250 + 2 * 250 * 16 + 17 + 5 * 17
    assert traffic.step(POOLING_LOGITS, 1).moved_bytes == 4 * (batch + 8 * 160_017)
    dense = 2 * 10_000 + 160_305 + 5 * 33
    assert traffic.step(DENSE, 1) == Traffic(4 * (dense + 6 * 160_305), 4 * (10_000 + 2 * 33 + 3 * 160_305))


def test_an_lstm_keeps_six_values_of_each_unit_and_time_step() -> None:
    """100 steps of 64 units: written forward, read backward; its kernels are 192 · 256 + 256, 64 · 64 + 64 and 65."""
    kernels, kept = 192 * 256 + 256 + 64 * 64 + 64 + 65, 6 * 100 * 64
    batch = 2 * 100 + 2 * 100 * 128 + kernels + 5 * 129 + 2 * kept
    assert traffic.step(LSTM, 1).moved_bytes == 4 * (batch + 8 * 181_761)
    assert traffic.prediction(LSTM, 1).moved_bytes == 4 * (100 + 100 * 128 + kernels + 2 * 129)


@pytest.mark.parametrize("name", RECIPES)
def test_nothing_moves_that_lies_nowhere(name: str) -> None:
    """Every array of the working set is read or written at least once, in every recipe at every batch size."""
    for size in (1, 32, 512):
        for found in (traffic.prediction(RECIPES[name], size), traffic.step(RECIPES[name], size)):
            assert 0 < found.working_set_bytes <= found.moved_bytes
