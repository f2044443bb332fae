"""Classical baselines: scikit-learn's linear models on the encoding of a recipe."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from bench.protocol import Json
from bench.worker.reviews import Encoded, Reviews
from bench.worker.training import metrics
from datasets.encoding import PADDING_ID, Rows

# Reviews in a timed prediction, and predictions of each size.
PREDICT_SIZES, CALLS = (1, 32, 512), 30

# Scikit-learn's defaults except the solver, whose default is slower on these sparse rows, and the inverse penalty C.
# Of 0.003, 0.01, 0.03, 0.1, 0.3 and 1, the best on the last 5,000 training reviews, held out, were 0.03 to 0.1 for the
# logistic regression and 0.003 to 0.01 for the SVM, by recipe.
BASELINES: dict[str, Callable[[], Any]] = {
    "logistic regression": lambda: LogisticRegression(solver="liblinear", C=0.05, random_state=0),
    "linear SVM": lambda: LinearSVC(C=0.005, random_state=0),
}


def measure(reviews: Reviews, name: str) -> Json:
    """Train the baseline called ``name`` on all training reviews and test it.

    Returns its seconds of training, from sparse rows on, its accuracy and area under the ROC curve on the test
    reviews, and the median seconds of a prediction by the number of reviews in it.
    """
    words = reviews.recipe.encoding.vocabulary_size
    x, y = bag(reviews.train.x, words), _labels(reviews.train)
    model = BASELINES[name]()
    started = time.perf_counter()
    model.fit(x, y)
    train_s = time.perf_counter() - started
    test = bag(reviews.test.x, words)
    decision = np.asarray(model.decision_function(test), np.float64)
    return {
        "train_s": train_s,
        "test_accuracy": float(np.mean((decision > 0) == (_labels(reviews.test) > 0))),
        "roc_auc": metrics.roc_auc(decision, _labels(reviews.test)),
        "predict_s": {str(size): _predict_s(model, test, size) for size in PREDICT_SIZES},
    }


def bag(rows: Rows, words: int) -> Any:
    """Return which words are in each row, sparse (rows, words): what is left of padded ids without their order."""
    if rows.shape[1] == words and rows.dtype == np.float32:
        return sparse.csr_matrix(rows)
    kept = rows != PADDING_ID
    owners = np.repeat(np.arange(len(rows)), kept.sum(axis=1))
    counted = sparse.csr_matrix((np.ones(len(owners), np.float32), (owners, rows[kept])), shape=(len(rows), words))
    counted.data[:] = 1.0
    return counted


def _labels(data: Encoded) -> npt.NDArray[np.int8]:
    return np.asarray(data.y).reshape(-1).astype(np.int8)


def _predict_s(model: Any, test: Any, size: int) -> float:
    """Return the median seconds of `CALLS` predictions of ``size`` reviews each."""
    durations = []
    for call in range(CALLS):
        start = call * size % max(1, test.shape[0] - size + 1)
        rows = test[start : start + size]
        started = time.perf_counter()
        model.predict(rows)
        durations.append(time.perf_counter() - started)
    return float(np.median(durations))
