"""A worker's end of the pipe to its session."""

from __future__ import annotations

import os
import select
import signal
import threading
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

    def end_with_session(self) -> None:
        """From now on, end this process and its children as soon as the session's end of the pipe is gone.

        A session that was killed cannot end its workers, and an idle one alone would notice: one that trains would go
        on beside the resumed run. The thread sleeps in the system until then, and keeps this channel open: a
        descriptor that was closed may come back as another file.
        """
        threading.Thread(target=self._end_when_gone, daemon=True).start()

    def progress(self, **values: object) -> None:
        """Report progress, and wait until the session has drawn it."""
        self.send(Progress(dict(values)))
        answer = self.receive()
        if not isinstance(answer, Go):
            raise ValueError(f"expected 'go' after progress; received {answer!r}")

    def _end_when_gone(self) -> None:
        gone = select.poll()
        gone.register(self._reader, 0)  # no event but that the other end is closed
        gone.poll()
        if os.getpgid(0) == os.getpid():  # the session made it a group of its own, with its children
            os.killpg(0, signal.SIGKILL)
        os._exit(0)
