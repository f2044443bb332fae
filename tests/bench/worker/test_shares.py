"""Which rows each of several processes hands to `fit`: together those of every batch, each once."""

from __future__ import annotations

import numpy as np
import pytest

pytestmark = pytest.mark.framework  # Keras is imported


@pytest.mark.parametrize(
    ("rows", "batch_size", "parts"), [(64, 32, 2), (100, 32, 2), (101, 32, 4), (7, 32, 2), (96, 24, 3)]
)
def test_parts_of_a_batch_are_the_batch(rows: int, batch_size: int, parts: int) -> None:
    """In order, so that a step of several processes sees the rows that one of a single process sees."""
    from bench.worker.distribution import rows_of

    shares = [rows_of(rows, batch_size, rank, parts) for rank in range(parts)]
    assert {len(share) for share in shares} == {rows // parts}
    size = batch_size // parts
    for batch in range(-(-rows // batch_size)):
        together = np.concatenate([share[batch * size : (batch + 1) * size] for share in shares])
        start, whole = batch * batch_size, rows // parts * parts
        assert together.tolist() == list(range(start, min(start + batch_size, whole)))
