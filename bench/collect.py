"""The collection of reference trainings: recipes over seeds, a processor for each backend; it judges nothing."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

from bench import machine, reference
from bench.process import WorkerProcess
from bench.protocol import Json, Train
from bench.record import PhaseResult, ReferenceRecord
from bench.targets import Target
from models.recipes import Recipe

Notice = Callable[[str], None]


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

    ``corpus`` is its name, digest and folder. Accuracy needs no quiet machine, so the targets work side by side;
    each has one processor of its own, which wastes less than two sharing both.
    """
    done = {(r.recipe, r.backend, r.seed) for r in reference.load(file)}
    lock = threading.Lock()

    def serve(target: Target, processor: int) -> None:
        wanted = [
            (recipe, seed)
            for recipe in recipes
            for seed in range(seeds[recipe.name])
            if (recipe.name, target.backend, seed) not in done
        ]
        if not wanted:
            return
        worker = WorkerProcess(target, corpus=corpus[2], log=logs / f"{target.name}.log", processors={processor})
        try:
            for recipe, seed in wanted:
                record = _train(worker, recipe, seed, corpus=corpus)
                with lock:
                    reference.append(file, record)
                    notice(_line(record))
        finally:
            worker.close()

    with ThreadPoolExecutor(len(targets)) as pool:
        for done_job in [
            pool.submit(serve, target, core) for target, core in zip(targets, _processors(), strict=False)
        ]:
            done_job.result()


def _processors() -> Iterator[int]:
    """Yield the processors that this process may use, round and round."""
    available = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
    for _, processor in product(range(64), available):
        yield processor


def _train(worker: WorkerProcess, recipe: Recipe, seed: int, *, corpus: tuple[str, str, Path]) -> ReferenceRecord:
    epochs: dict[str, int] = {phase.name: phase.epochs for phase in recipe.phases}
    answer: Json = worker.ask(Train(recipe=recipe.name, seed=seed, epochs=epochs))
    return ReferenceRecord(
        recipe=recipe.name,
        backend=worker.target.backend,
        seed=seed,
        corpus=corpus[0],
        corpus_digest=corpus[1],
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=machine.machine().title,
        versions=worker.hello.versions,
        phases={name: _rounded(PhaseResult.model_validate(result)) for name, result in answer["phases"].items()},
    )


def _rounded(result: PhaseResult) -> PhaseResult:
    """Keep five decimals: a review is 4e-5 of accuracy, and the file stays small enough to read."""
    return PhaseResult(
        curves={name: [round(value, 5) for value in values] for name, values in result.curves.items()},
        epoch_s=[round(value, 3) for value in result.epoch_s],
        test_accuracy=round(result.test_accuracy, 5),
        test_loss=round(result.test_loss, 5),
    )


def _line(record: ReferenceRecord) -> str:
    last = list(record.phases.values())[-1]
    return f"{record.recipe} {record.backend} seed {record.seed}: test accuracy {last.test_accuracy:.4f}"
