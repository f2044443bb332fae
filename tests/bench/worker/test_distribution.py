"""Data-parallel training on two simulated devices, of one process and of two: the same work as on one device."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from bench.plan.scaling import targets
from bench.plan.targets import Target
from bench.protocol import Block, Parity, Prepare, Release, Train
from bench.runner.process import RequestFailed, WorkerLost, WorkerProcess

pytestmark = pytest.mark.framework

Workers = dict[int, WorkerProcess]
WAYS = [(backend, processes) for backend in ("jax", "tensorflow") for processes in (1, 2)]


@pytest.fixture(scope="module", params=WAYS, ids=lambda way: f"{way[0]} in {way[1]}")
def workers(
    request: pytest.FixtureRequest, corpus_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Workers]:
    """A worker with one device, and one with two in one or two processes."""
    logs, (backend, processes) = tmp_path_factory.mktemp("logs"), request.param
    sides = targets(Target(backend), [1, 2], [processes])
    alive = {t.devices: WorkerProcess(t, corpus=corpus_folder, log=logs / f"{t.devices}.log") for t in sides}
    yield alive
    for worker in alive.values():
        worker.close()


def test_a_worker_says_how_many_devices_train(workers: Workers) -> None:
    assert "devices" not in workers[1].hello.settings
    found = workers[2].hello.settings
    assert (found["devices"], found.get("processes", 1)) == (2, workers[2].target.processes)


def test_two_devices_do_the_work_of_one(workers: Workers, tmp_path: Path) -> None:
    """From the same weights: the same predictions, and losses that differ by the order of sums alone."""
    weights = str(tmp_path / "weights.weights.h5")
    one, two = (
        worker.ask(Parity("pooling-logits", weights, save=count == 1, steps=10, reviews=200))
        for count, worker in workers.items()
    )
    assert one["predictions"] == pytest.approx(two["predictions"], abs=1e-5)
    assert one["losses"] == pytest.approx(two["losses"], rel=1e-4)


def test_two_devices_train_to_an_accuracy(workers: Workers) -> None:
    """The whole way of `fit`, evaluation included, on both."""
    trained = workers[2].ask(Train("pooling-logits", 0, {"final": 2}, "fit"))["phases"]["final"]
    assert trained["curves"]["val_accuracy"][-1] > 0.6


def test_a_step_of_fit_is_timed_on_both(workers: Workers) -> None:
    for worker in workers.values():
        worker.ask(Prepare("pooling-logits", "train", "fit", 32))
        assert worker.ask(Block("train", "fit", 32, repeats=4, each=False))["duration_s"] > 0
        worker.ask(Release())


@pytest.mark.parametrize("workers", [("jax", 2), ("tensorflow", 2)], indirect=True, ids=["jax", "tensorflow"])
def test_a_process_that_dies_ends_the_worker_that_waits_for_it(workers: Workers) -> None:
    """It is told with its exit status, and nothing of either is left."""
    worker = workers[2]
    _ = worker.hello
    (other,) = psutil.Process(worker._process.pid).children()
    other.kill()
    with pytest.raises((RequestFailed, WorkerLost)):
        worker.ask(Prepare("pooling-logits", "train", "fit", 32))
    worker.kill()
    assert not other.is_running() or other.status() == psutil.STATUS_ZOMBIE
