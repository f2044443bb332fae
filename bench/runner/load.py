"""An open-loop load: clients send requests at random moments, whether or not earlier ones have been answered.

Each client's requests are a Poisson process. A request's seconds count from the moment at which it was sent to the
moment at which its answer was read, so that waiting in the queue is part of them.
"""

from __future__ import annotations

import json
import random
import select
import socket
import statistics
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from heapq import merge
from pathlib import Path

from bench import ROOT
from bench.analysis.machine.queueing import Capacity, Load
from bench.plan.targets import Target, environment
from bench.runner import scratch
from bench.worker.load_server import ANSWER, REQUEST
from datasets.errors import ExpectedError

# Answers that are still outstanding when the last request is sent have so many seconds.
PATIENCE_S = 10.0
# Requests that wait at any moment while a process's capacity is found, and for how long that takes.
WAITING, CAPACITY_S = 16, 1.0


@dataclass(frozen=True)
class Server:
    """A process that serves one path, and where it listens."""

    path: str
    target: str
    port: int


@contextmanager
def server(path: str, target: Target, words: Sequence[str], log: Path) -> Iterator[Server]:
    """Start a process that serves ``path`` by `bench.worker.load_server` with ``words``; it ends afterwards.

    Raises ExpectedError with the last line of its errors where it does not start.
    """
    command = [target.python, "-m", "bench.worker.load_server", *words]
    with ExitStack() as stack:
        env = environment(target, str(stack.enter_context(scratch.folder())))
        errors = stack.enter_context(log.open("wb"))
        process = stack.enter_context(
            subprocess.Popen(command, env=env, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors)
        )
        stack.callback(process.kill)
        assert process.stdout is not None
        said = process.stdout.readline()
        if not said:
            process.wait()
            last = (log.read_text(errors="replace").strip().splitlines() or ["no words"])[-1]
            raise ExpectedError(f"{path} on {target.name} does not serve: {last.rpartition('Unsupported: ')[2]}")
        yield Server(path, target.name, int(json.loads(said)["port"]))


def fake(milliseconds: float) -> list[str]:
    """Return the words by which a server computes for so long instead of predicting."""
    return ["--fake-ms", str(milliseconds)]


def prediction(recipe: str, path: str, corpus: Path | None, recipes: Path | None) -> list[str]:
    """Return the words by which a server predicts by ``path``."""
    files = [("--corpus", corpus), ("--recipes", recipes)]
    return ["--recipe", recipe, "--path", path, *[str(w) for name, file in files if file for w in (name, file)]]


def capacity(one: Server, seconds: float = CAPACITY_S) -> Capacity:
    """Return what a process answers at most: some requests always wait, and each answer is followed by another one."""
    service: list[float] = []
    with _client(one.port) as client:
        for number in range(WAITING):
            client.send(REQUEST.pack(number))
        begun = time.perf_counter()
        while (spent := time.perf_counter() - begun) < seconds:
            if not select.select([client], [], [], PATIENCE_S)[0]:
                raise ExpectedError(
                    f"{one.path} on {one.target}: expected an answer within {PATIENCE_S:.0f} s; none came"
                )
            number, computed = ANSWER.unpack(client.recv(ANSWER.size))
            service.append(computed)
            client.send(REQUEST.pack(number))
        while select.select([client], [], [], 2 * WAITING * max(service))[0]:  # what still waits
            client.recv(ANSWER.size)
    return Capacity(per_s=len(service) / spent, service_s=statistics.median(service))


def moments(clients: int, rate: float, seconds: float, seed: int) -> list[tuple[float, int]]:
    """Return the seconds from the start at which each client sends, in order, at ``rate`` requests a second in all."""
    draw = random.Random(seed)
    return list(merge(*(_poisson(rate / clients, seconds, client, draw) for client in range(clients))))


def ask(one: Server, clients: int, rate: float, seconds: float, *, seed: int) -> Load:
    """Send requests at ``rate`` a second by so many clients for ``seconds``, and return what came back."""
    planned = moments(clients, rate, seconds, seed)
    sent: dict[int, float] = {}
    answered: dict[int, tuple[float, float]] = {}
    with ExitStack() as stack:
        sockets = [stack.enter_context(_client(one.port)) for _ in range(clients)]
        begun = time.perf_counter()
        for number, (moment, client) in enumerate(planned):
            while (left := begun + moment - time.perf_counter()) > 0:
                _read(sockets, left, answered)
            sent[number] = time.perf_counter()
            with suppress(ConnectionError):  # of a process that ended
                sockets[client].send(REQUEST.pack(number))
        until = time.perf_counter() + PATIENCE_S
        while len(answered) < len(sent) and time.perf_counter() < until:
            _read(sockets, 0.1, answered)
    kept = [number for number in sent if number in answered]
    return Load(
        path=one.path,
        target=one.target,
        clients=clients,
        offered_per_s=rate,
        lost=len(sent) - len(kept),
        sent=tuple(sent[number] - begun for number in kept),
        answered=tuple(answered[number][0] - begun for number in kept),
        service_s=tuple(answered[number][1] for number in kept),
    )


def _poisson(rate: float, seconds: float, client: int, draw: random.Random) -> list[tuple[float, int]]:
    found, moment = [], draw.expovariate(rate)
    while moment < seconds:
        found.append((moment, client))
        moment += draw.expovariate(rate)
    return found


def _client(port: int) -> socket.socket:
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.connect(("127.0.0.1", port))
    return client


def _read(sockets: Sequence[socket.socket], seconds: float, into: dict[int, tuple[float, float]]) -> None:
    """Wait for at most ``seconds`` and read the answers that came."""
    for client in select.select(sockets, [], [], seconds)[0]:
        with suppress(ConnectionError):
            number, service = ANSWER.unpack(client.recv(ANSWER.size))
            into[number] = time.perf_counter(), service
