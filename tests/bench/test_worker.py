"""Real workers: both frameworks do the recipes' work, the same work, and every timed path answers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import check
from bench.plan import PROFILES, ParityCheck
from bench.process import RequestFailed, WorkerProcess
from bench.protocol import Block, Json, Parity, Prepare, Release, Train
from bench.session import _parity
from bench.targets import BACKENDS, Target
from datasets.locate import open_corpus
from models.recipes import RECIPES

pytestmark = pytest.mark.framework

PATHS = [(phase, path) for phase, paths in PROFILES["full"].paths.items() for path in paths]
SIZES = {"train": None, "predict": 32, "vectorize": 100}


@pytest.fixture(scope="module")
def corpus_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The parsed corpus: the real reviews where KERASMARK_DATA names them, else the synthetic ones."""
    data = os.environ.get("KERASMARK_DATA") or "synthetic"
    return open_corpus(data, environ=os.environ, cache_root=tmp_path_factory.mktemp("cache")).folder


@pytest.fixture(scope="module")
def workers(corpus_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, WorkerProcess]]:
    """One live worker for each backend."""
    logs = tmp_path_factory.mktemp("logs")
    alive = {b: WorkerProcess(Target(b), corpus=corpus_folder, log=logs / f"{b}.log") for b in BACKENDS}
    yield alive
    for worker in alive.values():
        worker.close()


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_worker_says_what_it_really_is(workers: dict[str, WorkerProcess], backend: str) -> None:
    """Backend, device and versions come from the process that will measure."""
    hello = workers[backend].hello
    assert (hello.backend, hello.device) == (backend, "cpu")
    assert {"keras", "python", "numpy", "jax"} <= set(hello.versions)
    assert hello.settings["floatx"] == "float32"


@pytest.mark.parametrize("name", RECIPES)
def test_both_backends_compute_the_same(workers: dict[str, WorkerProcess], tmp_path: Path, name: str) -> None:
    """From one set of weights: the same predictions and the same first ten losses, within float32's summation order."""
    weights = str(tmp_path / "equal.weights.h5")
    jax = workers["jax"].ask(Parity(name, weights, True, 10, 500))
    tensorflow = workers["tensorflow"].ask(Parity(name, weights, False, 10, 500))
    step = ParityCheck(RECIPES[name], (Target("jax"), Target("tensorflow")))
    verdict = check.parity(_parity(step, jax, tensorflow))
    assert verdict.answer == "passed", verdict


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_recipe_learns_in_an_epoch(workers: dict[str, WorkerProcess], backend: str) -> None:
    """One epoch of the dense recipe reads the reviews' opinion far better than chance, and tells its figures."""
    seen: list[Json] = []
    phases = workers[backend].ask(Train("dense", 0, {"final": 1}), seen.append)["phases"]
    assert phases["final"]["test_accuracy"] > 0.75
    assert [values["epoch"] for values in seen] == [1]
    assert len(phases["final"]["epoch_s"]) == len(phases["final"]["curves"]["accuracy"]) == 1


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("phase", "path"), PATHS)
def test_every_timed_path_answers(workers: dict[str, WorkerProcess], backend: str, phase: str, path: str) -> None:
    """Prepared once, a path gives a first call and blocks of the length that is asked for."""
    size = SIZES[phase] or RECIPES["pooling-logits"].batch_size
    prepared = workers[backend].ask(Prepare("pooling-logits", phase, path, size))
    block = workers[backend].ask(Block(repeats=2, each=phase == "predict"))
    workers[backend].ask(Release())
    assert prepared["work"]["reviews"] == size
    assert prepared["first_call_s"] > 0
    assert (block["repeats"], len(block["calls_s"] or [])) == (2, 2 if phase == "predict" else 0)


def test_a_block_without_an_operation_is_refused_and_the_worker_lives(workers: dict[str, WorkerProcess]) -> None:
    """A session that asks out of order hears so."""
    with pytest.raises(RequestFailed, match="expected an operation to be prepared"):
        workers["jax"].ask(Block(repeats=1, each=False))
    assert workers["jax"].ask(Release()) == {}
