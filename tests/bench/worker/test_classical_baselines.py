"""Tests of the peers' rows: which words a review has, whatever form the network takes them in."""

from __future__ import annotations

import numpy as np
import pytest

pytestmark = pytest.mark.framework  # scikit-learn alone, but the worker's rooms import Keras


def test_padded_ids_become_the_words_that_are_there() -> None:
    """Each word once, however often it stands there; padding is no word."""
    from bench.worker.training.classical_baselines import bag

    rows = bag(np.array([[3, 3, 1, 0, 0], [4, 0, 0, 0, 0], [0, 0, 0, 0, 0]], np.int32), 6)
    assert rows.toarray().tolist() == [[0, 1, 0, 1, 0, 0], [0, 0, 0, 0, 1, 0], [0] * 6]


def test_multi_hot_rows_stay_as_they_are() -> None:
    """They say which words are there already."""
    from bench.worker.training.classical_baselines import bag

    hot = np.eye(4, dtype=np.float32)
    assert (bag(hot, 4).toarray() == hot).all()


def test_the_plan_names_the_peers_that_there_are() -> None:
    """The parent cannot import scikit-learn's models to ask."""
    from bench.plan import steps
    from bench.worker.training.classical_baselines import BASELINES

    assert tuple(BASELINES) == steps.BASELINES
