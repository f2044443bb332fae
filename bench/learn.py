"""The lesson: one recipe trained by one worker, its model saved with what it needs; it shows and judges nothing."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench import machine, protocol, store
from bench.plan import Training
from bench.process import WorkerProcess
from bench.record import FinishedPhase, LearnedRecord, Tested
from bench.session import Watcher
from bench.targets import Target
from datasets.locate import Located
from models.recipes import Recipe

# Names in the folder of a saved model; the model's own is `models.saved.MODEL_FILE`.
MODEL, RECORD, SUMMARY, CURVES = "model.keras", "training.json", "summary.txt", "curves"


@dataclass(frozen=True)
class Lesson:
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
        """The lesson as a plan knows it, for whoever watches."""
        return Training(self.recipe, self.target, self.seed, self.epochs, self.path)


def learn(lesson: Lesson, located: Located, watch: Watcher) -> LearnedRecord:
    """Train, and save the model, its record, Keras's summary and the picture of the curves where there is a folder.

    Each file is written whole or not at all. Raises WorkFailed where the worker gives no answer.
    """
    with tempfile.TemporaryDirectory(prefix="kerasmark-") as scratch:
        model = Path(scratch) / MODEL
        record = _trained(lesson, located, watch, model if lesson.folder else None)
        if lesson.folder:
            _keep(record, lesson, model, lesson.folder)
    return record


def _trained(lesson: Lesson, located: Located, watch: Watcher, model: Path | None) -> LearnedRecord:
    with tempfile.TemporaryDirectory(prefix="kerasmark-") as logs:
        watch.starting(lesson.target)
        worker = WorkerProcess(lesson.target, corpus=located.folder, log=Path(logs) / "worker.log")
        try:
            watch.begin(lesson.step)
            request = protocol.Learn(
                lesson.recipe.name, lesson.seed, lesson.epochs, lesson.path, str(model) if model else ""
            )
            answer = worker.ask(request, watch.progress)
            versions = worker.hello.versions
        finally:
            worker.close()
    return LearnedRecord(
        recipe=lesson.recipe.name,
        backend=lesson.target.backend,
        seed=lesson.seed,
        corpus=located.corpus.name,
        corpus_digest=located.corpus.digest,
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=machine.machine().title,
        versions=versions,
        path=lesson.path,
        phases={name: FinishedPhase.model_validate(result) for name, result in answer["phases"].items()},
        tested=Tested.model_validate(answer["tested"]),
        parameters=answer["parameters"],
        summary=answer["summary"],
        command=lesson.command,
    )


def _keep(record: LearnedRecord, lesson: Lesson, model: Path, folder: Path) -> None:
    from bench.charts import curves, picture  # a second to import, and only what is saved has a picture

    store.write_atomically(folder / MODEL, model.read_bytes())
    store.write_atomically(folder / RECORD, record.model_dump_json(indent=2).encode())
    store.write_atomically(folder / SUMMARY, f"{record.summary}\n".encode())
    title = f"{record.recipe} on {record.backend}"
    subtitle = f"{record.corpus} reviews, seed {record.seed}, {record.measured_at[:10]}"
    picture.write(curves.chart(lesson.recipe, record.phases, title=title, subtitle=subtitle), folder / CURVES)
