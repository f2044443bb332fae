"""The metrics that decide: accuracy and loss in NumPy, from predictions; no framework computes them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

# Keras's clip of a probability (keras.config.epsilon()), so that losses compare with the published ones.
EPSILON = 1e-7


def probabilities(scores: npt.NDArray[np.floating], *, logits: bool) -> npt.NDArray[np.float64]:
    """Return ``scores`` (rows,) as probabilities of a positive review."""
    values = np.asarray(scores, np.float64).reshape(-1)
    return 0.5 * (1.0 + np.tanh(0.5 * values)) if logits else values  # the logistic function, without overflow


def accuracy(positive: npt.NDArray[np.float64], labels: npt.NDArray[np.integer]) -> float:
    """Return the share of reviews on the right side of one half; exactly one half counts as negative, as in Keras."""
    return float(np.mean((positive > 0.5) == (labels > 0)))


def cross_entropy(positive: npt.NDArray[np.float64], labels: npt.NDArray[np.integer]) -> float:
    """Return the mean binary cross-entropy in nats."""
    clipped = np.clip(positive, EPSILON, 1 - EPSILON)
    return float(-np.mean(np.where(labels > 0, np.log(clipped), np.log1p(-clipped))))
