"""A made suite for tests of clusters: pieces of a run without a framework, which can be held while workers fail."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.plan import shards
from bench.records import merge, store
from bench.runner import cluster
from bench.runner.cluster import Piece
from tests.faults import trials

ROOT = Path(__file__).resolve().parents[3]
OF = 4

# What a worker calls instead of the suite: one shard of a run whose workers have no framework. It says that it began,
# and waits as long as there is a file that holds it.
SUITE = """
import os, sys, time
from dataclasses import replace
from pathlib import Path
sys.path.insert(0, {root!r})
from bench.plan import shards
from tests.faults import trials
words = sys.argv[1:]
if "--fails" in words:
    sys.exit("data could not be had")
shard, out = words[words.index("--shard") + 1], words[words.index("--out") + 1]
with Path("began").open("a") as began:
    began.write(f"{{shard}} {{os.getpid()}}\\n")
while Path("hold").exists():
    time.sleep(0.05)
world = trials.fake_run()
part = replace(world.asked(), shard=shards.parse(shard))
trials.execute(replace(world, asked=lambda: part), Path(out), None)
"""


def write(place: Path) -> None:
    """Write the made suite into ``place``, where `kerasmark` then is it."""
    (place / "kerasmark").mkdir()
    (place / "kerasmark" / "__main__.py").write_text(SUITE.format(root=str(ROOT)))


def pieces() -> list[Piece]:
    numbers = shards.with_work(trials.fake_run().asked().planned(), OF)
    return [Piece(f"shard-{number}", ("run", "--shard", f"{number}/{OF}")) for number in numbers]


def measure(place: Path, connect: cluster.Connect) -> list[str]:
    """Measure every piece; return what was said."""
    said: list[str] = []
    cluster.measure(pieces(), connect, place / "run", say=said.append)
    return said


def began(place: Path) -> list[tuple[str, int]]:
    """Return each shard that was begun, and the process that did."""
    file = place / "began"
    lines = file.read_text().splitlines() if file.exists() else []
    return [(shard, int(process)) for shard, process in (line.split() for line in lines)]


def until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.05)


@contextmanager
def held(place: Path, disturb: Callable[[], None]) -> Iterator[None]:
    """Hold every piece; once they have begun, call ``disturb`` beside what follows, then let them go on."""
    (place / "hold").touch()

    def disturbed() -> None:
        until(lambda: len(began(place)) >= len(pieces()))
        disturb()
        (place / "hold").unlink()

    thread = threading.Thread(target=disturbed)
    thread.start()
    yield
    thread.join()


def require_whole(place: Path) -> None:
    """Check that the pieces together are what one machine measures, each once."""
    whole, _ = trials.undisturbed(trials.fake_run(), place / "whole")
    (merged,) = merge.merge(
        [run for piece in pieces() for run in store.runs(place / "run" / piece.name)], place / "merged"
    )
    assert trials.differences(merged, whole, ignored=trials.MADE) == []
