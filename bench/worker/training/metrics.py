"""The metrics that decide, in NumPy from predictions: no framework computes them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

# Keras's clip of a probability (keras.config.epsilon()), so that losses compare with the published ones.
EPSILON = 1e-7


def accuracy(positive: npt.NDArray[np.float64], labels: npt.NDArray[np.integer]) -> float:
    """Return the share of reviews on the right side of one half; exactly one half counts as negative, as in Keras."""
    return float(np.mean((positive > 0.5) == (labels > 0)))


def cross_entropy(positive: npt.NDArray[np.float64], labels: npt.NDArray[np.integer]) -> float:
    """Return the mean binary cross-entropy in nats."""
    clipped = np.clip(positive, EPSILON, 1 - EPSILON)
    return float(-np.mean(np.where(labels > 0, np.log(clipped), np.log1p(-clipped))))


def roc_auc(positive: npt.NDArray[np.float64], labels: npt.NDArray[np.integer]) -> float:
    """Return the area under the ROC curve: how often a positive review scores above a negative one, ties half.

    By ranks (Mann and Whitney 1947; Hanley and McNeil 1982). NaN where all reviews have one label.
    """
    _, inverse, counts = np.unique(positive, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]  # (reviews,), equal scores share their mean rank
    is_positive = labels > 0
    positives, negatives = int(is_positive.sum()), int((~is_positive).sum())
    if not positives or not negatives:
        return float("nan")
    return float((ranks[is_positive].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def confusion(positive: npt.NDArray[np.float64], labels: npt.NDArray[np.integer]) -> dict[str, int]:
    """Return the numbers of true and false positives and negatives."""
    predicted, actual = positive > 0.5, labels > 0
    return {
        "true_positive": int(np.sum(predicted & actual)),
        "false_positive": int(np.sum(predicted & ~actual)),
        "true_negative": int(np.sum(~predicted & ~actual)),
        "false_negative": int(np.sum(~predicted & actual)),
    }
