"""The noise of estimators on identical targets, from made pools whose truth is known."""

from __future__ import annotations

import pytest

from bench.analysis.calibration import estimator_noise
from bench.analysis.calibration.error_rates import Pool
from tests.bench.analysis.test_error_rates import made_pool, record


def sd(pool: Pool) -> dict[str, float]:
    """Return the scatter of training cells by estimator."""
    return {row.estimator: row.train for row in estimator_noise.table(pool)}


def test_processes_that_differ_scatter_by_as_much() -> None:
    """Two processes, each off by 2 %: their ratio by 2.8 %, by each estimator."""
    found = sd(made_pool(300, scatter=0.02))
    assert list(found.values()) == [pytest.approx(0.028, abs=0.006)] * len(estimator_noise.ESTIMATORS)


def test_blocks_that_drift_together_leave_the_neighbours_alone() -> None:
    """A machine that slows down in the middle of a turn now and then: only ratios of neighbours do not see it."""
    records = [
        record(number, label, [0.01 * (1 + (turn >= 6 + number % 3 + (label == "head"))) for turn in range(13)])
        for number in range(9)
        for label in ("base", "head")
    ]
    own, medians, *_ = sd(Pool.of(records)).values()
    assert own == 0.0
    assert medians > 0.1


def test_one_replicate_scatters_around_nothing() -> None:
    assert estimator_noise.table(made_pool(1)) == []
