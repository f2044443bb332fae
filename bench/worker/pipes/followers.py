"""Several processes that train one model together: one leads, and the others do each request as it does.

The leader is the worker that a session knows. It starts the others on this machine, hands requests on, and answers once
all of them did.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from typing import BinaryIO

from bench.protocol import (
    Block,
    Done,
    Failed,
    Hello,
    Message,
    Parity,
    Prepare,
    Quit,
    Release,
    Train,
    decode,
    encode,
)

# What touches the model that they share; the leader does the rest alone.
TOGETHER = (Train, Prepare, Block, Release, Parity)

HOST = "127.0.0.1"


def addresses(processes: int) -> tuple[str, ...]:
    """Return a free address of this machine for each of ``processes``; none for one."""
    if processes == 1:
        return ()
    taken = [socket.create_server((HOST, 0)) for _ in range(processes)]  # all at once, so that they differ
    found = tuple(f"{HOST}:{one.getsockname()[1]}" for one in taken)
    for one in taken:
        one.close()
    return found


class Followers:
    """The other processes, started with the leader's own ``arguments`` and their rank."""

    def __init__(self, places: tuple[str, ...], arguments: list[str]) -> None:
        self._others = [_Follower(rank, places, arguments) for rank in range(1, len(places))]

    def greet(self) -> None:
        """Return once each has started; RuntimeError where one has not."""
        for rank, other in enumerate(self._others, 1):
            hello = other.receive()
            if not isinstance(hello, Hello):
                raise RuntimeError(f"process {rank} did not start: {hello}")

    def send(self, request: Message) -> None:
        """Hand ``request`` on, if they have a part in it."""
        if isinstance(request, (*TOGETHER, Quit)):
            for other in self._others:
                other.send(request)

    def failure(self, request: Message) -> Failed | None:
        """Return what the first of them that failed says of ``request``, once all have answered; None if none did."""
        answers = [other.answer() for other in self._others] if isinstance(request, TOGETHER) else []
        return next((answer for answer in answers if isinstance(answer, Failed)), None)


class _Follower:
    """One of them, and the pipe to it; its output goes where the leader's does."""

    def __init__(self, rank: int, places: tuple[str, ...], arguments: list[str]) -> None:
        request_fd, write_fd = os.pipe()
        read_fd, answer_fd = os.pipe()
        self._writer: BinaryIO = os.fdopen(write_fd, "wb", buffering=0)
        self._reader: BinaryIO = os.fdopen(read_fd, "rb")
        member = ["--rank", str(rank), "--addresses", *places]
        command = [sys.executable, "-m", "bench.worker", str(request_fd), str(answer_fd), *arguments, *member]
        self._process = subprocess.Popen(command, pass_fds=(request_fd, answer_fd))
        os.close(request_fd)
        os.close(answer_fd)

    def send(self, message: Message) -> None:
        self._writer.write(encode(message))

    def receive(self) -> Message:
        """Return its next message; RuntimeError where it ended."""
        line = self._reader.readline()
        if not line:
            raise RuntimeError(f"another process of this training ended with exit status {self._process.wait()}")
        return decode(line)

    def answer(self) -> Message:
        """Return its answer."""
        message = self.receive()
        if not isinstance(message, Done | Failed):
            raise RuntimeError(f"another process of this training answered {message!r}"[:300])
        return message
