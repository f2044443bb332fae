"""Download the published files and check their checksums.

Without a network it gives up within seconds: only errors that may pass are retried.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from datasets.errors import DownloadError
from datasets.imdb import WORD_INDEX_SHA256

if TYPE_CHECKING:
    import requests

Progress = Callable[[int, int], None]  # bytes so far, bytes in all (0 where the server does not say)

_CHUNK = 1 << 16


@dataclass(frozen=True)
class Remote:
    """A published file: its URL, its checksum and its name on disk."""

    url: str
    sha256: str
    file_name: str


@dataclass(frozen=True)
class Timeouts:
    """How long to wait, in seconds: for a connection, for the next byte, and before each further attempt."""

    connect_s: float = 4.0
    read_s: float = 10.0
    pauses_s: tuple[float, ...] = (1.0, 2.0)


ARCHIVE = Remote(
    url="https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
    sha256="c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe",
    file_name="aclImdb_v1.tar.gz",
)
WORD_INDEX = Remote(
    url="https://storage.googleapis.com/tensorflow/tf-keras-datasets/imdb_word_index.json",
    sha256=WORD_INDEX_SHA256,
    file_name="imdb_word_index.json",
)


def fetch(remote: Remote, folder: Path, *, progress: Progress | None = None, timeouts: Timeouts = Timeouts()) -> Path:
    """Return the path of `remote` in `folder`, downloaded unless it is there with the right hash.

    A server's error (5xx) or a broken transfer is retried after each pause. An unknown host, a refused connection, a
    time-out, a missing file and a wrong hash are not.
    """
    import requests

    for pause_s in (*timeouts.pauses_s, None):
        try:
            return _attempt(remote, folder, progress, timeouts)
        except requests.RequestException as error:
            if pause_s is None or not _may_pass(error):
                raise _failed(remote, _reason(error)) from error
            time.sleep(pause_s)
        except ValueError as error:  # pooch's word for a wrong hash
            raise _failed(remote, f"its hash is not sha256 {remote.sha256}") from error
    raise AssertionError("the last attempt returns or raises")


def _attempt(remote: Remote, folder: Path, progress: Progress | None, timeouts: Timeouts) -> Path:
    import pooch

    pooch.get_logger().setLevel(logging.WARNING)  # it would write to stderr, which is the command line's
    bar = False if progress is None else _Bar(progress)
    downloader = pooch.HTTPDownloader(progressbar=bar, chunk_size=_CHUNK, timeout=(timeouts.connect_s, timeouts.read_s))
    return Path(
        pooch.retrieve(
            remote.url,
            known_hash=f"sha256:{remote.sha256}",
            fname=remote.file_name,
            path=folder,
            downloader=downloader,
        )
    )


class _Bar:
    """What pooch expects of a progress bar, over a plain callable."""

    def __init__(self, progress: Progress) -> None:
        self.total = 0
        self._done = 0
        self._progress = progress

    def update(self, count: int) -> None:
        # pooch counts whole chunks, so the last one would overshoot.
        self._done = min(self._done + count, self.total) if self.total else self._done + count
        self._progress(self._done, self.total)

    def reset(self) -> None:
        self._done = 0

    def close(self) -> None:
        pass


def _may_pass(error: requests.RequestException) -> bool:
    import requests

    if isinstance(error, requests.HTTPError):
        return error.response is not None and error.response.status_code >= 500
    return isinstance(error, requests.exceptions.ChunkedEncodingError)


def _reason(error: requests.RequestException) -> str:
    import requests

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"the server answered {error.response.status_code}"
    if isinstance(error, requests.Timeout):
        return "the server did not answer in time"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    return f"the transfer broke ({type(error).__name__})"


def _failed(remote: Remote, reason: str) -> DownloadError:
    return DownloadError(
        f"cannot download {remote.url}: {reason}; try again, "
        f"or fetch it elsewhere and name its folder with --data or KERASMARK_DATA"
    )
