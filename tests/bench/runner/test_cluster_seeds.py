"""Trainings over seeds on a cluster: which pieces there are, and that together they are what one machine trains."""

from __future__ import annotations

from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bench.plan.targets import Target
from bench.records import reference
from bench.records.schema import ReferenceRecord
from bench.runner import cluster
from bench.runner.cluster import Piece
from bench.runner.training import cluster_seeds, train_seeds
from bench.runner.training.train import TrainJob
from datasets.errors import ExpectedError
from models import variations
from models.recipes import RECIPES
from tests.bench import made

DENSE, WIDE = RECIPES["dense"], variations.find("dense units=32", {})
TARGETS = [Target("jax"), Target("tensorflow")]
HERE = SimpleNamespace(corpus=SimpleNamespace(name="imdb", digest="reviews"))


def trained(recipe: str, backend: str, seed: int, digest: str = "reviews") -> ReferenceRecord:
    return made.reference(seed, recipe=recipe, backend=backend).model_copy(update={"corpus_digest": digest})


def option(piece: Piece, name: str) -> str:
    return piece.words[piece.words.index(f"--{name}") + 1]


class Machines:
    """A made cluster: it trains what a piece asks for, until it is to fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, number: int = 2) -> None:
        self.pieces: list[Piece] = []
        self.fails_at = 1_000
        self.digest = "reviews"
        monkeypatch.setattr(cluster, "measure", self.measure)
        monkeypatch.setattr(cluster, "machines", lambda client: number)

    def measure(self, pieces: list[Piece], connect: object, into: Path, **_: Any) -> None:
        for number, piece in enumerate(pieces):
            if number == self.fails_at:
                raise ExpectedError("its machine was taken away")
            self.pieces.append(piece)
            first, backend = int(option(piece, "first-seed")), option(piece, "backend")
            for seed in range(first, first + int(option(piece, "seeds"))):
                record = trained(option(piece, "recipe"), backend, seed, self.digest)
                reference.append(into / piece.name / "imdb.jsonl", record)

    def collect(self, file: Path, seeds: int) -> Counter[tuple[str, str, int]]:
        """Collect so many seeds, and return how often each training is in ``file``."""
        self.pieces.clear()
        cluster_seeds.collect(
            [DENSE, WIDE],
            TARGETS,
            HERE,  # type: ignore[arg-type]
            seeds=range(seeds),
            file=file,
            connect=lambda: nullcontext(None),  # type: ignore[arg-type,return-value]
            words=["--data", "archive"],
            say=print,
        )
        return Counter((r.recipe, r.backend, r.seed) for r in reference.load(file))


@pytest.fixture
def machines(monkeypatch: pytest.MonkeyPatch) -> Machines:
    return Machines(monkeypatch)


def every(seeds: int) -> dict[tuple[str, str, int], int]:
    return {(one.name, t.backend, seed): 1 for one in (DENSE, WIDE) for t in TARGETS for seed in range(seeds)}


def test_a_piece_is_a_command_that_trains_neighbouring_seeds(machines: Machines, tmp_path: Path) -> None:
    """Of one recipe and backend, a few for each machine, so that none is idle for long at the end."""
    assert machines.collect(tmp_path / "imdb.jsonl", 6) == every(6)
    assert len(machines.pieces) == 8
    assert machines.pieces[0].words == (
        *("reference", "--recipe", "dense", "--backend", "jax", "--seeds", "4", "--first-seed", "0"),
        *("--data", "archive"),
    )
    assert {piece.name for piece in machines.pieces} >= {"dense-units=32-tensorflow-seed-4-2"}


def test_what_is_there_is_not_trained_again(machines: Machines, tmp_path: Path) -> None:
    """Neither a whole collection nor one seed of it."""
    file = tmp_path / "imdb.jsonl"
    reference.append(file, trained("dense", "jax", 1))
    assert machines.collect(file, 3) == every(3)
    assert {option(p, "first-seed") for p in machines.pieces if "jax-seed" in p.name and "=" not in p.name} == {
        "0",
        "2",
    }
    assert machines.collect(file, 3) == every(3)
    assert machines.pieces == []


def test_what_came_back_before_a_fault_is_kept(machines: Machines, tmp_path: Path) -> None:
    """And the same command trains the rest."""
    file = tmp_path / "imdb.jsonl"
    machines.fails_at = 3
    with pytest.raises(ExpectedError, match="taken away"):
        machines.collect(file, 4)
    kept = len(reference.load(file))
    assert 0 < kept < 16
    assert not list(tmp_path.glob("*.pieces"))
    machines.fails_at = 1_000
    assert machines.collect(file, 4) == every(4)


def test_other_reviews_are_refused(machines: Machines, tmp_path: Path) -> None:
    """A machine that found none takes synthetic ones, and says so where nobody looks."""
    machines.digest = "others"
    with pytest.raises(ExpectedError, match=r"other reviews .*KERASMARK_DATA"):
        machines.collect(tmp_path / "imdb.jsonl", 1)


def test_a_users_recipe_takes_its_file_along(tmp_path: Path) -> None:
    job = TrainJob(DENSE, Target("jax", recipes=tmp_path / "mine.py"), 7)
    (piece,) = cluster_seeds.pieces([job], 1, [])
    assert option(piece, "recipes") == str(tmp_path / "mine.py")


def test_missing_trainings_are_those_that_the_file_lacks(tmp_path: Path) -> None:
    file = tmp_path / "imdb.jsonl"
    reference.append(file, trained("dense", "jax", 0))
    jobs = train_seeds.missing([DENSE], TARGETS, range(2), file)
    assert [(job.seed, job.target.backend) for job in jobs] == [(0, "tensorflow"), (1, "jax"), (1, "tensorflow")]
