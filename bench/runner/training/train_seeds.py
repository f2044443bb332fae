"""The collection of reference trainings: recipes over seeds, one on each processor; it judges nothing."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.plan.targets import Target
from bench.protocol import Json, Train
from bench.records import machine, reference
from bench.records.schema import FinishedPhase, ReferenceRecord
from bench.runner.process import WorkerProcess
from models.recipes import Recipe

Notice = Callable[[str], None]

# The way in which a run trains for accuracy alone.
PATH = "compiled loop"


def collect(
    recipes: list[Recipe],
    targets: list[Target],
    *,
    seeds: dict[str, int],
    corpus: tuple[str, str, Path],
    file: Path,
    logs: Path,
    notice: Notice,
) -> None:
    """Train what ``file`` lacks of ``seeds`` (recipe name: how many) and append each training as it ends.

    ``corpus`` is its name, digest and folder. Accuracy needs no quiet machine, so there is a lane for each
    processor; each keeps to one target while that has work, since starting a worker takes seconds.
    """
    done = {(r.recipe, r.backend, r.seed) for r in reference.load(file)}
    jobs = [
        Job(target, recipe, seed)
        for recipe in recipes
        for seed in range(seeds[recipe.name])
        for target in targets
        if (recipe.name, target.backend, seed) not in done
    ]
    lock = threading.Lock()

    def take(wanted: Target) -> Job | None:
        with lock:
            mine = [job for job in jobs if job.target == wanted] or jobs
            return jobs.pop(jobs.index(mine[0])) if mine else None

    def keep(record: ReferenceRecord) -> None:
        with lock:
            reference.append(file, record)
            notice(_line(record))

    lanes = _processors()
    with ThreadPoolExecutor(len(lanes)) as pool:
        served = [
            pool.submit(_serve, processor, targets[lane % len(targets)], take, keep, corpus=corpus, logs=logs)
            for lane, processor in enumerate(lanes)
        ]
    for lane in served:
        lane.result()


@dataclass(frozen=True)
class Job:
    """One training."""

    target: Target
    recipe: Recipe
    seed: int


def _serve(
    processor: int,
    target: Target,
    take: Callable[[Target], Job | None],
    keep: Callable[[ReferenceRecord], None],
    *,
    corpus: tuple[str, str, Path],
    logs: Path,
) -> None:
    """Do one job after another on one processor, with a worker that is exchanged when the target changes."""
    worker: WorkerProcess | None = None
    try:
        while (job := take(target)) is not None:
            if worker is None or worker.target != job.target:
                if worker is not None:
                    worker.close()
                target = job.target
                log = logs / f"{target.name}-{processor}.log"
                worker = WorkerProcess(target, corpus=corpus[2], log=log, processors={processor})
            keep(_train(worker, job.recipe, job.seed, corpus=corpus))
    finally:
        if worker is not None:
            worker.close()


def _processors() -> list[int]:
    """Return the processors that this process may use."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]


def _train(worker: WorkerProcess, recipe: Recipe, seed: int, *, corpus: tuple[str, str, Path]) -> ReferenceRecord:
    epochs: dict[str, int] = {phase.name: phase.epochs for phase in recipe.phases}
    answer: Json = worker.ask(Train(recipe=recipe.name, seed=seed, epochs=epochs, path=PATH))
    return ReferenceRecord(
        recipe=recipe.name,
        backend=worker.target.backend,
        seed=seed,
        corpus=corpus[0],
        corpus_digest=corpus[1],
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=machine.machine().title,
        versions=worker.hello.versions,
        path=PATH,
        phases={name: _rounded(FinishedPhase.model_validate(result)) for name, result in answer["phases"].items()},
    )


def _rounded(result: FinishedPhase) -> FinishedPhase:
    """Keep five decimals: a review is 4e-5 of accuracy, and the file stays small enough to read."""
    return FinishedPhase(
        curves={name: [round(value, 5) for value in values] for name, values in result.curves.items()},
        epoch_s=[round(value, 3) for value in result.epoch_s],
        test_accuracy=round(result.test_accuracy, 5),
        test_loss=round(result.test_loss, 5),
    )


def _line(record: ReferenceRecord) -> str:
    last = list(record.phases.values())[-1]
    return f"{record.recipe} {record.backend} seed {record.seed}: test accuracy {last.test_accuracy:.4f}"
