"""A session: start the workers of a pass, do its steps and hand on each record."""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from bench import protocol
from bench.analysis import stats
from bench.plan import steps, targets
from bench.plan.steps import BaselineTraining, Counting, ParityCheck, Profile, Serving, Startup, Step, Timing, Training
from bench.plan.targets import Target
from bench.protocol import Hello, Json, Learn, Message, Parity, Peer, Release, Train
from bench.records.schema import (
    BaselineRecord,
    Cell,
    CounterRecord,
    FailureRecord,
    ParityRecord,
    PeaksRecord,
    PhaseResult,
    Record,
    Sample,
    ServingRecord,
    TargetFacts,
    TargetRecord,
    TimingRecord,
    TrainingRecord,
)
from bench.runner import interleave
from bench.runner.affinity import Cores
from bench.runner.process import WorkerLost, WorkFailed

# After this many lost workers a target is given up: its remaining work fails with the last reason.
RESTARTS = 3

PARITY_STEPS = 10
PARITY_REVIEWS = 1_000


# Returns the scores of the same texts by saved models under a backend.
Serve = Callable[[Sequence[Path], str], list[list[float]]]


def _no_serving(_models: Sequence[Path], backend: str) -> list[list[float]]:
    raise WorkFailed(f"this session serves nothing on {backend}")


class Worker(Protocol):
    """A worker as the session sees it; `WorkerProcess` is the real one."""

    hello: Hello

    def ask(self, request: Message, progress: Callable[[Json], None] = ...) -> Json: ...
    def confine(self, processors: set[int]) -> None: ...
    def close(self) -> None: ...
    def kill(self) -> None: ...


class Watcher(Protocol):
    """Follows a session; called only while no clock runs."""

    def begin(self, step: Step) -> None: ...
    def starting(self, target: Target) -> None: ...
    def progress(self, values: Json) -> None: ...
    def failed(self, record: FailureRecord) -> None: ...


@dataclass
class WorkerSlot:
    """A target's worker, or why there is none."""

    target: Target
    worker: Worker | None = None
    losses: int = 0
    reason: str = ""


@dataclass
class Session:
    """One pass of a run: ``start`` makes a worker, ``keep`` stores a record before the next step starts.

    peaks    measure the machine's peaks first
    serve    scores text with saved models under a backend
    cores    confines workers while they are timed
    lengths  of blocks, as found by earlier passes
    """

    profile: Profile
    start: Callable[[Target], Worker]
    keep: Callable[[Record], None]
    watch: Watcher
    order: random.Random
    peaks: bool = False
    serve: Serve = _no_serving
    cores: Cores | None = None
    lengths: dict[Cell, tuple[int, ...]] = field(default_factory=dict)
    slots: dict[str, WorkerSlot] = field(default_factory=dict)

    def run(self, steps: Sequence[Step]) -> None:
        """Start a worker for each target of ``steps``, do every step and always end the workers."""
        self.slots = {target.name: WorkerSlot(target) for step in steps for target in step.targets}
        with ExitStack() as stack:
            stack.callback(self._end)
            self._start_all()
            if self.peaks:
                self._measure_peaks()
            for step in steps:
                self.watch.begin(step)
                self._do(step)

    def _do(self, step: Step) -> None:
        match step:
            case Startup():
                self._time_startup(step)
            case Timing():
                self._time(step)
            case Training():
                self._train(step)
            case Counting():
                self._count(step)
            case BaselineTraining():
                self._train_baseline(step)
            case Serving():
                self._serve(step)
            case ParityCheck():
                self._compare(step)

    def _ask(self, step: Step, target: str, worker: Worker, request: Message) -> Json | None:
        """Return the answer of ``worker``; None, and its failure kept, if it has none."""
        try:
            return worker.ask(request, self.watch.progress)
        except WorkFailed as error:
            self._fail(step, target, error)
            return None

    def _train(self, step: Training) -> None:
        recipe, request = step.recipe.name, Train(step.recipe.name, step.seed, step.epochs, step.path)
        for name, worker in self._workers(step).items():
            answer = self._ask(step, name, worker, request)
            if answer is not None:
                phases = {phase: PhaseResult.model_validate(result) for phase, result in answer["phases"].items()}
                self.keep(TrainingRecord(recipe=recipe, target=name, seed=step.seed, path=step.path, phases=phases))

    def _time(self, step: Timing) -> None:
        def drop(runner: interleave.CellRunner, error: WorkFailed) -> None:
            self._fail(step, runner.cell.target, error, work=runner.cell.operation)

        prepared = self._prepare_all(step)
        self._confine(step, timed=True)
        finished = interleave.take_turns(
            interleave.warmed_up(prepared, drop=drop),
            turns=step.turns or self.profile.turns,
            calls=self.profile.calls if step.latency else None,
            order=self.order,
            drop=drop,
        )
        self._confine(step, timed=False)
        for runner in finished:
            self.keep(runner.record(step.replicate))
            self.lengths[runner.cell] = runner.lengths
        for target in step.targets:
            self._release(step, target)

    def _confine(self, step: Timing, *, timed: bool) -> None:
        for worker in (self.slots[target.name].worker for target in step.targets):
            if self.cores is not None and worker is not None:
                worker.confine(self.cores.timed if timed else self.cores.every)

    def _prepare_all(self, step: Timing) -> list[interleave.CellRunner]:
        """Prepare every cell: one target after another in the first replicate, whose first calls are reported.

        Later replicates prepare targets in parallel, since compiling takes longer than all blocks.
        """
        together = min(len(step.targets), os.cpu_count() or 1) if step.side_by_side else 1
        with ThreadPoolExecutor(together) as pool:
            found = [*pool.map(lambda target: self._prepare_target(step, target), step.targets)]
        return [runner for runners in found for runner in runners]

    def _prepare_target(self, step: Timing, target: Target) -> list[interleave.CellRunner]:
        """Prepare every cell of ``target``; a lost worker costs one cell, and a new one prepares the rest."""
        cells = [cell for cell in step.cells if cell.target == target.name]
        while cells:
            worker = self._worker(target, step, [cell.operation for cell in cells])
            if worker is None:
                return []
            runners: list[interleave.CellRunner] = []
            for cell in [*cells]:
                try:
                    runners.append(self._prepare(cell, worker, target))
                except WorkFailed as error:
                    cells.remove(cell)
                    self._fail(step, cell.target, error, work=cell.operation)
                    if isinstance(error, WorkerLost):
                        break
            else:
                return runners
        return []

    def _prepare(self, cell: Cell, worker: Worker, target: Target) -> interleave.CellRunner:
        return interleave.prepare(
            cell,
            worker,
            extra_work=target.extra_work,
            variation=target.variation,
            lengths=self.lengths.get(cell, (1,)),
            block_s=(cell.phase == "train" and self.profile.block_s) or interleave.BLOCK_S,
        )

    def _release(self, step: Timing, target: Target) -> None:
        worker = self.slots[target.name].worker
        if worker is not None:
            self._ask(step, target.name, worker, Release())

    def _count(self, step: Counting) -> None:
        """Count on every target in parallel: counts do not depend on load."""
        workers = self._workers(step)
        request = protocol.Count(step.recipe.name, step.phase, step.path, step.batch_size)
        cells = [cell for cell in step.cells if cell.target in workers]
        with ThreadPoolExecutor(max(1, len(cells))) as pool:
            asked = [(cell, pool.submit(workers[cell.target].ask, request)) for cell in cells]
        for cell, counted in asked:
            try:
                self.keep(CounterRecord(cell=cell, counters=counted.result()))
            except WorkFailed as error:
                self._fail(step, cell.target, error)

    def _measure_peaks(self) -> None:
        """Measure the peaks of each target, before any other work."""
        for slot in self.slots.values():
            if slot.worker is None:
                continue
            try:
                self.keep(PeaksRecord(target=slot.target.name, **slot.worker.ask(protocol.Peaks())))
            except WorkFailed as error:
                self._lose(slot, error)
                self._keep_failure("machine", slot.target.name, "peaks", str(error))

    def _time_startup(self, step: Startup) -> None:
        """Start one more process of each target, one after another, and time its first build, step and prediction."""
        for target in step.targets:
            try:
                with closing(self.start(target)) as worker:
                    answer = worker.ask(protocol.Startup(recipe=step.recipe.name))
            except WorkFailed as error:
                self._keep_failure(step.recipe.name, target.name, step.name, str(error))
                continue
            for cell in steps.startup_cells(step, target.name):
                self.keep(_startup_record(cell, step, answer["seconds"][cell.path]))

    def _compare(self, step: ParityCheck) -> None:
        workers = self._workers(step)
        if len(workers) < len(step.targets):
            for name in workers:
                self._fail(step, name, WorkFailed("the other target has no worker to compare with"))
            return
        with tempfile.TemporaryDirectory(prefix="kerasmark-") as folder:
            answers = self._ask_parity(step, workers, Path(folder) / "parity.weights.h5")
        if len(answers) == len(workers):
            self.keep(_parity(step, *answers))

    def _train_baseline(self, step: BaselineTraining) -> None:
        for name, worker in self._workers(step).items():
            answer = self._ask(step, name, worker, Peer(step.recipe.name, step.baseline))
            if answer is not None:
                self.keep(BaselineRecord(recipe=step.recipe.name, target=name, name=step.baseline, **answer))

    def _serve(self, step: Serving) -> None:
        """Let each worker save a model, then every backend score the same text with all models."""
        with tempfile.TemporaryDirectory(prefix="kerasmark-") as folder:
            models: dict[str, Path] = {}
            for name, worker in self._workers(step).items():
                file = Path(folder) / f"{name}.keras"
                request = Learn(step.recipe.name, 0, step.epochs, "compiled loop", str(file))
                if self._ask(step, name, worker, request) is not None:
                    models[name] = file
            self._serve_saved(step, models)

    def _serve_saved(self, step: Serving, models: dict[str, Path]) -> None:
        scores: dict[str, dict[str, list[float]]] = {}
        for backend in targets.installed_serving_backends() if models else ():
            try:
                scores[backend] = dict(zip(models, self.serve([*models.values()], backend), strict=True))
            except WorkFailed as error:
                for name in models:
                    self._keep_failure(step.recipe.name, name, f"serving on {backend}", str(error))
        for name in models:
            own = scores.get(self.slots[name].target.backend)
            if own is None:
                continue
            for backend, found in scores.items():
                self.keep(_served(step.recipe.name, name, backend, own[name], found[name]))

    def _ask_parity(self, step: ParityCheck, workers: dict[str, Worker], weights: Path) -> list[Json]:
        answers: list[Json] = []
        for name, worker in workers.items():
            request = Parity(step.recipe.name, str(weights), not answers, PARITY_STEPS, PARITY_REVIEWS)
            answer = self._ask(step, name, worker, request)
            if answer is None:
                break
            answers.append(answer)
        return answers

    def _workers(self, step: Training | Counting | ParityCheck | BaselineTraining | Serving) -> dict[str, Worker]:
        found = {target.name: self._worker(target, step, [step.name]) for target in step.targets}
        return {name: worker for name, worker in found.items() if worker is not None}

    def _worker(self, target: Target, step: Step, works: list[str]) -> Worker | None:
        """Return the target's worker, restarted if it was lost; without one keep failures of ``works``, return None."""
        slot = self.slots[target.name]
        if slot.worker is None and 0 < slot.losses < RESTARTS:
            self._restart(slot)
        if slot.worker is None:
            for work in works:
                self._keep_failure(step.recipe.name, target.name, work, slot.reason)
        return slot.worker

    def _start_all(self) -> None:
        """Start all workers in parallel: importing a framework takes seconds, and nothing is timed yet."""
        for slot in self.slots.values():
            self.watch.starting(slot.target)
        with ThreadPoolExecutor(max(1, len(self.slots))) as pool:
            starts = [(slot, pool.submit(self.start, slot.target)) for slot in self.slots.values()]
        for slot, started in starts:
            self._start_in(slot, started.result)

    def _restart(self, slot: WorkerSlot) -> None:
        self.watch.starting(slot.target)
        self._start_in(slot, lambda: self.start(slot.target))

    def _start_in(self, slot: WorkerSlot, start: Callable[[], Worker]) -> None:
        try:
            slot.worker = start()
        except WorkFailed as error:
            slot.losses, slot.reason = RESTARTS, str(error)  # a worker that did not start once will not start later
            return
        self.keep(TargetRecord(target=slot.target.name, facts=_facts(slot.worker.hello)))

    def _fail(self, step: Step, target: str, error: WorkFailed, *, work: str = "") -> None:
        self._lose(self.slots[target], error)
        self._keep_failure(step.recipe.name, target, work or step.name, str(error))

    def _lose(self, slot: WorkerSlot, error: WorkFailed) -> None:
        if isinstance(error, WorkerLost) and slot.worker is not None:  # its other cells fail too: that is one loss
            slot.worker, slot.losses, slot.reason = None, slot.losses + 1, str(error)

    def _keep_failure(self, recipe: str, target: str, work: str, reason: str) -> None:
        record = FailureRecord(recipe=recipe, target=target, work=work, reason=reason, log=f"logs/{target}.log")
        self.keep(record)
        self.watch.failed(record)

    def _end(self) -> None:
        for slot in self.slots.values():
            if slot.worker is not None:
                slot.worker.close()


def _startup_record(cell: Cell, step: Startup, duration_s: float) -> TimingRecord:
    """Return the record of an operation that a process does only once."""
    return TimingRecord(
        cell=cell,
        replicate=step.replicate,
        first_call_s=duration_s,
        samples=[Sample(repeats=1, duration_s=duration_s)],
        steady=True,
        work={},
        resolved={},
    )


def _facts(hello: Hello) -> TargetFacts:
    return TargetFacts(
        backend=hello.backend,
        device=hello.device,
        device_name=hello.device_name,
        versions=hello.versions,
        settings=hello.settings,
        import_s=hello.import_s,
    )


def _parity(step: ParityCheck, first: Json, second: Json) -> ParityRecord:
    """Compare two targets' answers: probabilities absolutely, losses relative to the first target's."""
    pairs = zip(first["predictions"], second["predictions"], strict=True)
    losses = zip(first["losses"], second["losses"], strict=True)
    return ParityRecord(
        recipe=step.recipe.name,
        targets=(step.targets[0].name, step.targets[1].name),
        reviews=len(first["predictions"]),
        steps=len(first["losses"]),
        prediction_difference=stats.largest([abs(a - b) for a, b in pairs]),
        loss_differences=[_relative_difference(a, b) for a, b in losses],
    )


def _served(recipe: str, target: str, backend: str, own: list[float], found: list[float]) -> ServingRecord:
    return ServingRecord(
        recipe=recipe,
        target=target,
        served_on=backend,
        reviews=len(found),
        prediction_difference=stats.largest([abs(a - b) for a, b in zip(own, found, strict=True)]),
    )


def _relative_difference(a: float, b: float) -> float:
    return 0.0 if a == b else abs(a - b) / max(abs(a), abs(b))
