"""A run in pieces on a Dask cluster of local processes, with a made suite: killed and frozen workers."""

from __future__ import annotations

import gc
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import dask
import psutil
import pytest
from distributed import Client, LocalCluster

from bench.plan.shards import Shard
from bench.records import store
from bench.runner import cluster
from bench.runner.cluster import RESOURCE
from datasets.errors import ExpectedError
from tests.bench.runner import made_suite
from tests.bench.runner.made_suite import OF, began, held, measure, pieces, require_whole, until
from tests.faults import trials

# Dask leaves sockets to the garbage collector where a scheduler went away.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    """Collect what Dask leaves while its warnings are those of this test."""
    yield
    gc.collect()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder in which `kerasmark` is the made suite."""
    made_suite.write(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cluster, "PAUSE_S", 0.1)
    return tmp_path


@pytest.fixture
def four(place: Path) -> Iterator[LocalCluster]:
    """Start four workers, each of which stands for a machine; one that is silent for three seconds is given up."""
    with dask.config.set({"distributed.scheduler.worker-ttl": "3s"}), _cluster(4) as found:
        yield found


@pytest.fixture
def one(place: Path) -> Iterator[LocalCluster]:
    """Start one worker."""
    with _cluster(1) as found:
        yield found


def _cluster(workers: int, **options: Any) -> LocalCluster:
    return LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        resources={RESOURCE: 1},
        dashboard_address=None,
        silence_logs=50,
        **options,
    )


def test_four_workers_measure_what_one_machine_does(place: Path, four: LocalCluster) -> None:
    """Side by side, each piece once; what is there is not measured again."""
    measure(place, partial(Client, four))
    require_whole(place)
    assert sorted(shard for shard, _ in began(place)) == sorted(f"{piece.words[-1]}" for piece in pieces())
    assert measure(place, partial(Client, four)) == []


def test_a_worker_that_is_killed_costs_a_repeat(place: Path, four: LocalCluster) -> None:
    """Its piece is done by another, and its command does not go on beside that."""
    victim: list[int] = []

    def kill() -> None:
        process = psutil.Process(began(place)[0][1])
        victim.append(process.pid)
        parent = process.parent()
        assert parent is not None
        parent.kill()
        until(lambda: not psutil.pid_exists(process.pid) or process.status() == psutil.STATUS_ZOMBIE)

    with held(place, kill):
        measure(place, partial(Client, four))
    require_whole(place)
    assert len(began(place)) == len(pieces()) + 1


def test_a_worker_that_is_frozen_is_given_up(place: Path, four: LocalCluster) -> None:
    """It says nothing for the time to live: another does its piece."""
    frozen: list[psutil.Process] = []

    def freeze() -> None:
        worker = psutil.Process(began(place)[0][1]).parent()
        assert worker is not None
        frozen.append(worker)
        worker.suspend()

    try:
        with held(place, freeze):
            measure(place, partial(Client, four))
        require_whole(place)
    finally:
        for worker in frozen:
            with suppress(psutil.NoSuchProcess):  # its nanny has ended it
                worker.resume()


def test_what_came_back_survives_the_scheduler(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest is sent to the next one that answers at the address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setattr(cluster, "CONNECT_S", 2.0)
    first = _cluster(1, scheduler_port=port)
    second: list[LocalCluster] = []

    def restart() -> None:
        until(lambda: len(list((place / "run").glob("shard-*"))) >= 1)
        first.close()
        second.append(_cluster(2, scheduler_port=port))

    thread = threading.Thread(target=restart)
    thread.start()
    try:
        said = measure(place, partial(cluster.connected, f"tcp://127.0.0.1:{port}"))
        require_whole(place)
        assert any(words.startswith("lost the scheduler") for words in said)
    finally:
        thread.join()
        for one in (first, *second):
            one.close()


def test_a_piece_that_fails_says_what_its_machine_said(place: Path, one: LocalCluster) -> None:
    """Without data, or a backend, no retry helps."""
    failing = [replace(pieces()[0], words=("run", "--fails"))]
    with pytest.raises(ExpectedError, match=r"shard-\d ended with exit status 1 .*: data could not be had"):
        cluster.measure(failing, partial(Client, one), place / "run", say=lambda words: None)


def test_a_piece_that_ran_twice_counts_once(place: Path, one: LocalCluster) -> None:
    """A worker that was given up may come back with what another has measured."""
    piece = pieces()[0]
    with Client(one) as client:
        ((_, answer),) = cluster._answers(client, [piece], "twice")
    cluster._keep(piece, answer, place / "run", store.runs)
    before = sorted((place / "run").rglob("*"))
    cluster._keep(piece, answer, place / "run", store.runs)
    assert sorted((place / "run").rglob("*")) == before


def test_machines_that_can_time_are_counted(one: LocalCluster) -> None:
    with Client(one) as client:
        assert cluster.machines(client) == 1


def test_a_worker_without_the_resource_is_told_how_to_start(place: Path) -> None:
    """It would wait for ever: nobody could take its pieces."""
    plain = LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None, silence_logs=50)
    with plain, Client(plain) as client, pytest.raises(ExpectedError, match=r"dask worker ADDRESS .*timing=1"):
        cluster.machines(client)


def test_no_scheduler_is_an_error_with_what_to_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "CONNECT_S", 0.2)
    with pytest.raises(ExpectedError, match="start one with `dask scheduler`"), cluster.connected("tcp://127.0.0.1:9"):
        pass


def test_without_dask_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ExpectedError, match=r"install kerasmark\[cluster\]"), cluster.connected("local"):
        pass


def test_pieces_are_of_shards_that_have_work() -> None:
    found = {Shard(int(piece.words[-1].partition("/")[0]), OF) for piece in pieces()}
    assert all(shard.part(trials.fake_run().asked().planned()) for shard in found)
