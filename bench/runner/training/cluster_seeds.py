"""Train recipes over many seeds on a Dask cluster: a piece is some seeds of one recipe on one backend.

Each machine trains as many at once as it has processors. Trainings of different machines are pooled: accuracy does not
depend on speed.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from math import ceil
from pathlib import Path

from bench.plan.targets import Target
from bench.runner import cluster
from bench.runner.cluster import Connect, Piece
from bench.runner.training import train_seeds
from bench.runner.training.train import TrainJob
from datasets.locate import Located
from models.recipes import Recipe

# Pieces for each machine: the last ones to end leave the others idle for no longer than one piece takes.
PIECES_EACH = 3


def collect(
    recipes: Sequence[Recipe],
    targets: Sequence[Target],
    located: Located,
    *,
    seeds: Sequence[int],
    file: Path,
    connect: Connect,
    words: Sequence[str],
    say: Callable[[str], object],
) -> None:
    """Train those of ``seeds`` that ``file`` lacks on the cluster, and add them to it.

    ``words`` are further ones of each command. What came back before an interruption is added all the same.
    """
    into = file.with_suffix(".pieces")
    _add(into, file, located)
    jobs = train_seeds.missing(recipes, targets, seeds, file)
    if not jobs:
        return
    with connect() as client:
        machines = cluster.machines(client)
    try:
        cluster.measure(pieces(jobs, machines, words), connect, into, results=_trainings, say=say)
    finally:
        _add(into, file, located)


def _add(into: Path, file: Path, located: Located) -> None:
    """Add what came back to ``file``."""
    train_seeds.merge(_trainings(into), file, located.corpus.digest)
    shutil.rmtree(into, ignore_errors=True)


def pieces(jobs: Sequence[TrainJob], machines: int, words: Sequence[str]) -> list[Piece]:
    """Return the pieces of ``jobs``: neighbouring seeds of one recipe and backend, some for each of ``machines``."""
    longest = max(1, ceil(len(jobs) / (PIECES_EACH * machines)))
    return [_piece(some, words) for some in _parts(jobs, longest)]


def _parts(jobs: Sequence[TrainJob], longest: int) -> Iterator[list[TrainJob]]:
    """Yield neighbouring seeds of a recipe and backend, at most ``longest`` together."""
    ordered = sorted(jobs, key=lambda job: (job.recipe.name, job.target.backend, job.seed))
    for _, same in groupby(ordered, key=lambda job: (job.recipe.name, job.target.backend)):
        part: list[TrainJob] = []
        for job in same:
            if part and (len(part) == longest or job.seed != part[-1].seed + 1):
                yield part
                part = []
            part.append(job)
        yield part


def _piece(jobs: Sequence[TrainJob], words: Sequence[str]) -> Piece:
    first, backend = jobs[0], jobs[0].target.backend
    seeds = ["--seeds", str(len(jobs)), "--first-seed", str(first.seed)]
    own = ["--recipes", str(first.target.recipes)] if first.target.recipes else []
    name = re.sub(r"[^A-Za-z0-9_.=-]+", "-", f"{first.recipe.name}-{backend}-seed-{first.seed}-{len(jobs)}")
    return Piece(name, ("reference", "--recipe", first.recipe.name, "--backend", backend, *seeds, *own, *words))


def _trainings(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.jsonl"))
