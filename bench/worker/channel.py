"""A worker's end of the pipe to its session."""

from __future__ import annotations

import os
from typing import BinaryIO

from bench.protocol import Go, Message, Progress, decode, encode


class SessionGone(Exception):
    """The session closed its end of the pipe."""


class Channel:
    """Messages over two file descriptors, both inherited from the session."""

    def __init__(self, read_fd: int, write_fd: int) -> None:
        self._reader: BinaryIO = os.fdopen(read_fd, "rb")
        self._writer: BinaryIO = os.fdopen(write_fd, "wb", buffering=0)

    def receive(self) -> Message:
        """Wait, asleep, for the next message."""
        line = self._reader.readline()
        if not line:
            raise SessionGone
        return decode(line)

    def send(self, message: Message) -> None:
        """Send ``message`` whole."""
        try:
            self._writer.write(encode(message))
        except BrokenPipeError as error:
            raise SessionGone from error

    def progress(self, **values: object) -> None:
        """Report progress, and wait until the session has drawn it."""
        self.send(Progress(dict(values)))
        answer = self.receive()
        if not isinstance(answer, Go):
            raise ValueError(f"expected 'go' after progress; received {answer!r}")
