"""A worker process seen from its session: start it, send it requests, end it."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from bench.plan.targets import Target, environment
from bench.protocol import PROTOCOL_VERSION, Done, Failed, Go, Hello, Json, Message, Progress, Quit, decode, encode
from datasets.errors import ExpectedError

# A worker that sends nothing for this long counts as hung; the longest silence is one epoch.
STALL_LIMIT_S = 300.0
# Seconds that a worker may take to exit after `Quit` before it is killed.
LEAVE_LIMIT_S = 10.0


class WorkFailed(ExpectedError):
    """A request failed."""


class WorkerLost(WorkFailed):
    """The worker is gone or was ended: it crashed, hung, was killed or did not start."""


class RequestFailed(WorkFailed):
    """The worker reported that a request failed and still runs."""


def _ignore(_: Json) -> None:
    """Ignore progress."""


class WorkerProcess:
    """The process of one target. Its output goes to ``log``; messages have their own pipe."""

    def __init__(
        self,
        target: Target,
        *,
        corpus: Path,
        log: Path,
        processors: set[int] | None = None,
        stall_limit_s: float = STALL_LIMIT_S,
        module: str = "bench.worker",
        hash_seed: int = 0,
    ) -> None:
        self.target = target
        self.log = log
        self._stall_limit_s = stall_limit_s
        self._keras_home = tempfile.TemporaryDirectory(prefix="kerasmark-")
        self._buffer = b""
        self._process = self._start(corpus, module, hash_seed)
        if processors:
            self.confine(processors)  # before the framework starts its threads, whose number follows
        self.hello = self._greet()

    def ask(self, request: Message, progress: Callable[[Json], None] = _ignore) -> Json:
        """Send ``request``, pass each progress on, and return the values of the answer.

        Raise RequestFailed if the worker says so, WorkerLost if no answer comes.
        """
        self._send(request)
        while True:
            answer = self._receive()
            if isinstance(answer, Progress):
                progress(answer.values)
                self._send(Go())
            elif isinstance(answer, Done):
                return answer.values
            elif isinstance(answer, Failed):
                raise RequestFailed(f"{answer.error}: {answer.message}")
            else:
                raise self._lost(f"it answered {answer!r}")

    def confine(self, processors: set[int]) -> None:
        """Pin every thread of the worker to ``processors``, if the system can; later threads inherit that."""
        if not hasattr(os, "sched_setaffinity"):
            return
        for thread in Path(f"/proc/{self._process.pid}/task").glob("*"):
            with suppress(OSError):  # it ended meanwhile
                os.sched_setaffinity(int(thread.name), processors)

    def close(self) -> None:
        """Ask the worker to exit, or kill it; safe to call twice."""
        if self._closed:
            return
        try:
            self._send(Quit())
            self._process.wait(LEAVE_LIMIT_S)
        except (WorkerLost, subprocess.TimeoutExpired):
            self.kill()
        self._forget()

    def kill(self) -> None:
        """Kill the worker."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._forget()

    def _start(self, corpus: Path, module: str, hash_seed: int) -> subprocess.Popen[bytes]:
        request_fd, self._write_fd = os.pipe()
        self._read_fd, answer_fd = os.pipe()
        self._closed = False
        command = [self.target.python, "-m", module, str(request_fd), str(answer_fd)]
        command += ["--corpus", str(corpus), "--device", self.target.device]
        command += ["--recipes", str(self.target.recipes)] if self.target.recipes else []
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                command,
                cwd=self.target.checkout,
                env=environment(self.target, self._keras_home.name, hash_seed=hash_seed),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(request_fd, answer_fd),
                start_new_session=True,  # Ctrl-C reaches only the session, which then ends its workers
            )
        os.close(request_fd)
        os.close(answer_fd)
        return process

    def _greet(self) -> Hello:
        hello = self._receive()
        if isinstance(hello, Failed):
            self.kill()
            raise WorkerLost(f"{self.target.name} did not start: {hello.error}: {hello.message}")
        if not isinstance(hello, Hello) or hello.protocol != PROTOCOL_VERSION:
            raise self._lost(_other_protocol(hello))
        return hello

    def _send(self, message: Message) -> None:
        try:
            os.write(self._write_fd, encode(message))
        except OSError as error:
            raise self._lost("it closed its pipe") from error

    def _receive(self) -> Message:
        deadline = time.monotonic() + self._stall_limit_s
        while b"\n" not in self._buffer:
            ready, _, _ = select.select([self._read_fd], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise self._lost(f"it sent nothing for {self._stall_limit_s:.0f} s and was ended")
            chunk = os.read(self._read_fd, 1 << 16)
            if not chunk:
                raise self._lost("it closed its pipe")
            self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        try:
            return decode(line)
        except ValueError as error:
            raise self._lost(f"it sent no message: {error}") from error

    def _lost(self, what: str) -> WorkerLost:
        """Kill the process and return the error that says how it ended."""
        try:
            status = self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            status = None
        self.kill()
        return WorkerLost(f"{self.target.name}: {what if status is None else _describe(status)}")

    def _forget(self) -> None:
        if not self._closed:
            self._closed = True
            os.close(self._read_fd)
            os.close(self._write_fd)
            self._keras_home.cleanup()


def _other_protocol(hello: Message) -> str:
    """Return what to do about a worker with another protocol."""
    spoken = f"protocol {hello.protocol}" if isinstance(hello, Hello) else f"{hello!r}"
    return (
        f"expected a greeting in protocol {PROTOCOL_VERSION}; received {spoken}; measure commits whose "
        "bench/protocol.py has the same version, or run the older checkout's own suite"
    )


def _describe(status: int) -> str:
    """Return how a process with the exit ``status`` ended, in words."""
    if status >= 0:
        return f"its process ended with exit status {status}"
    name = signal.Signals(-status).name
    hint = ", perhaps out of memory" if name == "SIGKILL" else ""
    return f"its process was ended by {name}{hint}"
