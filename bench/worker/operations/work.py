"""What one repeat of an operation processes, and the batches that it cycles through."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import numpy as np
import numpy.typing as npt

from bench.worker.reviews import Encoded
from datasets.corpus import Ragged

BYTES_PER_MEGABYTE = 1e6


def reviews(batch_size: int) -> dict[str, float]:
    """Return the work of one batch."""
    return {"reviews": batch_size}


def text(rows: Ragged, batch_size: int) -> dict[str, float]:
    """Return the work of vectorizing ``batch_size`` reviews whose raw text is ``rows``."""
    return {"reviews": batch_size, "megabytes": len(rows.values) / BYTES_PER_MEGABYTE}


def batches(data: Encoded, batch_size: int) -> Iterator[Encoded]:
    """Cycle through the whole batches of ``data``, without end."""
    whole = len(data) // batch_size
    for position in count():
        start = (position % whole) * batch_size
        yield data.rows(start, start + batch_size)


def orders(rows: int, batch_size: int, steps: int) -> npt.NDArray[np.int32]:
    """Return the rows of each of ``steps`` batches, shape (steps, batch_size): one shuffled epoch after another."""
    generator = np.random.default_rng(0)
    whole = rows // batch_size
    epochs = [generator.permutation(rows)[: whole * batch_size] for _ in range(-(-steps // whole))]
    return np.concatenate(epochs).reshape(-1, batch_size)[:steps].astype(np.int32)
