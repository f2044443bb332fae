"""Tests of the open loop: when clients ask, what a process of known service time answers, and what is lost."""

from __future__ import annotations

import statistics
from itertools import pairwise
from pathlib import Path

import pytest

from bench.analysis.machine import queueing
from bench.plan.targets import Target
from bench.runner import load
from datasets.errors import ExpectedError


def test_clients_ask_at_random_moments_at_the_rate_of_all_together() -> None:
    """Gaps of a Poisson process: their deviation is their mean, and each client has its share."""
    found = load.moments(4, 100.0, 100.0, seed=1)
    gaps = [later - earlier for (earlier, _), (later, _) in pairwise(found)]
    assert statistics.fmean(gaps) == pytest.approx(0.01, rel=0.05)
    assert statistics.stdev(gaps) == pytest.approx(0.01, rel=0.05)
    assert found == sorted(found)
    shares = [sum(client == one for _, client in found) / len(found) for one in range(4)]
    assert shares == pytest.approx([0.25] * 4, rel=0.1)
    assert load.moments(4, 100.0, 100.0, seed=1) == found


def test_a_fake_server_answers_everything_at_the_rate_that_is_offered(tmp_path: Path) -> None:
    """A real process without a framework; how close it comes to theory is a benchmark's question."""
    with load.server("fake", Target("numpy"), load.fake(1.0), tmp_path / "log") as one:
        found_capacity = load.capacity(one, 0.2)
        found = load.ask(one, 4, 200.0, 1.0, seed=0)
    assert found_capacity.service_s >= 0.001
    assert 0 < found_capacity.per_s <= 1_000
    row = queueing.row(found, service_s=0.001)
    assert (row.lost, row.requests) == (0, len(load.moments(4, 200.0, 1.0, seed=0)))
    assert row.answered_per_s == pytest.approx(200.0, rel=0.3)
    assert all(answer > sent for sent, answer in zip(found.sent, found.answered, strict=True))
    assert row.p50_s >= row.expected_p50_s


def test_requests_to_a_process_that_ended_are_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are counted: an answer that never came is no short one."""
    monkeypatch.setattr(load, "PATIENCE_S", 0.2)
    with load.server("fake", Target("numpy"), load.fake(1.0), tmp_path / "log") as one:
        pass
    found = load.ask(one, 2, 100.0, 0.2, seed=0)
    assert (found.sent, found.lost) == ((), len(load.moments(2, 100.0, 0.2, seed=0)))


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    """The last line of its errors, with the path and the target."""
    with (
        pytest.raises(ExpectedError, match=r"nonsense on numpy-cpu does not serve: .*unrecognized"),
        load.server("nonsense", Target("numpy"), ["--nonsense"], tmp_path / "log"),
    ):
        pytest.fail("it serves")
