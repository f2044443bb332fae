"""Temporary folders that do not outlive their process: what a killed one left is removed when the next one begins."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "kerasmark-"
# A folder is made a moment before it is locked: a younger one may belong to a process that just begins.
YOUNG_S = 60.0


class ScratchFolder:
    """A temporary folder, locked as long as its process lives, until `remove`."""

    def __init__(self) -> None:
        remove_abandoned(Path(tempfile.gettempdir()))
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
        self._lock = os.open(self.path, os.O_RDONLY)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def remove(self) -> None:
        """Remove the folder with its content; safe to call twice."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


@contextmanager
def folder() -> Iterator[Path]:
    """Yield a temporary folder."""
    scratch = ScratchFolder()
    try:
        yield scratch.path
    finally:
        scratch.remove()


def remove_abandoned(parent: Path) -> None:
    """Remove the temporary folders of kerasmark that no process holds."""
    for path in parent.glob(f"{PREFIX}*"):
        with suppress(OSError):  # somebody else's, or gone meanwhile
            if time.time() - path.stat().st_mtime > YOUNG_S and path.is_dir() and not path.is_symlink():
                _remove_unlocked(path)


def _remove_unlocked(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(path, ignore_errors=True)
    finally:
        os.close(descriptor)
