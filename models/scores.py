"""The scores: a model's raw outputs as probabilities; no framework, and no judgement of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def probabilities(scores: npt.ArrayLike, *, logits: bool) -> npt.NDArray[np.float64]:
    """Return ``scores``, (rows,) or (rows, 1), as probabilities of a positive review, (rows,)."""
    values = np.asarray(scores, np.float64).reshape(-1)
    return 0.5 * (1.0 + np.tanh(0.5 * values)) if logits else values  # the logistic function, without overflow
