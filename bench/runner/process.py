"""A worker process seen from its session: start it, send it requests, end it."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Protocol, TypeVar

import psutil
from pydantic import ValidationError

from bench.plan.targets import Target, environment
from bench.protocol import (
    PROTOCOL_VERSION,
    UNSUPPORTED,
    WRONG_DEVICE,
    Done,
    Failed,
    Go,
    Hello,
    Json,
    Message,
    Progress,
    Quit,
    decode,
    encode,
)
from bench.records.schema import misfit
from bench.runner.scratch import ScratchFolder
from datasets import plain_text
from datasets.errors import ExpectedError

# A worker that sends nothing for this long counts as hung; the longest silence is one epoch.
STALL_LIMIT_S = 300.0
# Seconds that a worker may take to exit after `Quit` before it is killed.
LEAVE_LIMIT_S = 10.0
# Where a framework fell back to the CPU, its own words of that are in the beginning of the log; a worker's are not.
OF_A_GPU = re.compile(r"^(?!bench\.).*(cuda|cudnn|cuInit|gpu|nvidia)", re.I)
LOG_READ = 1 << 20
# While it waits for a worker, a session looks so often whether that is still there.
LOOK_S = 1.0
# The longest message, the predictions and losses of a parity check, has some 30 KB.
LONGEST_MESSAGE = 16 << 20
# A training reports once an epoch; a worker that reports so often does nothing else.
MOST_PROGRESS = 100_000


class WorkFailed(ExpectedError):
    """A request failed."""


class WorkerLost(WorkFailed):
    """The worker is gone or was ended: it crashed, hung, was killed or did not start."""


class RequestFailed(WorkFailed):
    """The worker reported that a request failed and still runs."""


class NotSupported(RequestFailed):
    """A path cannot drive the model: the worker says why."""


def _failure(answer: Failed) -> RequestFailed:
    if answer.error == UNSUPPORTED:
        return NotSupported(answer.message)
    if answer.error == ExpectedError.__name__:  # its message says all
        return RequestFailed(answer.message)
    return RequestFailed(f"{answer.error}: {answer.message}")


def _ignore(_: Json) -> None:
    """Ignore progress."""


class Endable(Protocol):
    """What ends a worker: politely, or at once."""

    def close(self) -> None: ...
    def kill(self) -> None: ...


Ended = TypeVar("Ended", bound=Endable)
Parsed = TypeVar("Parsed")


@contextmanager
def running(worker: Ended) -> Iterator[Ended]:
    """Yield ``worker`` and end it: politely after its work, at once where the session was interrupted."""
    try:
        yield worker
    except WorkFailed:
        worker.close()
        raise
    except BaseException:
        worker.kill()
        raise
    worker.close()


def parsed(make: Callable[[], Parsed]) -> Parsed:
    """Return what ``make`` reads from a worker's answer; RequestFailed where the answer does not fit."""
    try:
        return make()
    except (ValidationError, KeyError, TypeError, ValueError) as error:
        raise RequestFailed(f"its answer does not fit protocol {PROTOCOL_VERSION}: {_first_line(error)}") from error


class WorkerProcess:
    """The process of one target and its children, in a process group. Its output goes to ``log``.

    Messages have a pipe of their own. The framework is imported while the session goes on: `hello` waits for it.
    Programs that other workers compiled are taken from ``compilations``, where the backend keeps any.
    """

    def __init__(
        self,
        target: Target,
        *,
        corpus: Path | None,
        log: Path,
        processors: set[int] | None = None,
        stall_limit_s: float = STALL_LIMIT_S,
        module: str = "bench.worker",
        hash_seed: int = 0,
        compilations: Path | None = None,
    ) -> None:
        self.target = target
        self.log = log
        self._stall_limit_s = stall_limit_s
        self._keras_home = ScratchFolder()
        self._buffer = b""
        self._ending = threading.Lock()  # a session that is interrupted ends workers while threads wait for them
        self._process = self._start(corpus, module, hash_seed, compilations)
        if processors:
            self.confine(processors)  # before the framework starts its threads, whose number follows

    @cached_property
    def hello(self) -> Hello:
        """The worker's greeting; WorkerLost where none comes."""
        hello = self._receive()
        if isinstance(hello, Failed):
            self.kill()
            why = _complaint(self.log, self._log_begin) if hello.error == WRONG_DEVICE else ""
            raise WorkerLost(f"{self.target.name} did not start: {hello.error}: {hello.message}{why}")
        if not isinstance(hello, Hello) or hello.protocol != PROTOCOL_VERSION:
            raise self._lost(_other_protocol(hello))
        return hello

    def ask(self, request: Message, progress: Callable[[Json], None] = _ignore) -> Json:
        """Send ``request``, pass each progress on, and return the values of the answer.

        Raise RequestFailed if the worker says so, WorkerLost if no answer comes.
        """
        if self._closed:
            raise WorkerLost(f"{self.target.name}: its process was ended before")
        _ = self.hello
        self._send(request)
        for _ in range(MOST_PROGRESS):
            answer = self._receive()
            if isinstance(answer, Progress):
                progress(answer.values)
                self._send(Go())
            elif isinstance(answer, Done):
                return answer.values
            elif isinstance(answer, Failed):
                raise _failure(answer)
            else:
                raise self._lost(f"it answered {answer!r}"[:300])
        raise self._lost(f"it reported progress {MOST_PROGRESS:,} times and never answered")

    def confine(self, processors: set[int]) -> None:
        """Pin every thread of the worker to ``processors``, if the system can; later threads inherit that."""
        if not hasattr(os, "sched_setaffinity"):
            return
        for thread in Path(f"/proc/{self._process.pid}/task").glob("*"):
            with suppress(OSError):  # it ended meanwhile
                os.sched_setaffinity(int(thread.name), processors)

    def processor_s(self) -> float:
        """Return the processor seconds that the worker has used so far, its threads included; zero if it ended.

        With those of other processes that train with it.
        """
        with suppress(OSError, psutil.Error):
            if sys.platform.startswith("linux"):
                return sum(time.clock_gettime(~process << 3 | 2) for process in self._members)  # clock_getcpuclockid(3)
            return sum(sum(psutil.Process(process).cpu_times()[:2]) for process in self._members)
        return 0.0

    @cached_property
    def _members(self) -> list[int]:
        others = psutil.Process(self._process.pid).children() if self.target.processes > 1 else []
        return [self._process.pid, *(other.pid for other in others)]

    def close(self) -> None:
        """Ask the worker to exit, wait a little, and kill what is left of it; safe to call twice."""
        if self._closed:
            return
        with suppress(WorkerLost, subprocess.TimeoutExpired):
            self._send(Quit())
            self._process.wait(LEAVE_LIMIT_S)
        self.kill()

    def kill(self) -> None:
        """Kill the worker with its children; safe to call twice."""
        if self._closed:
            return
        with suppress(ProcessLookupError, PermissionError):  # nobody is left of its group
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._forget()

    def _start(
        self, corpus: Path | None, module: str, hash_seed: int, compilations: Path | None
    ) -> subprocess.Popen[bytes]:
        request_fd, self._write_fd = os.pipe()
        self._read_fd, answer_fd = os.pipe()
        self._closed = False
        command = [self.target.python, "-m", module, str(request_fd), str(answer_fd)]
        command += ["--device", self.target.device, *(["--corpus", str(corpus)] if corpus else [])]
        command += ["--devices", str(self.target.devices)] if self.target.devices > 1 else []
        command += ["--processes", str(self.target.processes)] if self.target.processes > 1 else []
        command += ["--recipes", str(self.target.recipes)] if self.target.recipes else []
        command += ["--compilations", str(compilations)] if compilations else []
        with self.log.open("ab") as log:
            self._log_begin = log.tell()
            try:
                process = subprocess.Popen(
                    command,
                    cwd=self.target.checkout,
                    env=environment(self.target, str(self._keras_home.path), hash_seed=hash_seed),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=(request_fd, answer_fd),
                    start_new_session=True,  # Ctrl-C reaches only the session, which then ends its workers
                )
            except OSError as error:
                self._forget()
                raise WorkerLost(f"{self.target.name} cannot be started: {error.strerror}") from error
            finally:
                os.close(request_fd)
                os.close(answer_fd)
        os.set_blocking(self._write_fd, False)
        return process

    def _send(self, message: Message) -> None:
        left = memoryview(encode(message))
        deadline = time.monotonic() + self._stall_limit_s
        while left:
            _, ready, _ = select.select([], [self._write_fd], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise self._lost(f"it read nothing for {self._stall_limit_s:.0f} s and was ended")
            try:
                left = left[os.write(self._write_fd, left) :]
            except OSError as error:
                raise self._lost("it closed its pipe") from error

    def _receive(self) -> Message:
        deadline = time.monotonic() + self._stall_limit_s
        while b"\n" not in self._buffer:
            left_s = deadline - time.monotonic()
            ready, _, _ = select.select([self._read_fd], [], [], min(max(0.0, left_s), LOOK_S))
            if not ready:
                if left_s <= 0:
                    raise self._lost(f"it sent nothing for {self._stall_limit_s:.0f} s and was ended")
                if self._process.poll() is not None:  # a child of it holds the pipe open
                    raise self._lost("it ended")
                continue
            chunk = os.read(self._read_fd, 1 << 16)
            if not chunk:
                raise self._lost("it closed its pipe")
            self._buffer += chunk
            if len(self._buffer) > LONGEST_MESSAGE:
                raise self._lost(f"it sent more than {LONGEST_MESSAGE >> 20} MiB without the end of a message")
        line, _, self._buffer = self._buffer.partition(b"\n")
        try:
            return decode(line)
        except ValueError as error:
            raise self._lost(f"it sent no message: {error}") from error

    def _lost(self, what: str) -> WorkerLost:
        """Kill the process and its children, and return the error that says how it ended."""
        try:
            status = self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            status = None
        self.kill()
        return WorkerLost(f"{self.target.name}: {what if status is None else _describe(status)}")

    def _forget(self) -> None:
        with self._ending:
            if self._closed:
                return
            self._closed = True
            os.close(self._read_fd)
            os.close(self._write_fd)
            self._keras_home.remove()


def _other_protocol(hello: Message) -> str:
    """Return what to do about a worker with another protocol."""
    spoken = f"protocol {hello.protocol}" if isinstance(hello, Hello) else f"{hello!r}"
    return (
        f"expected a greeting in protocol {PROTOCOL_VERSION}; received {spoken}; measure commits whose "
        "bench/protocol.py has the same version, or run the older checkout's own suite"
    )


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return f"{misfit(error)}; received {str(error.errors(include_url=False)[0]['input'])[:80]}"
    return f"{type(error).__name__} {error}"[:200]


def _complaint(log: Path, begin: int) -> str:
    """Return the first thing that a framework wrote of its GPU since ``begin``; nothing where it wrote none."""
    with log.open("rb") as file:
        file.seek(begin)
        lines = file.read(LOG_READ).decode(errors="replace").splitlines()
    said = next((plain_text.one_line(plain_text.uncoloured(line)) for line in lines if OF_A_GPU.search(line)), "")
    return f"; it wrote first: {said[:300]}" if said else ""


def _describe(status: int) -> str:
    """Return how a process with the exit ``status`` ended, in words."""
    if status >= 0:
        return f"its process ended with exit status {status}"
    name = signal.Signals(-status).name
    hint = ", perhaps out of memory" if name == "SIGKILL" else ""
    return f"its process was ended by {name}{hint}"
