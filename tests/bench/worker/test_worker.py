"""Real workers: both frameworks do the recipes' work, the same work, and every timed path answers."""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from bench.analysis import accuracy, stats
from bench.backends import BACKENDS, EVERY
from bench.plan import paths
from bench.plan.steps import ParityCheck
from bench.plan.targets import Target
from bench.protocol import Block, Count, Json, Learn, Parity, Peaks, Peer, Prepare, Release, Startup, Train
from bench.records import reference
from bench.records.schema import PhaseResult
from bench.runner import affinity
from bench.runner.process import RequestFailed, WorkerProcess, running
from bench.runner.session import Outputs, _parity
from models.recipes import DENSE, POOLING_LOGITS, RECIPES
from tests.bench import fresh

pytestmark = pytest.mark.framework

PATHS_OF = ("train", "predict", "vectorize")
PATHS = [(phase, path) for phase in PATHS_OF for path in paths.names(phase)]
SIZES = {"train": None, "predict": 32, "vectorize": 100}


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
    jax, tensorflow = (
        Outputs.model_validate(workers[backend].ask(Parity(name, weights, save, 10, 500)))
        for backend, save in (("jax", True), ("tensorflow", False))
    )
    step = ParityCheck(RECIPES[name], (Target("jax"), Target("tensorflow")))
    verdict = accuracy.parity(_parity(step, jax, tensorflow))
    assert verdict.answer == "passed", verdict


@pytest.mark.parametrize("path", ["fit", "compiled loop"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_recipe_learns_in_an_epoch(workers: dict[str, WorkerProcess], backend: str, path: str) -> None:
    """One epoch of the dense recipe reads the reviews' opinion far better than chance, and tells its figures."""
    seen: list[Json] = []
    phases = workers[backend].ask(Learn("dense", 0, {"final": 1}, path), seen.append)["phases"]
    assert phases["final"]["test_accuracy"] > 0.75
    assert [values["epoch"] for values in seen] == [1]
    assert len(phases["final"]["epoch_s"]) == len(phases["final"]["curves"]["accuracy"]) == 1


Trained = Callable[[str], list[PhaseResult]]


@pytest.fixture(scope="module")
def trained(workers: dict[str, WorkerProcess]) -> Trained:
    """Train the dense recipe to its end with three seeds by the compiled loop of a backend, once."""

    @cache
    def train(backend: str) -> list[PhaseResult]:
        asked = [Train("dense", 100 + seed, {"final": 4}, "compiled loop") for seed in range(3)]
        return [PhaseResult.model_validate(workers[backend].ask(one)["phases"]["final"]) for one in asked]

    return train


def test_a_run_tests_only_what_it_trained_to_the_end(workers: dict[str, WorkerProcess], trained: Trained) -> None:
    """No source says what a model would reach on the test reviews after a part of its schedule: its curve is held."""
    phases = workers["jax"].ask(Train("dense", 0, {"final": 1}, "compiled loop"))["phases"]
    for found, epochs in ((PhaseResult.model_validate(phases["final"]), 1), (trained("jax")[0], 4)):
        assert len(found.curves["accuracy"]) == epochs
        assert [found.test_accuracy is not None, found.test_loss is not None] == [epochs == 4] * 2


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_compiled_loop_reaches_what_fit_reached_over_seeds(trained: Trained, backend: str) -> None:
    """Three seeds of the dense recipe lie where the reference seeds, trained by `fit`, say that correct ones lie."""
    corpus = "imdb" if os.environ.get("KERASMARK_DATA") else "synthetic"
    known = [r for r in reference.load(reference.path(corpus)) if r.path == "fit"]
    expected = reference.distribution(
        known, recipe="dense", backend=backend, phase="final", metric="test_accuracy", epoch=None
    )
    assert expected is not None
    found = [one.test_accuracy or 0.0 for one in trained(backend)]
    half = stats.prediction_half_width(expected.values, runs=len(found), level=1 - accuracy.FALSE_ALARM)
    assert abs(statistics.fmean(found) - expected.mean) <= half


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("phase", "path"), PATHS)
def test_every_timed_path_answers(workers: dict[str, WorkerProcess], backend: str, phase: str, path: str) -> None:
    """Prepared once, a path gives a first call and blocks of the length that is asked for."""
    found = paths.find(phase, path)
    recipe = (
        RECIPES["lstm"] if found.families else POOLING_LOGITS if POOLING_LOGITS.encoding.form in found.forms else DENSE
    )
    if not paths.applies(found, recipe, backend, found.devices[0]):  # a GPU's does its work on a CPU as well
        pytest.skip(f"{path} is a path of another backend")
    size = SIZES[phase] or recipe.batch_size
    prepared = workers[backend].ask(Prepare(recipe.name, phase, path, size))
    block = workers[backend].ask(Block(phase, path, size, repeats=2, each=phase == "predict"))
    workers[backend].ask(Release())
    assert prepared["work"]["reviews"] == size
    assert prepared["first_call_s"] > 0
    assert (block["repeats"], len(block["calls_s"] or [])) == (2, 2 if phase == "predict" else 0)


def test_the_parent_knows_every_path_of_the_workers() -> None:
    """`bench.plan.paths` is what plans are made of; a path that only one side knows would never run, or always fail."""
    program = (
        "import json; from bench.worker.operations import PATHS; "
        "print(json.dumps({phase: sorted(paths) for phase, paths in PATHS.items()}))"
    )
    known = fresh.answer(program, "jax")
    assert {phase: known[phase] for phase in PATHS_OF} == {phase: sorted(paths.names(phase)) for phase in PATHS_OF}


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_block_does_more_work_where_it_is_asked_to(backend: str, corpus_folder: Path, tmp_path: Path) -> None:
    """Twice as much more makes three times as long; anything above one and a half is no accident.

    On one core, as in a gate: Keras on JAX otherwise runs a callback of `fit` in a thread beside the steps. The host
    changes its speed meanwhile: without and with take turns, of one operation.
    """
    target = Target(backend, quiet=True)
    with running(WorkerProcess(target, corpus=corpus_folder, log=tmp_path / "log")) as worker:
        worker.confine({max(affinity.usable())})
        for path in ("compiled step", "fit"):
            worker.ask(Prepare("pooling-logits", "train", path, 32))

        def block_s(path: str, extra_work: float) -> float:
            block = Block("train", path, 32, repeats=40, each=False, extra_work=extra_work)
            return float(worker.ask(block)["duration_s"])

        for path in ("compiled step", "fit"):
            ratios = [block_s(path, 2.0) / block_s(path, 0.0) for _ in range(3)]
            assert statistics.median(ratios) > 1.5, path


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_worker_holds_several_operations_that_take_turns(workers: dict[str, WorkerProcess], backend: str) -> None:
    """A path and its floor are neighbours in time: both are prepared, and each block names its own."""
    for path in ("compiled loop", "floor"):
        workers[backend].ask(Prepare("pooling-logits", "train", path, 32))
    both = [
        workers[backend].ask(Block("train", path, 32, repeats=3, each=False)) for path in ("compiled loop", "floor")
    ]
    workers[backend].ask(Release())
    assert [block["repeats"] for block in both] == [3, 3]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_fresh_process_says_what_starting_costs(workers: dict[str, WorkerProcess], backend: str) -> None:
    """Import, build, first step, first prediction: seconds each."""
    seconds = workers[backend].ask(Startup("pooling-logits"))["seconds"]
    assert sorted(seconds) == sorted(paths.names("startup"))
    assert all(value > 0 for value in seconds.values())


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_peaks_of_the_machine_are_measured(workers: dict[str, WorkerProcess], backend: str) -> None:
    """A matrix product multiplies, a copy copies: positive, and of the order of a processor."""
    peaks = workers[backend].ask(Peaks())
    name = backend.removesuffix("-cpu")
    assert {way["by"] for way in peaks["products_gflops"]} == {f"{name} product", "numpy product"}
    assert {way["by"] for way in peaks["memory_gb_per_s"]} == {
        f"{by} {way}" for by in (name, "numpy") for way in ("copy", "add")
    }
    assert all(1 < rate < 1e6 for way in peaks["products_gflops"] for rate in way["rates"])
    assert all(0.1 < rate < 1e5 for way in peaks["memory_gb_per_s"] for rate in way["rates"])


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_compiled_loop_compiles_once(workers: dict[str, WorkerProcess], backend: str) -> None:
    """Counted twice the numbers agree, and no later call compiles or traces again."""
    first, second = (workers[backend].ask(Count("pooling-logits", "train", "compiled loop", 32)) for _ in range(2))
    names = [name for name in first if name != "peak_resident_bytes"]
    assert [first[name] for name in names] == [second[name] for name in names]
    assert first.get("recompilations", 0) == first.get("retraces", 0) == 0
    assert first["peak_resident_bytes"] > 1e8 or not Path("/proc/self/status").exists()
    counted = first["program_flops"] if backend == "jax" else first["graph_operations"]
    assert counted > 10


def test_a_block_without_an_operation_is_refused_and_the_worker_lives(workers: dict[str, WorkerProcess]) -> None:
    """A session that asks out of order hears so."""
    with pytest.raises(RequestFailed, match="expected an operation that was prepared"):
        workers["jax"].ask(Block("train", "fit", 32, repeats=1, each=False))
    assert workers["jax"].ask(Release()) == {}


def test_a_peer_outside_deep_learning_learns_from_the_same_rows(workers: dict[str, WorkerProcess]) -> None:
    """A logistic regression on which words the first hundred tokens have; .795 of the real reviews were measured."""
    found = workers["jax"].ask(Peer("lstm", "logistic regression"))
    assert 0.7 < found["test_accuracy"] < 0.9
    assert found["roc_auc"] > found["test_accuracy"]
    assert list(found["predict_s"]) == ["1", "32", "512"]
    assert min(found["train_s"], *found["predict_s"].values()) > 0


@pytest.mark.parametrize("backend", [name for name in EVERY if name not in BACKENDS])
def test_backends_that_only_predict_do_so_from_the_same_weights(
    workers: dict[str, WorkerProcess], corpus_folder: Path, tmp_path: Path, backend: str
) -> None:
    """Every recipe's model, in float32; and what is timed of them answers."""
    worker = WorkerProcess(Target(backend), corpus=corpus_folder, log=tmp_path / "log")
    with running(worker):
        for name in RECIPES:
            weights = str(tmp_path / f"{name}.weights.h5")
            first, second = (
                Outputs.model_validate(one.ask(Parity(name, weights, save, steps=0, reviews=50)))
                for one, save in ((workers["jax"], True), (worker, False))
            )
            found = _parity(ParityCheck(RECIPES[name], (Target("jax"), Target(backend))), first, second)
            assert accuracy.parity(found).answer == "passed"
            assert (found.reviews, found.steps) == (50, 0)
        worker.ask(Prepare("dense", "predict", "predict_on_batch", 32))
        assert worker.ask(Block("predict", "predict_on_batch", 32, repeats=2, each=True))["duration_s"] > 0
        with pytest.raises(RequestFailed, match="only predicts"):
            worker.ask(Prepare("dense", "predict", "compiled", 32))
