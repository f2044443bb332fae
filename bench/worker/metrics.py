"""The metrics that decide: accuracy and loss in NumPy, from predictions; no framework computes them."""

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
    chosen = labels > 0
    ours, theirs = int(chosen.sum()), int((~chosen).sum())
    if not ours or not theirs:
        return float("nan")
    return float((ranks[chosen].sum() - ours * (ours + 1) / 2) / (ours * theirs))


def confusion(positive: npt.NDArray[np.float64], labels: npt.NDArray[np.integer]) -> dict[str, int]:
    """Return how many reviews were called positive and negative, rightly ("true") and wrongly ("false")."""
    said, is_so = positive > 0.5, labels > 0
    return {
        "true_positive": int(np.sum(said & is_so)),
        "false_positive": int(np.sum(said & ~is_so)),
        "true_negative": int(np.sum(~said & ~is_so)),
        "false_negative": int(np.sum(~said & is_so)),
    }
