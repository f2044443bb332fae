"""Train one recipe in one worker and save the model with what scoring needs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.plan.steps import Training
from bench.plan.targets import Target
from bench.protocol import Json, Learn
from bench.records import machine, store
from bench.records.schema import FinishedPhase, TestMetrics, TrainedModelRecord
from bench.runner import scratch
from bench.runner.process import WorkerProcess, parsed, running
from bench.runner.session import Watcher
from datasets.corpus import OWN
from datasets.locate import Located
from models.recipes import Recipe

# Files of a saved model; the name of the model itself is `models.saved.MODEL_FILE`.
MODEL, RECORD, SUMMARY = "model.keras", "training.json", "summary.txt"


@dataclass(frozen=True)
class TrainJob:
    """One training; by default on the path by which a run trains for accuracy alone."""

    recipe: Recipe
    target: Target
    seed: int
    path: str = "compiled loop"

    @property
    def epochs(self) -> dict[str, int]:
        """The recipe's own number of epochs in each phase."""
        return {phase.name: phase.epochs for phase in self.recipe.phases}

    @property
    def step(self) -> Training:
        """The step of a plan that this is, for progress."""
        return Training(self.recipe, self.target, self.seed, self.epochs, self.path)

    def circumstances(self, worker: WorkerProcess, located: Located) -> dict[str, Any]:
        """Return the fields of a record that say what was trained, where and when."""
        corpus = located.corpus if self.recipe.reads_reviews else OWN
        return {
            "recipe": self.recipe.name,
            "backend": self.target.backend,
            "seed": self.seed,
            "corpus": corpus.name,
            "corpus_digest": corpus.digest,
            "digest": self.recipe.digest,
            "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": machine.machine().title,
            "versions": worker.hello.versions,
            "path": self.path,
        }


def finished(answer: Json) -> dict[str, FinishedPhase]:
    """Return the phases of a worker's ``answer`` to a training."""
    return {name: FinishedPhase.model_validate(result) for name, result in answer["phases"].items()}


def train(
    job: TrainJob, located: Located, watch: Watcher, *, command: str, folder: Path | None = None
) -> TrainedModelRecord:
    """Train, and save the model, its record and Keras's summary in ``folder``.

    Each file is written whole or not at all. Raises WorkFailed if the worker fails.
    """
    with scratch.folder() as work:
        model = work / MODEL
        watch.starting(job.target)
        with running(WorkerProcess(job.target, corpus=located.folder, log=work / "worker.log")) as worker:
            circumstances = job.circumstances(worker, located)
            watch.begin(job.step)
            request = Learn(job.recipe.name, job.seed, job.epochs, job.path, str(model) if folder else "")
            answer = worker.ask(request, watch.progress)
            record = parsed(lambda: _record(answer, circumstances, command))
        if folder:
            store.write_atomically(folder / MODEL, model.read_bytes())
            store.write_atomically(folder / RECORD, record.model_dump_json(indent=2).encode())
            store.write_atomically(folder / SUMMARY, f"{record.summary}\n".encode())
    return record


def _record(answer: Json, circumstances: dict[str, Any], command: str) -> TrainedModelRecord:
    return TrainedModelRecord(
        **circumstances,
        phases=finished(answer),
        tested=answer["tested"] and TestMetrics.model_validate(answer["tested"]),
        parameters=answer["parameters"],
        summary=answer["summary"],
        command=command,
    )
