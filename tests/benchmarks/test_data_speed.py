"""The speed of the data: ratios are asserted, times are only reported, since they are the machine's."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from datasets import encoding
from datasets.locate import Located, open_corpus

MULTI_HOT_LIMIT = 1.3  # times what filling an array of the same shape takes
ROUNDS = 5

T = TypeVar("T")


@pytest.fixture(scope="module")
def reviews() -> str:
    """The real reviews that KERASMARK_DATA names, or else the synthetic ones, which are of the same size."""
    return os.environ.get("KERASMARK_DATA") or "synthetic"


@pytest.fixture(scope="module")
def located(reviews: str, tmp_path_factory: pytest.TempPathFactory) -> Located:
    """The reviews in a cache of their own."""
    return open_corpus(reviews, environ={}, cache_root=tmp_path_factory.mktemp("cache"))


def seconds(work: Callable[[], object]) -> float:
    """Return how long one call takes, the making of its result included and its freeing left out."""
    start = time.perf_counter()
    result = work()
    duration_s = time.perf_counter() - start
    del result
    return duration_s


def report(benchmark: BenchmarkFixture, work: Callable[[], T], *, rounds: int) -> T:
    """Have pytest-benchmark time whole calls, each once a round."""
    result: T = benchmark.pedantic(work, rounds=rounds)  # type: ignore[no-untyped-call]
    return result


def test_multi_hot_costs_little_more_than_filling_the_array(located: Located, benchmark: BenchmarkFixture) -> None:
    """Of 25,000 x 10,000 floats most of the time is memory being touched; a loop over rows takes many times more."""
    ids = encoding.keras_sequences(located.corpus.train.keras_ids, 10_000)
    hot_s, filled_s = [], []
    for _ in range(ROUNDS):  # by turns, so that both meet the same noise
        filled_s.append(seconds(lambda: np.full((25_000, 10_000), 1, np.float32)))
        hot_s.append(seconds(lambda: encoding.multi_hot(ids, 10_000)))
    ratio = min(hot_s) / min(filled_s)  # noise only adds, so the quickest of each is the cost itself
    benchmark.extra_info["ratio_to_filling"] = ratio
    report(benchmark, lambda: encoding.multi_hot(ids, 10_000), rounds=1)
    assert ratio < MULTI_HOT_LIMIT


def test_a_first_load_is_reported(reviews: str, tmp_path: Path, benchmark: BenchmarkFixture) -> None:
    """Reading, checking, tokenising and storing 50,000 reviews, with an empty cache: should stay under 15 s."""
    report(benchmark, lambda: open_corpus(reviews, environ={}, cache_root=tmp_path / "new"), rounds=1)


def test_a_later_load_is_reported(reviews: str, located: Located, benchmark: BenchmarkFixture) -> None:
    """Mapping the same reviews from the cache: should stay under 1 s."""
    root = located.folder.parent
    again = report(benchmark, lambda: open_corpus(reviews, environ={}, cache_root=root), rounds=5)
    assert again.folder == located.folder


def test_padding_is_reported(located: Located, benchmark: BenchmarkFixture) -> None:
    """25,000 reviews to their last 256 ids."""
    ids = encoding.keras_sequences(located.corpus.train.keras_ids, 10_000)
    padded = report(benchmark, lambda: encoding.pad(ids, 256, keep="last"), rounds=3)
    assert padded.shape == (25_000, 256)
