"""Train one recipe in one worker and save the model with what scoring needs."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench import protocol
from bench.plan.steps import Training
from bench.plan.targets import Target
from bench.records import machine, store
from bench.records.schema import FinishedPhase, TestMetrics, TrainedModelRecord
from bench.runner.process import WorkerProcess
from bench.runner.session import Watcher
from datasets.locate import Located
from models.recipes import Recipe

# Names in the folder of a saved model; the model's own is `models.saved.MODEL_FILE`.
MODEL, RECORD, SUMMARY = "model.keras", "training.json", "summary.txt"


@dataclass(frozen=True)
class TrainJob:
    """What is trained, by whom, and where the model goes; None for nowhere."""

    recipe: Recipe
    target: Target
    seed: int
    path: str
    command: str
    folder: Path | None = None

    @property
    def epochs(self) -> dict[str, int]:
        """Every phase of the recipe with its own number of epochs."""
        return {phase.name: phase.epochs for phase in self.recipe.phases}

    @property
    def step(self) -> Training:
        """The step of a plan that this is, for progress."""
        return Training(self.recipe, self.target, self.seed, self.epochs, self.path)


def train(job: TrainJob, located: Located, watch: Watcher) -> TrainedModelRecord:
    """Train, and save the model, its record and Keras's summary where there is a folder.

    Each file is written whole or not at all. Raises WorkFailed where the worker gives no answer.
    """
    with tempfile.TemporaryDirectory(prefix="kerasmark-") as scratch:
        model = Path(scratch) / MODEL
        record = _trained(job, located, watch, model if job.folder else None)
        if job.folder:
            _keep(record, model, job.folder)
    return record


def _trained(job: TrainJob, located: Located, watch: Watcher, model: Path | None) -> TrainedModelRecord:
    with tempfile.TemporaryDirectory(prefix="kerasmark-") as logs:
        watch.starting(job.target)
        worker = WorkerProcess(job.target, corpus=located.folder, log=Path(logs) / "worker.log")
        try:
            watch.begin(job.step)
            request = protocol.Learn(job.recipe.name, job.seed, job.epochs, job.path, str(model) if model else "")
            answer = worker.ask(request, watch.progress)
            versions = worker.hello.versions
        finally:
            worker.close()
    return TrainedModelRecord(
        recipe=job.recipe.name,
        backend=job.target.backend,
        seed=job.seed,
        corpus=located.corpus.name,
        corpus_digest=located.corpus.digest,
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=machine.machine().title,
        versions=versions,
        path=job.path,
        phases={name: FinishedPhase.model_validate(result) for name, result in answer["phases"].items()},
        tested=TestMetrics.model_validate(answer["tested"]),
        parameters=answer["parameters"],
        summary=answer["summary"],
        command=job.command,
    )


def _keep(record: TrainedModelRecord, model: Path, folder: Path) -> None:
    store.write_atomically(folder / MODEL, model.read_bytes())
    store.write_atomically(folder / RECORD, record.model_dump_json(indent=2).encode())
    store.write_atomically(folder / SUMMARY, f"{record.summary}\n".encode())
