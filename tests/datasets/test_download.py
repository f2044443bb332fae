"""Tests of downloading, against a server on this machine that misbehaves on request."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from datasets import download
from datasets.download import Remote, Timeouts
from datasets.errors import DataError, DownloadError
from tests.datasets.made import sha256

CONTENT = bytes(range(256)) * 1000
HASTY = Timeouts(connect_s=0.5, read_s=0.2, pauses_s=(0.0, 0.0))

Answer = Callable[[BaseHTTPRequestHandler], None]


class Server:
    """A server that gives its answers one by one, and the last one for ever."""

    def __init__(self, *answers: Answer) -> None:
        self.requests = 0
        self._answers = answers
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def url(self) -> str:
        """The address of its one file."""
        return f"http://127.0.0.1:{self._http.server_port}/file"

    def close(self) -> None:
        """Stop answering."""
        self._http.shutdown()
        self._http.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer = server._answers[min(server.requests, len(server._answers) - 1)]
                server.requests += 1
                answer(self)

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler


def sends(content: bytes, *, promised: int | None = None) -> Answer:
    """Send the content, perhaps less than was promised."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(promised or len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    return answer


def says(status: int) -> Answer:
    """Answer with a status alone."""
    return lambda handler: handler.send_error(status)


def stalls(handler: BaseHTTPRequestHandler) -> None:
    """Take the request and say nothing for longer than the client waits."""
    time.sleep(0.6)


def stalls_inside(handler: BaseHTTPRequestHandler) -> None:
    """Send half, then nothing for longer than the client waits."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(CONTENT)))
    handler.end_headers()
    handler.wfile.write(CONTENT[: len(CONTENT) // 2])
    time.sleep(0.6)


Serve = Callable[..., Server]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start servers that stop with the test."""
    servers: list[Server] = []

    def start(*answers: Answer) -> Server:
        servers.append(Server(*answers))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def remote(url: str, content: bytes = CONTENT) -> Remote:
    """Describe the server's file."""
    return Remote(url=url, sha256=sha256(content), file_name="file.bin")


def test_a_download_arrives_whole_and_tells_its_progress(tmp_path: Path, serve: Serve) -> None:
    """The bytes are counted up to the size that the server named, never over it."""
    told: list[tuple[int, int]] = []
    server = serve(sends(CONTENT))
    path = download.fetch(remote(server.url), tmp_path, progress=lambda *counts: told.append(counts), timeouts=HASTY)
    assert path == tmp_path / "file.bin"
    assert path.read_bytes() == CONTENT
    assert told[0] == (65_536, 256_000)
    assert told[-1] == (256_000, 256_000)
    assert max(done for done, _ in told) == 256_000


def test_what_is_there_already_is_not_fetched_again(tmp_path: Path, serve: Serve) -> None:
    """A file of the right name and hash needs no network."""
    server = serve(sends(CONTENT))
    (tmp_path / "file.bin").write_bytes(CONTENT)
    assert download.fetch(remote(server.url), tmp_path, timeouts=HASTY).read_bytes() == CONTENT
    assert server.requests == 0


def test_a_damaged_file_is_fetched_again(tmp_path: Path, serve: Serve) -> None:
    """The hash of what is there is checked too."""
    (tmp_path / "file.bin").write_bytes(CONTENT[:-1])
    assert download.fetch(remote(serve(sends(CONTENT)).url), tmp_path, timeouts=HASTY).read_bytes() == CONTENT


def test_a_wrong_hash_is_refused_and_leaves_no_file(tmp_path: Path, serve: Serve) -> None:
    """What is not the published file must not be found by the next run; trying again would not change it."""
    server = serve(sends(b"<html>Please log in</html>"))
    with pytest.raises(DownloadError, match=f"its hash is not sha256 {sha256(CONTENT)}"):
        download.fetch(remote(server.url), tmp_path, timeouts=HASTY)
    assert list(tmp_path.iterdir()) == []
    assert server.requests == 1


@pytest.mark.parametrize("status", [403, 404])
def test_a_refusal_is_not_tried_again(tmp_path: Path, serve: Serve, status: int) -> None:
    """The answer would be the same."""
    server = serve(says(status))
    with pytest.raises(DownloadError, match=f"the server answered {status}; try again, or fetch it elsewhere"):
        download.fetch(remote(server.url), tmp_path, timeouts=HASTY)
    assert server.requests == 1


@pytest.mark.parametrize("broken", [says(500), says(503), sends(CONTENT[:1000], promised=len(CONTENT))])
def test_a_passing_failure_is_tried_again(tmp_path: Path, serve: Serve, broken: Answer) -> None:
    """A server's error or a broken transfer may be cured by the next attempt."""
    server = serve(broken, sends(CONTENT))
    assert download.fetch(remote(server.url), tmp_path, timeouts=HASTY).read_bytes() == CONTENT
    assert server.requests == 2


def test_attempts_end(tmp_path: Path, serve: Serve) -> None:
    """One attempt, and one after each pause."""
    server = serve(says(500))
    with pytest.raises(DownloadError, match="the server answered 500"):
        download.fetch(remote(server.url), tmp_path, timeouts=HASTY)
    assert server.requests == 3


@pytest.mark.parametrize("stall", [stalls, stalls_inside])
def test_a_server_that_stalls_is_left_after_one_attempt(tmp_path: Path, serve: Serve, stall: Answer) -> None:
    """Waiting once is enough: several time-outs would keep a machine behind a silent wall for a minute."""
    server = serve(stall)
    with pytest.raises(DownloadError):
        download.fetch(remote(server.url), tmp_path, timeouts=HASTY)
    assert server.requests == 1
    assert list(tmp_path.iterdir()) == []


def closed_port() -> int:
    """Return a port without a listener."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port: int = unused.getsockname()[1]
    return port


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "no-such-host.invalid"])
def test_without_a_network_it_gives_up_at_once(tmp_path: Path, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused connection and an unknown name are not waited for: the pause between attempts never comes."""
    monkeypatch.setattr("time.sleep", lambda _: pytest.fail("it waited"))
    url = f"http://{host.format(port=closed_port())}/file"
    with pytest.raises(DataError, match=f"cannot download {url}: no connection"):
        download.fetch(remote(url), tmp_path)


def test_nothing_is_printed(tmp_path: Path, serve: Serve, capfd: pytest.CaptureFixture[str]) -> None:
    """Standard output and error belong to the command line."""
    download.fetch(remote(serve(sends(CONTENT)).url), tmp_path, timeouts=HASTY)
    assert capfd.readouterr() == ("", "")
