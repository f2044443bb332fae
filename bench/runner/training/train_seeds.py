"""Train recipes over many seeds, one training on each processor; an interrupted collection resumes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

from bench.plan.targets import Target
from bench.protocol import Train
from bench.records import reference
from bench.records.schema import FinishedPhase, ReferenceRecord
from bench.runner import affinity, scratch
from bench.runner.process import WorkerProcess, running
from bench.runner.training import train
from bench.runner.training.train import TrainJob
from datasets.corpus import OWN
from datasets.errors import ExpectedError
from datasets.locate import Located
from models.recipes import Recipe


def collect(
    recipes: list[Recipe],
    targets: list[Target],
    located: Located,
    *,
    seeds: Sequence[int],
    file: Path,
    notice: Callable[[str], None],
) -> None:
    """Train those of ``seeds`` that ``file`` lacks and append each training as it ends.

    Accuracy needs no quiet machine, so every processor trains. Each keeps to one target while that has work, since
    starting a worker takes seconds.
    """
    jobs = missing(recipes, targets, seeds, file)
    processors = sorted(affinity.usable()) or [0]
    with scratch.folder() as logs, ThreadPoolExecutor(len(processors)) as pool:
        queue = _Queue(jobs, located, file, logs, notice)
        lanes = [pool.submit(queue.serve, one, targets[n % len(targets)]) for n, one in enumerate(processors)]
        try:
            wait(lanes)
        except BaseException:
            queue.stop()
            raise
    for lane in lanes:
        lane.result()


def missing(recipes: Sequence[Recipe], targets: Sequence[Target], seeds: Sequence[int], file: Path) -> list[TrainJob]:
    """Return the trainings that ``file`` lacks, seed by seed of each recipe."""
    done = {_identity(record) for record in reference.load(file)}
    every = [TrainJob(recipe, target, seed) for recipe in recipes for seed in seeds for target in targets]
    return [job for job in every if (job.recipe.name, job.recipe.digest, job.target.backend, job.seed) not in done]


def merge(found: Sequence[Path], file: Path, corpus_digest: str) -> None:
    """Add to ``file`` the trainings of the files ``found``, each once; ExpectedError where they saw other reviews."""
    done = {_identity(record) for record in reference.load(file)}
    for record in (record for one in found for record in reference.load(one)):
        if record.corpus_digest not in (corpus_digest, OWN.digest):
            raise ExpectedError(
                f"{record.recipe} seed {record.seed}: {record.machine} trained it on other reviews ({record.corpus}); "
                "set KERASMARK_DATA on every machine"
            )
        if _identity(record) not in done:
            reference.append(file, record)
            done.add(_identity(record))


def _identity(record: ReferenceRecord) -> tuple[str, str, str, int]:
    return record.recipe, record.digest, record.backend, record.seed


@dataclass(frozen=True)
class _Queue:
    """Trainings to do, shared by the processors; ``logs`` is the folder for what workers print."""

    jobs: list[TrainJob]
    located: Located
    file: Path
    logs: Path
    notice: Callable[[str], None]
    lock: threading.Lock = field(default_factory=threading.Lock)
    alive: list[WorkerProcess] = field(default_factory=list)

    def serve(self, processor: int, target: Target) -> None:
        """Train on ``processor`` until no job is left, ``target`` first; a worker lives while its target has jobs."""
        job = self._take(target)
        while job:
            target = job.target
            log = self.logs / f"{target.name}-{processor}.log"
            with running(WorkerProcess(target, corpus=self.located.folder, log=log, processors={processor})) as worker:
                self.alive.append(worker)
                while job and job.target == target:
                    self._keep(_trained(job, worker, self.located))
                    job = self._take(target)

    def stop(self) -> None:
        """Drop the jobs and kill the workers: an interruption waits for no training."""
        self.jobs.clear()
        for worker in self.alive:
            worker.kill()

    def _take(self, wanted: Target) -> TrainJob | None:
        with self.lock:
            jobs = [job for job in self.jobs if job.target == wanted] or self.jobs
            return self.jobs.pop(self.jobs.index(jobs[0])) if jobs else None

    def _keep(self, record: ReferenceRecord) -> None:
        tested = list(record.phases.values())[-1].tested
        with self.lock:
            reference.append(self.file, record)
            figures = ", ".join(f"{name} {value:.4f}" for name, value in tested.items())
            self.notice(f"{record.recipe} {record.backend} seed {record.seed}: test {figures}")


def _trained(job: TrainJob, worker: WorkerProcess, located: Located) -> ReferenceRecord:
    answer = worker.ask(Train(recipe=job.recipe.name, seed=job.seed, epochs=job.epochs, path=job.path))
    phases = {name: _rounded(phase) for name, phase in train.finished(answer).items()}
    return ReferenceRecord(**job.circumstances(worker, located), phases=phases)


def _rounded(result: FinishedPhase) -> FinishedPhase:
    """Keep five decimals: a review is 4e-5 of accuracy, and the file stays small enough to read."""
    rounded = {name: round(value, 5) for name, value in result.test.items()}
    return FinishedPhase(
        curves={name: [round(value, 5) for value in values] for name, values in result.curves.items()},
        epoch_s=[round(value, 3) for value in result.epoch_s],
        test_accuracy=None if result.test_accuracy is None else round(result.test_accuracy, 5),
        test_loss=round(result.test_loss, 5),
        test=rounded,
    )
