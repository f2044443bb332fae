"""A target for fuzzers: what arrives on the pipe of a worker, in pieces."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import get_args

from bench.plan.targets import Target
from bench.protocol import Message, decode, encode
from bench.runner import interleave, process, session
from bench.runner.process import WorkerLost, WorkerProcess, WorkFailed, parsed
from tests.bench import made


class Silent(WorkerProcess):
    """A session's end of a pipe whose other end is no process: whatever was written there is there."""

    def __init__(self, written: bytes) -> None:
        self.target = Target("jax")
        self._stall_limit_s = 0.0
        self._buffer = b""
        self._read_fd, write_fd = os.pipe()
        os.write(write_fd, written)
        os.close(write_fd)

    def _lost(self, what: str) -> WorkerLost:
        return WorkerLost(what)

    def end(self) -> None:
        os.close(self._read_fd)


def check(data: bytes) -> None:
    """Receive ``data`` as messages, and read each as every answer: a message that fits, or a failure that is told."""
    line = data.partition(b"\n")[0] + b"\n"
    try:
        message = decode(line)
    except ValueError:
        message = None
    if message is not None:
        assert isinstance(message, get_args(Message))
        assert decode(encode(message)) == message or "nan" in encode(message).decode().lower()
    worker = Silent(data[: 1 << 15])
    try:
        while True:
            received = worker._receive()
            for read in READERS:
                _tried(read, getattr(received, "values", {}))
    except WorkerLost:
        pass
    finally:
        worker.end()


READERS = (
    lambda answer: session._training(answer, recipe="dense", target="jax-cpu", seed=0, path="fit"),
    lambda answer: session._peaks("jax-cpu", answer),
    session.Outputs.model_validate,
    interleave.Prepared.model_validate,
    lambda answer: made.Sample(**answer),
)


def _tried(read: object, answer: object) -> None:
    with suppress(WorkFailed):
        parsed(lambda: read(answer))  # type: ignore[operator]


assert process.LONGEST_MESSAGE > 1 << 15  # what is written here fits into a pipe
