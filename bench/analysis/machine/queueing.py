"""Queues: what a load test measured, and what queueing theory says for the same moments and service times."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from bench.analysis import stats
from bench.analysis.rows import Row
from bench.records.machine import Commit, Machine

# From so many requests on the 99th percentile is stated: five of them lie above it.
P99_REQUESTS = 500


@dataclass(frozen=True)
class Measured:
    """What a load test was measured on: a recipe, the moment, the machine, and the command that measures it again."""

    recipe: str
    at: str
    machine: Machine
    commit: Commit | None
    versions: dict[str, str]
    corpus: str
    seed: int
    command: str


@dataclass(frozen=True)
class Capacity:
    """What a process answers at most: requests a second, and the median seconds for which it computes each."""

    per_s: float
    service_s: float

    @property
    def overhead_s(self) -> float:
        """What a request costs the process beside its computation: to receive it and to send the answer."""
        return max(0.0, 1 / self.per_s - self.service_s)


@dataclass(frozen=True)
class Load:
    """What clients offered to one process, and what came back; moments are seconds from the start.

    offered_per_s  requests a second of all clients together
    lost           requests that were not answered
    sent           when each request was sent; ``answered`` when its answer was read
    service_s      how long the process computed, by its own clock
    """

    path: str
    target: str
    clients: int
    offered_per_s: float
    lost: int
    sent: tuple[float, ...]
    answered: tuple[float, ...]
    service_s: tuple[float, ...]


class LoadRow(Row):
    """A path under one load.

    utilization   share of the time in which the process was at work on a request
    service_s     median seconds of a request in the process, what it takes to receive and to answer it included
    expected_s    percentiles that theory gives: one server, first come, first served, for the same moments of arrival
                  and the same service times
    """

    path: str
    target: str
    clients: int
    requests: int
    lost: int
    offered_per_s: float
    answered_per_s: float
    utilization: float
    service_s: float
    p50_s: float
    p99_s: float | None = None
    expected_p50_s: float
    expected_p99_s: float | None = None


def row(load: Load, *, service_s: float | None = None, overhead_s: float = 0.0) -> LoadRow:
    """Return the row of ``load``; where the service time is known, as of a fake server, theory takes ``service_s``.

    Else it takes what the process computed for, and ``overhead_s`` for receiving and answering.
    """
    seconds = [answer - sent for sent, answer in zip(load.sent, load.answered, strict=True)]
    measured = tuple(service + overhead_s for service in load.service_s)
    known = measured if service_s is None else (service_s,) * len(seconds)
    theory = responses(load.sent, known)
    enough = len(seconds) >= P99_REQUESTS
    span_s = max(load.answered) - min(load.sent)
    return LoadRow(
        path=load.path,
        target=load.target,
        clients=load.clients,
        requests=len(seconds),
        lost=load.lost,
        offered_per_s=load.offered_per_s,
        answered_per_s=len(seconds) / span_s,
        utilization=sum(known) / span_s,
        service_s=statistics.median(known),
        p50_s=stats.percentile(seconds, 0.5),
        p99_s=stats.percentile(seconds, 0.99) if enough else None,
        expected_p50_s=stats.percentile(theory, 0.5),
        expected_p99_s=stats.percentile(theory, 0.99) if enough else None,
    )


def responses(arrivals: Sequence[float], service_s: Sequence[float]) -> list[float]:
    """Return the seconds from each arrival to the end of its service: one server, first come, first served.

    A service begins when the one before has ended, or at its arrival (Lindley's recursion).
    """
    found, free = [], 0.0
    for arrival, service in zip(arrivals, service_s, strict=True):
        free = max(arrival, free) + service
        found.append(free - arrival)
    return found
