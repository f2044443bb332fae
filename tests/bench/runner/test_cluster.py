"""A run in pieces on a Dask cluster of local processes, with a made suite: killed and frozen workers."""

from __future__ import annotations

import gc
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import dask
import psutil
import pytest
from distributed import Client, LocalCluster

from bench.plan import shards
from bench.plan.shards import Shard
from bench.records import merge, store
from bench.runner import cluster
from bench.runner.cluster import RESOURCE, Piece
from datasets.errors import ExpectedError
from tests.faults import trials

# Dask leaves sockets to the garbage collector where a scheduler went away.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

ROOT = Path(__file__).resolve().parents[3]
OF = 4

# What a worker calls instead of the suite: one shard of a run whose workers have no framework. It says that it began,
# and waits as long as there is a file that holds it.
SUITE = """
import os, sys, time
from dataclasses import replace
from pathlib import Path
sys.path.insert(0, {root!r})
from bench.plan import shards
from tests.faults import trials
words = sys.argv[1:]
if "--fails" in words:
    sys.exit("data could not be had")
shard, out = words[words.index("--shard") + 1], words[words.index("--out") + 1]
with Path("began").open("a") as began:
    began.write(f"{{shard}} {{os.getpid()}}\\n")
while Path("hold").exists():
    time.sleep(0.05)
world = trials.fake_run()
part = replace(world.asked(), shard=shards.parse(shard))
trials.execute(replace(world, asked=lambda: part), Path(out), None)
"""


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    """Collect what Dask leaves while its warnings are those of this test."""
    yield
    gc.collect()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder in which `kerasmark` is the made suite."""
    (tmp_path / "kerasmark").mkdir()
    (tmp_path / "kerasmark" / "__main__.py").write_text(SUITE.format(root=str(ROOT)))
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


def pieces() -> list[Piece]:
    numbers = shards.with_work(trials.fake_run().asked().planned(), OF)
    return [Piece(f"shard-{number}", ("run", "--shard", f"{number}/{OF}")) for number in numbers]


def measure(place: Path, connect: cluster.Connect) -> list[str]:
    """Measure every piece; return what was said."""
    said: list[str] = []
    cluster.measure(pieces(), connect, place / "run", say=said.append)
    return said


def began(place: Path) -> list[tuple[str, int]]:
    """Return each shard that was begun, and the process that did."""
    file = place / "began"
    lines = file.read_text().splitlines() if file.exists() else []
    return [(shard, int(process)) for shard, process in (line.split() for line in lines)]


def until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.05)


@contextmanager
def held(place: Path, disturb: Callable[[], None]) -> Iterator[None]:
    """Hold every piece; once they have begun, call ``disturb`` beside what follows, then let them go on."""
    (place / "hold").touch()

    def disturbed() -> None:
        until(lambda: len(began(place)) >= len(pieces()))
        disturb()
        (place / "hold").unlink()

    thread = threading.Thread(target=disturbed)
    thread.start()
    yield
    thread.join()


def require_whole(place: Path) -> None:
    """Check that the pieces together are what one machine measures, each once."""
    whole, _ = trials.undisturbed(trials.fake_run(), place / "whole")
    (merged,) = merge.merge(
        [run for piece in pieces() for run in store.runs(place / "run" / piece.name)], place / "merged"
    )
    assert trials.differences(merged, whole, ignored=trials.MADE) == []


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
    cluster._keep(piece, answer, place / "run")
    before = sorted((place / "run").rglob("*"))
    cluster._keep(piece, answer, place / "run")
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
