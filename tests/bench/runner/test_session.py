"""The session, with real processes that hold no framework: whatever happens to a worker costs its own cells alone."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.plan import steps
from bench.plan.steps import PROFILES, Step
from bench.plan.targets import Target
from bench.protocol import Json
from bench.records import identity
from bench.records.nvml import GpuState
from bench.records.schema import (
    BaselineRecord,
    ExportsRecord,
    FailureRecord,
    GpuRecord,
    ParityRecord,
    Record,
    ServingRecord,
    TargetRecord,
    TimingRecord,
    TrainingRecord,
)
from bench.runner.process import WorkerLost, WorkerProcess, WorkFailed
from bench.runner.session import RESTARTS, Serve, Session
from models.recipes import RECIPES

TARGETS = [Target("jax"), Target("tensorflow")]
DENSE = [RECIPES["dense"]]


class Silent:
    """A watcher that remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def begin(self, step: Step) -> None:
        self.told.append(f"begin {step.name}")

    def starting(self, target: Target) -> None:
        self.told.append(f"starting {target.name}")

    def progress(self, values: Json) -> None:
        self.told.append(f"epoch {values['epoch']}")

    def failed(self, record: FailureRecord) -> None:
        self.told.append(f"failed {record.target} {record.work}")


Go = Callable[..., list[Record]]


@pytest.fixture
def go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Go:
    """Run the smoke profile of the dense recipe with fake workers and return the records in their order."""

    def run(
        misbehaviour: str = "", *, missing: str = "", watch: Silent | None = None, block_s: float | None = None
    ) -> list[Record]:
        monkeypatch.setenv("KERASMARK_FAKE", misbehaviour)
        kept: list[Record] = []

        def start(target: Target) -> WorkerProcess:
            if target.backend == missing:
                raise WorkerLost(f"{target.name}: it is not installed")
            return WorkerProcess(
                target,
                corpus=tmp_path,
                log=tmp_path / f"{target.name}.log",
                stall_limit_s=3.0,
                module="tests.bench.fake_worker",
            )

        profile = replace(PROFILES["smoke"], block_s=block_s)
        session = Session(profile, start, lambda *records: kept.extend(records), watch or Silent(), random.Random(1))
        session.run(steps.passes(DENSE, TARGETS, profile, seeds=1)[0])
        return kept

    return run


def kinds(records: list[Record], kind: type, target: str) -> int:
    """Count the records of a kind that belong to a target."""
    return sum(isinstance(r, kind) and target in (getattr(r, "target", None) or r.cell.target) for r in records)


def test_a_quiet_session_measures_everything_on_every_target(go: Go) -> None:
    """Each step of the plan gives each of its targets a record, and nothing fails."""
    records = go()
    assert not [r for r in records if isinstance(r, FailureRecord)]
    for target in ("jax-cpu", "tensorflow-cpu"):
        assert kinds(records, TargetRecord, target) == 1
        assert kinds(records, TrainingRecord, target) == 1
        assert kinds(records, TimingRecord, target) == 10
    assert sum(isinstance(r, ParityRecord) for r in records) == 1


@pytest.mark.parametrize(("block_s", "steps"), [(None, 2), (0.05, 5), (0.15, 15)])
def test_blocks_of_training_steps_last_as_long_as_the_profile_says(go: Go, block_s: float | None, steps: int) -> None:
    """A made step takes 10 ms; other phases keep the shortest blocks, and so does a slope."""
    timings = [r for r in go(block_s=block_s) if isinstance(r, TimingRecord)]
    repeats = {
        (r.cell.phase, r.cell.path): {s.repeats for s in r.samples if not s.warmup}
        for r in timings
        if r.cell.phase != "predict"
    }
    assert repeats["train", "floor"] == {steps}
    assert repeats["vectorize", "encoder"] == {2}
    assert min(repeats["train", "fit"]) == 2


def test_accuracy_comes_before_speed(go: Go) -> None:
    """No timing is taken of a recipe before its accuracy is known."""
    names = [type(r).__name__ for r in go()]
    assert names.index("TimingRecord") > max(i for i, name in enumerate(names) if name == "TrainingRecord")


@pytest.mark.parametrize("deed", ["exit", "kill", "babble", "hang"])
def test_a_worker_lost_in_training_costs_that_cell_and_is_started_anew(go: Go, deed: str) -> None:
    """The other backend's work and the same backend's later work continue."""
    records = go(f"jax:train:{deed}")
    failures = [r for r in records if isinstance(r, FailureRecord)]
    assert [(f.target, f.work) for f in failures] == [("jax-cpu", "train to accuracy by compiled loop, seed 0")]
    assert kinds(records, TargetRecord, "jax-cpu") == 2
    assert kinds(records, TimingRecord, "jax-cpu") == kinds(records, TimingRecord, "tensorflow-cpu") == 10


def test_a_worker_lost_in_a_block_leaves_the_other_playing(go: Go) -> None:
    """A block that dies ends its target's part; the other's samples are whole."""
    records = go("jax:block:kill")
    assert kinds(records, TimingRecord, "tensorflow-cpu") == 10
    assert kinds(records, TimingRecord, "jax-cpu") == 0


def test_a_target_that_is_lost_again_and_again_is_given_up(go: Go) -> None:
    """Restarting costs seconds: after some losses the rest of the target's work fails with the last reason."""
    records = go("jax:block:exit")
    assert kinds(records, TargetRecord, "jax-cpu") == RESTARTS
    failures = [r for r in records if isinstance(r, FailureRecord)]
    assert len(failures) == 10
    assert all("exit status 3" in failure.reason for failure in failures)


def test_a_missing_backend_costs_its_own_cells_and_the_parity(go: Go) -> None:
    """What cannot be compared is a failure of both, never silence."""
    records = go(missing="tensorflow")
    failures = [r for r in records if isinstance(r, FailureRecord)]
    assert kinds(records, TimingRecord, "jax-cpu") == 10
    assert {f.work for f in failures if f.target == "jax-cpu"} == {"parity"}
    assert len([f for f in failures if f.target == "tensorflow-cpu"]) == 12  # accuracy, parity, ten cells
    assert all(f.log == "logs/tensorflow-cpu.log" for f in failures if f.target == "tensorflow-cpu")


def test_a_request_that_fails_is_a_failure_with_the_framework_s_words(go: Go) -> None:
    """The worker lives, so nothing is started anew."""
    records = go("tensorflow:parity:fail")
    failures = [r for r in records if isinstance(r, FailureRecord)]
    assert [(f.target, f.work, f.reason) for f in failures] == [
        ("tensorflow-cpu", "parity", "ValueError: the layers do not fit")
    ]
    assert kinds(records, TargetRecord, "tensorflow-cpu") == 1


def test_the_watcher_hears_of_every_step_and_epoch(go: Go) -> None:
    """A person can follow: start, steps, epochs, failures."""
    watch = Silent()
    go("jax:train:fail", watch=watch)
    assert watch.told[:2] == ["starting jax-cpu", "starting tensorflow-cpu"]
    assert watch.told.count("epoch 4") == 1
    assert "failed jax-cpu train to accuracy by compiled loop, seed 0" in watch.told


def test_gpus_are_read_around_the_blocks_of_their_cells(tmp_path: Path) -> None:
    """Once when every cell is warm and once after the last turn; never for a CPU."""
    readings = iter(range(100))

    def read() -> list[GpuState]:
        return [GpuState(number=0, name="H100", temperature_c=next(readings))]

    for device, expected in {"gpu": [(0, 1), (2, 3), (4, 5)], "cpu": []}.items():
        kept: list[Record] = []
        session = Session(
            PROFILES["smoke"],
            lambda target: WorkerProcess(
                target, corpus=tmp_path, log=tmp_path / "log", module="tests.bench.fake_worker"
            ),
            lambda *records, kept=kept: kept.extend(records),  # type: ignore[misc]
            Silent(),
            random.Random(1),
            gpus=read,
        )
        target = Target("jax", device)  # type: ignore[arg-type]
        timings = [steps.Timing(DENSE[0], "train", ("fit",), 512, (target,), replicate=number) for number in range(3)]
        for timing in timings:
            session.run([timing])
        found = [record for record in kept if isinstance(record, GpuRecord)]
        assert [(r.before[0].temperature_c, r.after[0].temperature_c) for r in found] == expected
        assert [record.replicate for record in found] == [0, 1, 2][: len(expected)]


def test_every_saved_model_is_served_by_every_backend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each trainer's file goes to each backend; what differs is measured from the trainer's own scores."""
    shift = {"jax": 0.0, "tensorflow": 1e-7, "numpy": 2e-7}
    asked: list[tuple[str, list[str]]] = []

    def serve(models: Sequence[Path], backend: str) -> list[list[float]]:
        asked.append((backend, [model.read_text() for model in models]))
        return [[0.5 + shift[backend], 0.25] for _ in models]

    records = serving_session(tmp_path, monkeypatch, serve)
    assert asked == [(backend, ["jax", "tensorflow"]) for backend in shift]
    found = {(r.target, r.served_on): r.prediction_difference for r in records if isinstance(r, ServingRecord)}
    assert found == {
        ("jax-cpu", "jax"): 0.0,
        ("jax-cpu", "tensorflow"): pytest.approx(1e-7),
        ("jax-cpu", "numpy"): pytest.approx(2e-7),
        ("tensorflow-cpu", "jax"): pytest.approx(1e-7),
        ("tensorflow-cpu", "tensorflow"): 0.0,
        ("tensorflow-cpu", "numpy"): pytest.approx(1e-7),
    }


def test_a_backend_that_cannot_serve_is_a_failure_of_each_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was not compared is never silence; the other backends are asked all the same."""

    def serve(models: Sequence[Path], backend: str) -> list[list[float]]:
        if backend == "numpy":
            raise WorkFailed("numpy could not serve the model: no such layer")
        return [[0.5] for _ in models]

    records = serving_session(tmp_path, monkeypatch, serve)
    failures = [(r.target, r.work, r.reason) for r in records if isinstance(r, FailureRecord)]
    reason = "numpy could not serve the model: no such layer"
    assert failures == [(name, "serving on numpy", reason) for name in ("jax-cpu", "tensorflow-cpu")]
    assert sum(isinstance(r, ServingRecord) for r in records) == 4


def test_a_peer_is_trained_in_the_first_target_s_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model outside deep learning needs no backend, so one process is enough."""
    trained: list[Step] = [steps.BaselineTraining(DENSE[0], TARGETS[0], peer) for peer in steps.BASELINES]
    found = [r for r in small_session(tmp_path, monkeypatch, trained) if isinstance(r, BaselineRecord)]
    assert [(r.name, r.target, r.test_accuracy) for r in found] == [(peer, "jax-cpu", 0.88) for peer in steps.BASELINES]
    assert found[0].predict_s[512] == 0.00125


def test_a_training_and_its_exports_are_kept_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The training is a record like any other; the first target's file is also loaded by backends that only predict."""
    profile, chosen = PROFILES["serving"], [*TARGETS, Target("numpy")]
    (work, *_) = steps.passes([DENSE[0]], chosen, profile, seeds=1)
    trained = [step for step in work if isinstance(step, steps.Exporting)]
    records = small_session(tmp_path, monkeypatch, trained)
    kept = [record for record in records if isinstance(record, TrainingRecord | ExportsRecord)]
    assert [(record.kind, record.target) for record in kept] == [
        *[("training", "jax-cpu"), ("exports", "jax-cpu")],
        *[("training", "tensorflow-cpu"), ("exports", "tensorflow-cpu")],
    ]
    served = {r.target: [one.backend for one in r.formats] for r in kept if isinstance(r, ExportsRecord)}
    assert served == {"jax-cpu": ["jax", "numpy"], "tensorflow-cpu": ["tensorflow"]}
    assert {identity.of(record) for record in kept} == {name for step in trained for name in steps.identities(step)}


def serving_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, serve: Serve) -> list[Record]:
    """Run the serving of one recipe with fake workers on three backends."""
    monkeypatch.setattr("bench.plan.targets.installed_serving_backends", lambda: ["jax", "tensorflow", "numpy"])
    return small_session(tmp_path, monkeypatch, [steps.Serving(DENSE[0], tuple(TARGETS))], serve=serve)


def small_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: Sequence[Step], **more: Any) -> list[Record]:
    """Run ``steps`` with fake workers and return the records."""
    monkeypatch.setenv("KERASMARK_FAKE", "")
    kept: list[Record] = []

    def start(target: Target) -> WorkerProcess:
        log = tmp_path / f"{target.name}.log"
        return WorkerProcess(target, corpus=tmp_path, log=log, stall_limit_s=3.0, module="tests.bench.fake_worker")

    Session(PROFILES["full"], start, lambda *records: kept.extend(records), Silent(), random.Random(1), **more).run(
        steps
    )
    return kept
