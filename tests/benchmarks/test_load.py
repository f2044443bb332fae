"""The load test measures itself: a process of known service time answers as queueing theory says, within 5 %."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.analysis.machine import queueing
from bench.plan.targets import Target
from bench.runner import load

SERVICE_MS, UTILIZATION, SECONDS = 10.0, 0.8, 30.0


@pytest.mark.parametrize("clients", [1, 4, 16])
def test_a_fake_server_answers_as_theory_says(tmp_path: Path, clients: int) -> None:
    """Throughput and the 99th percentile; what theory takes is the moments of arrival and the known service time."""
    with load.server("fake", Target("numpy"), load.fake(SERVICE_MS), tmp_path / "log") as one:
        rate = UTILIZATION / SERVICE_MS * 1e3
        row = queueing.row(load.ask(one, clients, rate, SECONDS, seed=clients), service_s=SERVICE_MS / 1e3)
    print(
        f"{clients} clients: {row.answered_per_s:.1f} of {row.requests / SECONDS:.1f} requests/s; "
        f"p99 {1e3 * (row.p99_s or 0):.1f} ms, theory {1e3 * (row.expected_p99_s or 0):.1f} ms"
    )
    assert row.lost == 0
    assert row.answered_per_s == pytest.approx(row.requests / SECONDS, rel=0.05)
    assert row.p99_s == pytest.approx(row.expected_p99_s, rel=0.05)
