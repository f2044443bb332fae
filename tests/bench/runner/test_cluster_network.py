"""A run in pieces across network namespaces: messages cross a network, and machines and the scheduler fail."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

import dask
import psutil
import pytest
from distributed import Client

from bench.runner import cluster
from bench.runner.cluster import RESOURCE
from tests.bench.runner import made_suite
from tests.bench.runner.made_suite import began, held, measure, pieces, require_whole, until

pytestmark = [
    pytest.mark.skipif(
        not sys.platform.startswith("linux")
        or os.getuid() != 0
        or not all(map(shutil.which, ("ip", "unshare", "nsenter"))),
        reason="only root on Linux makes network namespaces",
    ),
    # Dask leaves sockets to the garbage collector where a scheduler went away.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

# A range for tests of networks (RFC 2544): four addresses for each machine.
HERE, THERE = "198.18.{number}.1", "198.18.{number}.2"
MACHINES = (1, 2, 3, 4)
# A machine starts its worker again when it ended, as a batch system does.
WORKER = "while true; do {dask} worker tcp://{scheduler}:{port} --no-nanny --no-dashboard {options}; done"


class Machine:
    """A network namespace with one worker, and a cable to where the scheduler is."""

    def __init__(self, number: int, port: int, place: Path) -> None:
        self.number, self._ours = number, f"kmtest{number}"
        self._holder = subprocess.Popen(["unshare", "--net", "sleep", "600"])
        until(lambda: _namespace(self._holder.pid) != _namespace(os.getpid()))
        command(f"ip link add {self._ours} type veth peer name eth0 netns {self._holder.pid}")
        command(f"ip address add {HERE.format(number=number)}/30 dev {self._ours}")
        command(f"ip link set {self._ours} up")
        for words in ("link set lo up", "link set eth0 up", f"address add {THERE.format(number=number)}/30 dev eth0"):
            command(f"nsenter --net --target {self._holder.pid} ip {words}")
        worker = WORKER.format(
            dask=shutil.which("dask", path=str(Path(sys.executable).parent)),
            scheduler=HERE.format(number=number),
            port=port,
            options=f"--nthreads 1 --resources {RESOURCE}=1",
        )
        self._loop = subprocess.Popen(
            ["nsenter", "--net", "--target", str(self._holder.pid), "bash", "-c", worker],
            cwd=place,
            stdout=subprocess.DEVNULL,
            stderr=(place / f"machine-{number}.log").open("wb"),
            start_new_session=True,
        )

    @property
    def processes(self) -> list[psutil.Process]:
        """The loop, its worker, and what that does."""
        with suppress(psutil.NoSuchProcess):
            loop = psutil.Process(self._loop.pid)
            return [loop, *loop.children(recursive=True)]
        return []

    def kill(self) -> None:
        """Take the machine away, and its cable with it."""
        self.resume()
        for process in self.processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self._loop.wait()
        self._holder.kill()
        self._holder.wait()

    def freeze(self) -> None:
        for process in self.processes:
            process.suspend()

    def resume(self) -> None:
        for process in self.processes:
            with suppress(psutil.NoSuchProcess):
                process.resume()


def _namespace(process: int) -> str:
    return str(Path(f"/proc/{process}/ns/net").readlink())


def command(words: str) -> None:
    subprocess.run(words.split(), check=True, capture_output=True)


class Scheduler:
    """A scheduler in a process of its own; a worker that is silent for three seconds is given up."""

    def __init__(self, port: int) -> None:
        self._command = [
            str(Path(sys.executable).parent / "dask"),
            "scheduler",
            "--host",
            "0.0.0.0",
            "--port",
            str(port),
        ]
        self._start()

    def _start(self) -> None:
        environment = {**os.environ, "DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "3s"}
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(
            [*self._command, "--no-dashboard"], env=environment, stdout=quiet, stderr=quiet
        )

    def restart(self) -> None:
        self.kill()
        self._start()

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()


@contextmanager
def _network(place: Path) -> Iterator[tuple[int, Scheduler, list[Machine]]]:
    with socket.socket() as free:
        free.bind(("", 0))
        port = free.getsockname()[1]
    with ExitStack() as stack:
        scheduler = Scheduler(port)
        stack.callback(lambda: scheduler.kill())
        machines: list[Machine] = []
        for number in MACHINES:
            machines.append(Machine(number, port, place))
            stack.callback(machines[-1].kill)
        yield port, scheduler, machines


def test_machines_and_the_scheduler_fail_and_the_run_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One is taken away, one frozen, then the scheduler starts anew: the records are those of one machine's run."""
    made_suite.write(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cluster, "PAUSE_S", 0.1)
    monkeypatch.setattr(cluster, "CONNECT_S", 5.0)
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "5s"}),
        _network(tmp_path) as (port, scheduler, machines),
    ):
        address = f"tcp://127.0.0.1:{port}"
        with Client(address, timeout=60) as client:
            client.wait_for_workers(len(MACHINES), timeout=120)
            hosts = {one["host"] for one in client.scheduler_info(n_workers=-1)["workers"].values()}
        assert hosts == {THERE.format(number=number) for number in MACHINES}

        def disturb() -> None:
            machines[0].kill()
            machines[1].freeze()
            scheduler.restart()

        with held(tmp_path, disturb):
            said = measure(tmp_path, partial(cluster.connected, address))
        require_whole(tmp_path)
        assert any(words.startswith("lost the scheduler") for words in said)
        assert len(began(tmp_path)) > len(pieces())
