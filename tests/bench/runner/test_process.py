"""Worker processes, real ones without a framework: how they answer, and how each way of failing is told."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from bench.plan.targets import Target
from bench.protocol import Block, Json, Prepare, Release, Startup, Train
from bench.runner import process
from bench.runner.process import RequestFailed, WorkerLost, WorkerProcess

Start = Callable[..., WorkerProcess]

TRAIN = Train(recipe="dense", seed=0, epochs={"final": 2}, path="fit")


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    """Start fake workers, and end what a test leaves behind."""
    started: list[WorkerProcess] = []

    def make(misbehaviour: str = "", stall_limit_s: float = 30.0) -> WorkerProcess:
        monkeypatch.setenv("KERASMARK_FAKE", misbehaviour)
        worker = WorkerProcess(
            Target("jax"),
            corpus=tmp_path,
            log=tmp_path / "jax.log",
            stall_limit_s=stall_limit_s,
            module="tests.bench.fake_worker",
        )
        started.append(worker)
        return worker

    yield make
    for worker in started:
        worker.kill()


def test_a_worker_greets_with_its_backend_and_device(start: Start) -> None:
    """What was measured is what the worker says it is, not what was asked for."""
    hello = start().hello
    assert (hello.backend, hello.device, hello.device_name) == ("jax", "cpu", "fake")


def test_progress_is_passed_on_before_the_answer(start: Start) -> None:
    """Every epoch is seen, in order, while the request runs."""
    seen: list[Json] = []
    answer = start().ask(TRAIN, seen.append)
    assert [values["epoch"] for values in seen] == [1, 2]
    assert list(answer["phases"]) == ["final"]


def test_a_failed_request_leaves_the_worker_alive(start: Start) -> None:
    """One bad cell does not cost the others."""
    worker = start("jax:train:fail")
    with pytest.raises(RequestFailed, match="ValueError: the layers do not fit"):
        worker.ask(TRAIN)
    assert worker.ask(Startup("dense"))["seconds"]["build"] == 0.25


def test_a_worker_holds_many_operations_until_they_are_released(start: Start) -> None:
    """A block names the one that it means, by phase, path and batch size."""
    worker = start()
    for size in (1, 32):
        worker.ask(Prepare("dense", "predict", "compiled", size))
    for size in (32, 1):
        assert worker.ask(Block("predict", "compiled", size, repeats=2, each=True))["calls_s"] == [0.01, 0.01]
    assert worker.ask(Release()) == {}


@pytest.mark.parametrize(
    ("deed", "reason"),
    [
        ("exit", "exit status 3"),
        ("kill", "ended by SIGKILL, perhaps out of memory"),
        ("babble", "sent no message"),
        ("hang", "sent nothing for 1 s"),
    ],
)
def test_a_lost_worker_is_told_with_its_reason(start: Start, deed: str, reason: str) -> None:
    """A crash, a kill, a broken message and a hang are different things, and none of them stalls the session."""
    worker = start(f"jax:train:{deed}", stall_limit_s=1.0 if deed == "hang" else 30.0)
    with pytest.raises(WorkerLost, match=reason):
        worker.ask(TRAIN)


def test_a_worker_that_cannot_prove_its_device_does_not_start(start: Start, tmp_path: Path) -> None:
    """JAX falls back to the CPU without an error: the worker's own word decides, and the framework's says why."""
    (tmp_path / "jax.log").write_text("an earlier worker wrote of a GPU\n")
    with pytest.raises(WorkerLost, match="WrongDevice: expected the device 'gpu'") as lost:
        _ = start("jax:hello:wrong-device").hello
    _, _, said = str(lost.value).partition("; it wrote first: ")
    assert said.startswith("failed call to cuInit: ")
    assert "\x1b" not in said
    assert "no GPU found" not in said


def test_what_the_framework_writes_is_in_the_log(start: Start, tmp_path: Path) -> None:
    """Standard error goes to the log, the pipe carries messages alone."""
    worker = start("jax:train:exit")
    with pytest.raises(WorkerLost):
        worker.ask(TRAIN)
    assert "about to exit" in (tmp_path / "jax.log").read_text()


@pytest.mark.parametrize(
    ("deed", "reason"),
    [
        ("flood", "without the end of a message"),
        ("chatter", "read nothing for 2 s|reported progress 1,000 times"),
        ("half", "sent nothing for 2 s"),
        ("halve", "exit status 0"),
    ],
)
def test_floods_and_halves_of_messages_end_the_worker(
    start: Start, deed: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither memory nor time is given to a worker that does not speak the protocol; a full pipe blocks nobody."""
    monkeypatch.setattr(process, "LONGEST_MESSAGE", 1 << 20)
    monkeypatch.setattr(process, "MOST_PROGRESS", 1_000)
    worker = start(f"jax:train:{deed}", stall_limit_s=2.0)
    with pytest.raises(WorkerLost, match=reason):
        worker.ask(TRAIN)
    assert not psutil.pid_exists(worker._process.pid)


def test_the_words_of_a_worker_drive_no_terminal(start: Start) -> None:
    """An exception's text may hold anything; it goes to the records, the progress line and the tables."""
    with pytest.raises(RequestFailed) as caught:
        start("jax:train:escape").ask(TRAIN)
    assert "\x1b" not in str(caught.value)
    assert "\x07" not in str(caught.value)


@pytest.mark.parametrize("end", ["kill", "close", "death"])
def test_the_children_of_a_worker_end_with_it(start: Start, end: str) -> None:
    """A process of its own that a framework started would take a core beside the next measurement."""
    worker = start("jax:train:children" if end == "death" else "")
    if end == "death":
        with pytest.raises(WorkerLost, match="SIGKILL"):
            worker.ask(TRAIN)
    else:
        _ = worker.hello
        getattr(worker, end)()
    until = time.monotonic() + 10
    while left := [p for p in psutil.process_iter() if _is_alive_in(p, worker._process.pid)]:  # killed, not yet dead
        assert time.monotonic() < until, left
        time.sleep(0.01)


def _is_alive_in(process: psutil.Process, group: int) -> bool:
    try:
        return os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.NoSuchProcess, ProcessLookupError):
        return False


def test_an_interpreter_that_is_gone_is_a_lost_worker(tmp_path: Path) -> None:
    """An environment may be removed while a run goes on."""
    with pytest.raises(WorkerLost, match="jax-cpu cannot be started: No such file or directory"):
        WorkerProcess(Target("jax", python=str(tmp_path / "python")), corpus=tmp_path, log=tmp_path / "jax.log")


def test_no_process_is_left_behind(start: Start) -> None:
    """Closing ends the worker, a hanging one too, and closing twice is harmless."""
    worker = start()
    _ = worker.hello
    children = {child.pid for child in psutil.Process().children()}
    worker.close()
    worker.close()
    left = {child.pid for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE}
    assert len(left) < len(children)


def test_a_worker_leaves_when_its_session_is_gone(start: Start) -> None:
    """A session that is killed cannot tidy up: an idle worker sees the closed pipe and goes."""
    worker = start()
    _ = worker.hello
    seen = psutil.Process(worker._process.pid)
    os.close(worker._write_fd)
    worker._write_fd = os.open(os.devnull, os.O_WRONLY)
    seen.wait(timeout=20)
    assert not seen.is_running()


def test_a_worker_runs_on_the_processors_that_it_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work that must not wander is pinned."""
    monkeypatch.delenv("KERASMARK_FAKE", raising=False)
    processor = min(os.sched_getaffinity(0))
    worker = WorkerProcess(
        Target("jax"),
        corpus=tmp_path,
        log=tmp_path / "jax.log",
        processors={processor},
        module="tests.bench.fake_worker",
    )
    assert os.sched_getaffinity(worker._process.pid) == {processor}
    worker.confine(os.sched_getaffinity(0))
    assert os.sched_getaffinity(worker._process.pid) == os.sched_getaffinity(0)
    worker.close()
