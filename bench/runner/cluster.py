"""Send the pieces of long work to a Dask cluster, and keep what comes back.

A piece is a command of this suite, such as a shard of a run. A worker of the cluster calls it in a process of its own
and returns the folder that it wrote. One timed piece runs on a machine at a time: each worker offers `RESOURCE` once,
and each piece takes it.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.exit_codes import ExitCode
from bench.records import store
from datasets.errors import ExpectedError

if TYPE_CHECKING:
    from distributed import Client

LOCAL = "local"
RESOURCE = "timing"
# How often a piece is tried on another worker after one died, and how long a scheduler may be away.
RETRIES = 3
PATIENCE_S = 600.0
PAUSE_S = 2.0
CONNECT_S = 30.0
# What a piece may end with that leaves a whole run: findings, not faults.
FINISHED = (ExitCode.HELD, ExitCode.ACCURACY, ExitCode.UNRESOLVED, ExitCode.CELLS_FAILED)


class NoSchedulerError(ExpectedError):
    """No scheduler answers at the address."""


@dataclass(frozen=True)
class Piece:
    """A command of this suite, without `--out`; its result is kept under ``name``."""

    name: str
    words: tuple[str, ...]


Connect = Callable[[], contextlib.AbstractContextManager["Client"]]
# Returns the files or folders that a piece must have written.
Results = Callable[[Path], list[Path]]


@dataclass(frozen=True)
class Answer:
    """What a worker returned: the exit status of the command, the end of what it said, the folder that it wrote."""

    code: int
    said: str
    packed: bytes


@contextlib.contextmanager
def connected(address: str) -> Iterator[Client]:
    """Yield a client of the scheduler at ``address``, or of a cluster of one worker here ("local").

    Raises ExpectedError where the package is missing, nobody answers, or no worker can time.
    """
    try:
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise ExpectedError("--on needs Dask: install kerasmark[cluster], or `distributed`") from error
    with contextlib.ExitStack() as stack:
        place: Any = address
        if address == LOCAL:
            place = stack.enter_context(
                LocalCluster(n_workers=1, threads_per_worker=1, resources={RESOURCE: 1}, dashboard_address=None)
            )
        try:
            client = stack.enter_context(Client(place, timeout=CONNECT_S))
        except (OSError, ValueError) as error:
            raise NoSchedulerError(
                f"no Dask scheduler answers at {address}: {error}; start one with `dask scheduler`"
            ) from error
        yield client


def machines(client: Client) -> int:
    """Return how many workers can time; ExpectedError where none can."""
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    able = [worker for worker in workers if worker.get("resources", {}).get(RESOURCE)]
    if not able:
        raise ExpectedError(
            f"none of {len(workers)} workers offers {RESOURCE!r}: start one on each machine with "
            f"`dask worker ADDRESS --nthreads 1 --resources {RESOURCE}=1`, in the environment of this suite"
        )
    return len(able)


def measure(
    pieces: Sequence[Piece],
    connect: Connect,
    into: Path,
    *,
    results: Results = store.runs,
    say: Callable[[str], object],
) -> list[Path]:
    """Return the ``results`` of ``pieces``, kept under ``into``: each a folder of what its command wrote.

    What is there from an earlier call is not measured again. A piece whose worker died is tried on another. What came
    back survives the scheduler: where that is lost, the rest is sent to the next one that answers. Raises ExpectedError
    where a piece fails, comes back without results, or no scheduler answers for long.
    """
    lost_at: float | None = None
    known = False  # a scheduler that never answered has another address
    while left := [piece for piece in pieces if not (into / piece.name).exists()]:
        try:
            with connect() as client:
                known = True
                for piece, answer in _answers(client, left, into.name):
                    _keep(piece, answer, into, results)
                    lost_at = None
                    say(f"{piece.name}: done, {sum((into / one.name).exists() for one in pieces)} of {len(pieces)}")
        except _lost_scheduler() as error:
            if not known:
                raise
            lost_at = lost_at or time.monotonic()
            if time.monotonic() - lost_at > PATIENCE_S:
                raise ExpectedError(f"no scheduler for {PATIENCE_S / 60:.0f} minutes: {error}; resume later") from error
            say(f"lost the scheduler ({type(error).__name__}): trying again")
            time.sleep(PAUSE_S)
    return [found for piece in pieces for found in results(into / piece.name)]


def _answers(client: Client, pieces: Sequence[Piece], job: str) -> Iterator[tuple[Piece, Answer]]:
    """Yield each piece with its answer as it comes back."""
    from distributed import as_completed

    work = caller()
    sent = {
        client.submit(work, piece.words, key=f"{job}-{piece.name}", resources={RESOURCE: 1}, retries=RETRIES): piece
        for piece in pieces
    }
    for future in as_completed(sent):
        yield sent[future], Answer(*future.result())
        future.release()


def _lost_scheduler() -> tuple[type[BaseException], ...]:
    from concurrent.futures import CancelledError

    from distributed.client import FutureCancelledError
    from distributed.comm import CommClosedError

    return (NoSchedulerError, OSError, CommClosedError, CancelledError, FutureCancelledError)


def _keep(piece: Piece, answer: Answer, into: Path, results: Results) -> None:
    """Unpack what ``piece`` wrote, in one step; a piece that ran twice counts once."""
    if answer.code not in FINISHED:
        raise ExpectedError(f"{piece.name} ended with exit status {answer.code} on its machine: {answer.said.strip()}")
    place, unfinished = into / piece.name, into / f".{piece.name}"
    if place.exists():
        return
    shutil.rmtree(unfinished, ignore_errors=True)
    with tarfile.open(fileobj=io.BytesIO(answer.packed)) as archive:
        archive.extractall(unfinished, filter="data")
    if not results(unfinished):
        raise ExpectedError(f"{piece.name} came back without a result: {answer.said.strip()}")
    unfinished.rename(place)


def caller() -> Callable[[Sequence[str]], tuple[int, str, bytes]]:
    """Return the function that a worker of the cluster calls.

    A function within another one is sent as it is, not by its name: neither the scheduler nor a worker can import this
    suite, unless they were started where it lies. So it may use the standard library alone.
    """

    def work(words: Sequence[str]) -> tuple[int, str, bytes]:
        """Call the suite with ``words``, on a worker of the cluster; return exit status, last words and its folder.

        The command dies with the worker: else it would go on beside the next piece.
        """
        module = "bench" if Path("bench/__main__.py").is_file() else "kerasmark"

        def die_with_parent() -> None:
            if sys.platform == "linux":
                ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG

        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [sys.executable, "-m", module, *words, "--out", folder],
                capture_output=True,
                text=True,
                errors="replace",
                preexec_fn=die_with_parent,
            )
            packed = io.BytesIO()
            with tarfile.open(fileobj=packed, mode="w:gz") as archive:
                archive.add(folder, arcname=".")
            return done.returncode, done.stderr[-2_000:], packed.getvalue()

    return work
