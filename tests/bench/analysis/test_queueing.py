"""Tests of queues: Lindley's recursion by hand and by the theory of M/D/1, and the row of a load."""

from __future__ import annotations

import random
import statistics

import pytest

from bench.analysis.machine import queueing
from bench.analysis.machine.queueing import Load


def load(sent: list[float], answered: list[float], service_s: list[float], **changes: object) -> Load:
    fields: dict[str, object] = {"path": "ONNX", "target": "tensorflow-cpu", "clients": 4, "offered_per_s": 2.0}
    fields |= {"lost": 0, "sent": tuple(sent), "answered": tuple(answered)}
    return Load(**{**fields, "service_s": tuple(service_s), **changes})  # type: ignore[arg-type]


def test_a_request_waits_for_those_before_it() -> None:
    """The second one comes while the first is served, the third into an idle process."""
    assert queueing.responses([0.0, 1.0, 10.0], [2.0, 2.0, 2.0]) == [2.0, 3.0, 2.0]


@pytest.mark.parametrize("utilization", [0.2, 0.5, 0.8])
def test_the_mean_wait_is_that_of_theory(utilization: float) -> None:
    """M/D/1, with a service time of 1: Poisson arrivals wait half as long as for exponential service times."""
    draw, arrivals, moment = random.Random(0), [], 0.0
    for _ in range(200_000):
        moment += draw.expovariate(utilization)
        arrivals.append(moment)
    found = statistics.fmean(queueing.responses(arrivals, [1.0] * len(arrivals))) - 1.0
    assert found == pytest.approx(utilization / (2 * (1 - utilization)), rel=0.05)


def test_a_row_has_what_was_measured_beside_what_theory_says() -> None:
    """Answers come a tenth of a second after theory's: the way there and back."""
    sent = [float(number) for number in range(1_000)]
    row = queueing.row(load(sent, [moment + 0.6 for moment in sent], [0.5] * 1_000))
    assert (row.requests, row.lost, row.service_s) == (1_000, 0, 0.5)
    assert (row.p50_s, row.p99_s) == pytest.approx((0.6, 0.6))
    assert (row.expected_p50_s, row.expected_p99_s) == pytest.approx((0.5, 0.5))
    assert row.utilization == pytest.approx(0.5, rel=0.01)
    assert row.answered_per_s == pytest.approx(1.0, rel=0.01)


def test_a_known_service_time_takes_the_place_of_the_server_s_own() -> None:
    """What a fake server computes for is given, so that its clock is no part of the check."""
    row = queueing.row(load([0.0, 5.0], [3.0, 8.0], [2.5, 2.5]), service_s=2.0)
    assert (row.service_s, row.expected_p50_s) == (2.0, 2.0)


def test_what_it_takes_to_receive_and_to_answer_belongs_to_a_request() -> None:
    """A process that answers 250 requests a second and computes 3 ms for each spends 1 ms beside."""
    capacity = queueing.Capacity(per_s=250.0, service_s=0.003)
    assert capacity.overhead_s == pytest.approx(0.001)
    row = queueing.row(load([0.0, 5.0], [3.0, 8.0], [0.003, 0.003]), overhead_s=capacity.overhead_s)
    assert row.service_s == pytest.approx(0.004)


def test_few_requests_have_no_99th_percentile() -> None:
    """Five of five hundred lie above it."""
    sent = [float(number) for number in range(queueing.P99_REQUESTS - 1)]
    row = queueing.row(load(sent, [moment + 0.5 for moment in sent], [0.5] * len(sent)))
    assert row.p99_s is None
    assert row.expected_p99_s is None
