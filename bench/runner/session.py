"""A session: start the workers of a pass, do its steps and hand on each record."""

from __future__ import annotations

import os
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from math import ceil
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol, TypeVar

from pydantic import BaseModel, Field

from bench import protocol
from bench.analysis import stats
from bench.plan import steps as plan
from bench.plan import targets
from bench.plan.steps import (
    BaselineTraining,
    Counting,
    Exporting,
    ParityCheck,
    Profile,
    Serving,
    Startup,
    Step,
    Timing,
    Training,
)
from bench.plan.targets import Target
from bench.protocol import Export, Hello, Json, Learn, Message, Parity, Peer, Release, Train
from bench.records import identity, nvml
from bench.records.nvml import GpuState
from bench.records.schema import (
    BaselineRecord,
    Cell,
    CounterRecord,
    ExportsRecord,
    FailureRecord,
    GpuRecord,
    ParityRecord,
    PeaksRecord,
    Sample,
    ServingRecord,
    TargetFacts,
    TargetRecord,
    TimingRecord,
    TrainingRecord,
)
from bench.runner import affinity, interleave, scratch
from bench.runner.affinity import Cores
from bench.runner.process import NotSupported, WorkerLost, WorkFailed, parsed, running
from models.recipes import Recipe

# After this many lost workers a target is given up: its remaining work fails with the last reason.
RESTARTS = 4
# After ending so many workers of a target a user's recipe has no more of them; these count for no other recipe.
ENDED = 2

PARITY_STEPS = 10
PARITY_REVIEWS = 1_000


Parsed = TypeVar("Parsed")

# Returns the scores of the same texts by saved models under a backend.
Serve = Callable[[Sequence[Path], str], list[list[float]]]


def _no_serving(_models: Sequence[Path], backend: str) -> list[list[float]]:
    raise WorkFailed(f"this session serves nothing on {backend}")


class Worker(Protocol):
    """A worker as the session sees it; `WorkerProcess` is the real one."""

    @property
    def hello(self) -> Hello: ...
    def ask(self, request: Message, progress: Callable[[Json], None] = ...) -> Json: ...
    def confine(self, processors: set[int]) -> None: ...
    def processor_s(self) -> float: ...
    def close(self) -> None: ...
    def kill(self) -> None: ...


class Watcher(Protocol):
    """Follows a session; called only while no clock runs."""

    def begin(self, step: Step) -> None: ...
    def starting(self, target: Target) -> None: ...
    def progress(self, values: Json) -> None: ...
    def failed(self, record: FailureRecord) -> None: ...


@dataclass(eq=False)
class WorkerSlot:
    """The worker of a target and of those that it hosts, or why there is none.

    ended  why users' recipes lost workers, by the recipe: their code may end its process
    """

    target: Target
    worker: Worker | None = None
    losses: int = 0
    reason: str = ""
    ended: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def refused(self, recipe: Recipe) -> str:
        """Return why ``recipe`` has no more workers; nothing where it has."""
        reasons = self.ended.get(recipe.name, [])
        return f"{recipe.name} ended {ENDED} workers, the last time: {reasons[-1]}" if len(reasons) >= ENDED else ""


@dataclass
class Session:
    """One pass of a run: ``start`` begins a worker, ``keep`` stores records before the next step starts.

    peaks    measure the machine's peaks first
    serve    scores text with saved models under a backend
    cores    confines workers while they are timed
    lengths  of blocks, as found by earlier passes
    start_cold  begins a worker whose first calls are reported: it compiles all by itself; ``start`` if None
    gpus     returns the state of each GPU
    """

    profile: Profile
    start: Callable[[Target], Worker]
    keep: Callable[..., None]
    watch: Watcher
    order: random.Random
    peaks: bool = False
    serve: Serve = _no_serving
    cores: Cores | None = None
    lengths: dict[Cell, tuple[int, ...]] = field(default_factory=dict)
    start_cold: Callable[[Target], Worker] | None = None
    gpus: Callable[[], list[GpuState]] = nvml.states
    slots: dict[str, WorkerSlot] = field(default_factory=dict)
    interrupted: bool = False

    def run(self, steps: Sequence[Step], targets: Sequence[Target] = ()) -> None:
        """Start a worker for each target of ``steps``, and for ``targets``, do every step and always end the workers.

        They end at once where the session is interrupted.
        """
        every = [*targets, *(target for step in steps for target in step.targets)]
        own = {target.process.name: WorkerSlot(target.process) for target in every}
        self.slots = own | {target.name: own[target.process.name] for target in every}
        with self._killed_if_interrupted():
            self._start_all()
            if self.peaks:
                self._measure_peaks()
            for group in plan.together(steps):
                self._do(group)
        for slot in self._processes:
            if slot.worker is not None:
                slot.worker.close()

    @property
    def _processes(self) -> list[WorkerSlot]:
        """The slots, each once."""
        return list(dict.fromkeys(self.slots.values()))

    def _do(self, group: Sequence[Step]) -> None:
        """Do steps that belong together: several of timing or of training, one of any other kind."""
        timings = [step for step in group if isinstance(step, Timing)]
        trainings = [step for step in group if isinstance(step, Training)]
        if timings:
            self._time(timings)
        elif trainings:
            self._train_all(trainings)
        else:
            self._do_one(group[0])

    def _do_one(self, step: Step) -> None:
        self.watch.begin(step)
        match step:
            case Startup():
                self._time_startup(step)
            case Counting():
                self._count(step)
            case BaselineTraining():
                self._train_baseline(step)
            case Serving():
                self._serve(step)
            case Exporting():
                self._export(step)
            case ParityCheck():
                self._compare(step)

    def _ask(
        self, step: Step, target: str, worker: Worker, request: Message, read: Callable[[Json], Parsed]
    ) -> Parsed | None:
        """Return what ``read`` makes of the worker's answer; None, and the failure kept, if it has none that fits."""
        try:
            answer = worker.ask(request, lambda values: self.watch.progress({**values, "target": target}))
            return parsed(lambda: read(answer))
        except WorkFailed as error:
            self._fail(step, target, error)
            return None

    def _train_all(self, group: Sequence[Training]) -> None:
        """Train ``group`` side by side, each on a share of the processors, or a single one on all of them."""
        shares = affinity.shares(len(group))
        with ThreadPoolExecutor(len(group) if all(shares) else 1) as pool, self._killed_if_interrupted():
            for step in group:
                self.watch.begin(step)
            done = [pool.submit(self._train, step, share) for step, share in zip(group, shares, strict=True)]
            for one in done:
                one.result()

    def _train(self, step: Training, processors: set[int] | None) -> None:
        """Train on ``processors``, or on every one where that is None."""
        recipe, request = step.recipe.name, Train(step.recipe.name, step.seed, step.epochs, step.path)
        for name, worker in self._workers(step).items():
            if processors:
                worker.confine(processors)
            read = partial(
                _training,
                recipe=recipe,
                target=name,
                seed=step.seed,
                path=step.path,
                processors=len(processors) if processors else None,
            )
            record = self._ask(step, name, worker, request, read)
            if record is not None:
                self.keep(record)
            if processors:
                worker.confine(affinity.usable())

    def _time(self, group: Sequence[Timing]) -> None:
        """Time the cells of ``group``; their records are kept in one piece, since they belong to one moment.

        Where a worker is lost while blocks run, each step is timed again by itself, so that it costs one step.
        """
        step_of = {cell: step for step in group for cell in step.cells}

        def drop(runner: interleave.CellRunner, error: WorkFailed) -> None:
            slot = self.slots[runner.cell.target]
            if len(group) > 1 and isinstance(error, WorkerLost):
                if slot.worker is runner.worker:
                    self._lose(slot, error, step_of[runner.cell].recipe)
                raise error
            self._fail(step_of[runner.cell], runner.cell.target, error, cell=runner.cell)

        try:
            finished, gpus = self._blocks(group, drop)
        except WorkerLost:
            self._release_all(group)
            for step in group:
                self._time([step])
            return
        self.lengths |= {runner.cell: runner.lengths for runner in finished}
        self.keep(*gpus, *self._timed(finished, group[0].replicate, drop))
        self._release_all(group)

    def _blocks(
        self, group: Sequence[Timing], drop: interleave.Drop
    ) -> tuple[list[interleave.CellRunner], list[GpuRecord]]:
        """Prepare every cell, warm it up and run its blocks; return those that did not fail, and the GPUs' states."""
        prepared = self._prepare_all(group)
        self._confine(group, timed=True)
        try:
            steps = [self._warmed_up(step, prepared, drop) for step in group]
            before = self._gpu_states(group)
            finished = interleave.take_turns(steps, order=self.order, drop=drop)
            after = self._gpu_states(group)
        finally:
            self._confine(group, timed=False)

        gpus = [GpuRecord(replicate=group[0].replicate, before=before, after=after)] if before else []
        return finished, gpus

    def _gpu_states(self, group: Sequence[Timing]) -> list[GpuState]:
        """Return the state of each GPU, where a target of ``group`` runs on one."""
        return self.gpus() if any(target.device == "gpu" for target in _targets(group)) else []

    def _warmed_up(
        self, step: Timing, prepared: Sequence[interleave.CellRunner], drop: interleave.Drop
    ) -> interleave.StepCells:
        """Warm up the cells of ``step`` and say how many turns they take; a gate's many short ones are not repeated."""
        self.watch.begin(step)
        cells = step.cells
        runners = interleave.warmed_up([runner for runner in prepared if runner.cell in cells], drop=drop)
        turns = step.turns or self.profile.turns
        extra = 0 if step.turns else ceil(interleave.RETAKEN_SHARE * turns)
        rare = [runner for runner in runners if runner.cell.target in {target.name for target in step.rare}]
        return interleave.StepCells(runners, turns, self.profile.calls if step.latency else None, extra, rare)

    def _timed(
        self, finished: Sequence[interleave.CellRunner], replicate: int, drop: interleave.Drop
    ) -> Iterator[TimingRecord]:
        for runner in finished:
            try:
                yield runner.record(replicate)
            except WorkFailed as error:
                drop(runner, error)

    def _confine(self, group: Sequence[Timing], *, timed: bool) -> None:
        for worker in (self.slots[target.name].worker for target in _processes(group)):
            if self.cores is not None and worker is not None:
                worker.confine(self.cores.timed if timed else self.cores.every)

    def _prepare_all(self, group: Sequence[Timing]) -> list[interleave.CellRunner]:
        """Prepare every cell: one target after another in the first replicate, whose first calls are reported.

        Later replicates prepare targets in parallel, since compiling takes longer than all blocks.
        """
        alone = [step for step in group if not step.side_by_side]
        beside = [step for step in group if step.side_by_side]
        return [*self._prepare_by(1, alone), *self._prepare_by(os.cpu_count() or 1, beside)]

    def _prepare_by(self, threads: int, group: Sequence[Timing]) -> list[interleave.CellRunner]:
        """Prepare every cell of ``group``, so many targets at a time."""
        with ThreadPoolExecutor(threads) as pool, self._killed_if_interrupted():
            found = [*pool.map(lambda process: self._prepare_process(group, process), _processes(group))]
        return [runner for runners in found for runner in runners]

    def _prepare_process(self, group: Sequence[Timing], process: Target) -> list[interleave.CellRunner]:
        """Prepare every cell of ``process`` and what it hosts; a lost worker costs one, a new one prepares the rest."""
        hosted = {target.name: target for target in _targets(group) if target.process == process}
        cells = [(step, cell) for step in group for cell in step.cells if cell.target in hosted]
        several = len({step.recipe.name for step in group}) > 1
        while cells := [(step, cell) for step, cell in cells if not self._refuse(step, hosted[cell.target], cell)]:
            worker = self._worker(process, cells)
            if worker is None:
                return []
            runners: list[interleave.CellRunner] = []
            for step, cell in [*cells]:
                try:
                    runners.append(self._prepare(step, cell, worker, hosted[cell.target], several=several))
                except WorkFailed as error:
                    cells.remove((step, cell))
                    self._fail(step, cell.target, error, cell=cell)
                    if isinstance(error, WorkerLost):
                        break
            else:
                return runners
        return []

    def _prepare(
        self, step: Timing, cell: Cell, worker: Worker, target: Target, *, several: bool
    ) -> interleave.CellRunner:
        """Prepare ``cell``; its blocks keep their length where those of all cells that it is compared with are known.

        Else a target that joins later would run shorter or longer blocks than those found in another minute.
        """
        known = all(other in self.lengths for other in step.cells if other.path == cell.path)
        return interleave.prepare(
            cell,
            worker,
            extra_work=target.extra_work,
            variation=target.variation,
            lengths=self.lengths[cell] if known else (1,),
            block_s=(cell.phase == "train" and self.profile.block_s) or interleave.BLOCK_S,
            slope_s=self.profile.slope_s,
            several=several,
        )

    def _release_all(self, group: Sequence[Timing]) -> None:
        for process in _processes(group):
            self._release(process)

    def _release(self, target: Target) -> None:
        worker = self.slots[target.name].worker
        if worker is None:
            return
        try:
            worker.ask(Release())
        except WorkFailed as error:  # nothing is lost but the worker
            self._lose(self.slots[target.name], error)

    def _count(self, step: Counting) -> None:
        """Count on every target in parallel: counts do not depend on load."""
        workers = self._workers(step)
        request = protocol.Count(step.recipe.name, step.phase, step.path, step.batch_size)
        cells = [cell for cell in step.cells if cell.target in workers]
        with ThreadPoolExecutor(max(1, len(cells))) as pool, self._killed_if_interrupted():
            asked = [(cell, pool.submit(workers[cell.target].ask, request)) for cell in cells]
            wait(counted for _, counted in asked)
        for cell, counted in asked:
            try:
                self.keep(parsed(partial(_counters, cell, counted)))
            except WorkFailed as error:
                self._fail(step, cell.target, error)

    def _measure_peaks(self) -> None:
        """Measure the peaks of each target, before any other work."""
        for slot in self._processes:
            if slot.worker is None or not slot.target.trains:
                continue
            try:
                answer = slot.worker.ask(protocol.Peaks())
                self.keep(parsed(partial(_peaks, slot.target.name, answer)))
            except WorkFailed as error:
                self._lose(slot, error)
                lost = [identity.peaks(slot.target.name)]
                self._keep_failure("machine", slot.target.name, "peaks", str(error), lost)

    def _time_startup(self, step: Startup) -> None:
        """Time the first build, step and prediction of each target's process, one target after another."""
        if step.fresh:
            for target in step.targets:
                self.keep(*self._started(step, target))
        else:  # compared with each other, so they are kept in one piece
            self.keep(*[record for target in step.targets for record in self._first_work(step, target)])

    def _started(self, step: Startup, target: Target) -> list[TimingRecord]:
        """Return what one more process of ``target`` does first."""
        try:
            with running((self.start_cold or self.start)(target)) as worker:
                return _startup_records(step, target, worker)
        except WorkFailed as error:
            self._keep_lost(step, target.name, str(error), None)
            return []

    def _first_work(self, step: Startup, target: Target) -> list[TimingRecord]:
        """Return what the pass's own process of ``target`` does first, on the core of what is timed."""
        worker = None if self._refuse(step, target) else self._worker(target, [(step, None)])
        if worker is None:
            return []
        try:
            if self.cores is not None:
                worker.confine(self.cores.timed)
            found = _startup_records(step, target, worker)
            if self.cores is not None:
                worker.confine(self.cores.every)
            return found
        except WorkFailed as error:
            self._fail(step, target.name, error)
            return []

    def _compare(self, step: ParityCheck) -> None:
        workers = self._workers(step)
        if len(workers) < len(step.targets):
            for name in workers:
                self._fail(step, name, WorkFailed("the other target has no worker to compare with"))
            return
        with scratch.folder() as folder:
            answers = self._ask_parity(step, workers, folder / "parity.weights.h5")
        if len(answers) < len(workers):
            return
        try:
            self.keep(parsed(lambda: _parity(step, *answers)))
        except WorkFailed as error:
            self._fail(step, step.targets[1].name, error)

    def _train_baseline(self, step: BaselineTraining) -> None:
        for name, worker in self._workers(step).items():
            read = partial(_baseline, step, name)
            record = self._ask(step, name, worker, Peer(step.recipe.name, step.baseline), read)
            if record is not None:
                self.keep(record)

    def _export(self, step: Exporting) -> None:
        """Let the worker train, export its model and start each format; both records are kept in one piece."""
        one = step.training
        request = Export(step.recipe.name, one.seed, one.epochs, one.path, list(step.served_on))
        for name, worker in self._workers(step).items():
            records = self._ask(step, name, worker, request, partial(_exported, one, name))
            if records is not None:
                self.keep(*records)

    def _serve(self, step: Serving) -> None:
        """Let each worker save a model, then every backend score the same text with all models."""
        with scratch.folder() as folder:
            models: dict[str, Path] = {}
            for name, worker in self._workers(step).items():
                file = folder / f"{name}.keras"
                request = Learn(step.recipe.name, 0, step.epochs, "compiled loop", str(file))
                if self._ask(step, name, worker, request, dict) is not None:
                    models[name] = file
            self._serve_saved(step, models)

    def _serve_saved(self, step: Serving, models: dict[str, Path]) -> None:
        scores: dict[str, dict[str, list[float]]] = {}
        for backend in targets.installed_serving_backends() if models else ():
            try:
                scores[backend] = dict(zip(models, self.serve([*models.values()], backend), strict=True))
            except WorkFailed as error:
                for name in models:
                    lost = [identity.serving(step.recipe.name, name, backend)]
                    self._keep_failure(step.recipe.name, name, f"serving on {backend}", str(error), lost)
        for name in models:
            own = scores.get(self.slots[name].target.backend)
            if own is None:
                continue
            for backend, found in scores.items():
                self.keep(_served(step.recipe.name, name, backend, own[name], found[name]))

    def _ask_parity(self, step: ParityCheck, workers: dict[str, Worker], weights: Path) -> list[Outputs]:
        answers: list[Outputs] = []
        for name, worker in workers.items():
            steps = PARITY_STEPS if all(target.trains for target in step.targets) else 0
            request = Parity(step.recipe.name, str(weights), not answers, steps, PARITY_REVIEWS)
            answer = self._ask(step, name, worker, request, Outputs.model_validate)
            if answer is None:
                break
            answers.append(answer)
        return answers

    def _workers(
        self, step: Training | Counting | ParityCheck | BaselineTraining | Serving | Exporting
    ) -> dict[str, Worker]:
        wanted = [target for target in step.targets if not self._refuse(step, target)]
        found = {target.name: self._worker(target, [(step, None)]) for target in wanted}
        return {name: worker for name, worker in found.items() if worker is not None}

    def _worker(self, target: Target, work: Sequence[tuple[Step, Cell | None]]) -> Worker | None:
        """Return the target's worker, restarted if it was lost; without one keep the failure of ``work``, return None.

        Work is a step, or one cell of a step that times.
        """
        slot = self.slots[target.name]
        if slot.worker is None and slot.reason and slot.losses < RESTARTS:
            self._begin(slot)
            self._greet(slot)
        if slot.worker is None:
            for step, cell in work:
                self._keep_lost(step, cell.target if cell else target.name, slot.reason, cell)
        return slot.worker

    def _refuse(self, step: Step, target: Target, cell: Cell | None = None) -> bool:
        """Return whether the recipe of ``step`` has no more workers of ``target``, and keep the failure of its work."""
        reason = self.slots[target.name].refused(step.recipe)
        if reason:
            self._keep_lost(step, target.name, reason, cell)
        return bool(reason)

    def _start_all(self) -> None:
        """Start all workers, then wait for each: importing a framework takes seconds, and nothing is timed yet."""
        for slot in self._processes:
            self._begin(slot)
        for slot in self._processes:
            self._greet(slot)

    def _begin(self, slot: WorkerSlot) -> None:
        self.watch.starting(slot.target)
        try:
            slot.worker = self.start(slot.target)
        except WorkFailed as error:
            self._give_up(slot, error)
        if self.interrupted and slot.worker is not None:  # meanwhile, in the thread that waits for nobody
            slot.worker.kill()
            self._give_up(slot, WorkerLost("the session was interrupted"))

    def _greet(self, slot: WorkerSlot) -> None:
        """Wait for a worker's greeting and keep it."""
        if slot.worker is None:
            return
        try:
            hello = slot.worker.hello
            mine = [name for name, other in self.slots.items() if other is slot]
            self.keep(*parsed(lambda: [TargetRecord(target=name, facts=_facts(hello)) for name in mine]))
        except WorkFailed as error:
            slot.worker.kill()
            self._give_up(slot, error)

    def _give_up(self, slot: WorkerSlot, error: WorkFailed) -> None:
        """Note that a target has no worker: one that did not start once will not start later."""
        slot.worker, slot.losses, slot.reason = None, RESTARTS, str(error)

    def _fail(self, step: Step, target: str, error: WorkFailed, *, cell: Cell | None = None) -> None:
        self._lose(self.slots[target], error, step.recipe)
        self._keep_lost(step, target, str(error), cell, unsupported=isinstance(error, NotSupported))

    def _keep_lost(self, step: Step, target: str, reason: str, cell: Cell | None, *, unsupported: bool = False) -> None:
        """Keep the failure of ``cell``, or of all that ``step`` does on ``target``."""
        lost = [identity.timing(cell, plan.replicate([step]))] if cell else plan.identities(step, target)
        work = cell.operation if cell else step.name
        self._keep_failure(step.recipe.name, target, work, reason, lost, unsupported=unsupported)

    def _lose(self, slot: WorkerSlot, error: WorkFailed, recipe: Recipe | None = None) -> None:
        """Note that a worker is gone, which is the loss of a user's ``recipe``, or of the target."""
        if not isinstance(error, WorkerLost) or slot.worker is None:  # its other cells fail too: that is one loss
            return
        slot.worker, slot.reason = None, str(error)
        if recipe is not None and recipe.family == "own":
            slot.ended[recipe.name].append(slot.reason)
        else:
            slot.losses += 1

    def _keep_failure(
        self, recipe: str, target: str, work: str, reason: str, lost: list[str], *, unsupported: bool = False
    ) -> None:
        record = FailureRecord(
            recipe=recipe,
            target=target,
            work=work,
            reason=reason,
            log=f"logs/{self.slots[target].target.name}.log",
            lost=lost,
            unsupported=unsupported,
        )
        self.keep(record)
        self.watch.failed(record)

    @contextmanager
    def _killed_if_interrupted(self) -> Iterator[None]:
        """Kill every worker where an exception ends the session: nothing then waits for its work."""
        try:
            yield
        except BaseException:
            self.interrupted = True
            for slot in self._processes:
                slot.losses = RESTARTS  # a thread that waited for it must not start another
                if slot.worker is not None:
                    slot.worker.kill()
            raise


def _processes(group: Sequence[Timing]) -> list[Target]:
    """Return the targets whose processes time ``group``, each once."""
    return list(dict.fromkeys(target.process for target in _targets(group)))


def _targets(group: Sequence[Timing]) -> list[Target]:
    """Return the targets of ``group``, each once."""
    return list(dict.fromkeys(target for step in group for target in step.targets))


class Outputs(BaseModel):
    """What a worker answers to `Parity`: probabilities of reviews, the losses of the first steps, what parts them."""

    predictions: Annotated[list[float], Field(min_length=1)]
    losses: list[float]
    parts: Literal["", "embedding", "random"] = ""


def _training(answer: Json, **fields: Any) -> TrainingRecord:
    return TrainingRecord(**fields, phases=answer["phases"])


def _exported(step: Training, target: str, answer: Json) -> tuple[TrainingRecord, ExportsRecord]:
    trained = _training(answer, recipe=step.recipe.name, target=target, seed=step.seed, path=step.path)
    return trained, ExportsRecord(recipe=step.recipe.name, target=target, **answer["exports"])


def _counters(cell: Cell, counted: Future[Json]) -> CounterRecord:
    answer = counted.result()
    functions = answer.get("functions", {})  # a worker of an older checkout tells none
    return CounterRecord(
        cell=cell, counters={name: answer[name] for name in answer if name != "functions"}, functions=functions
    )


def _peaks(target: str, answer: Json) -> PeaksRecord:
    return PeaksRecord(target=target, **answer)


def _baseline(step: BaselineTraining, target: str, answer: Json) -> BaselineRecord:
    return BaselineRecord(recipe=step.recipe.name, target=target, name=step.baseline, **answer)


def _startup_records(step: Startup, target: Target, worker: Worker) -> list[TimingRecord]:
    """Return the records of operations that a process does only once; WorkFailed where it gives none."""
    seconds = worker.ask(protocol.Startup(recipe=step.recipe.name))["seconds"]
    return [
        parsed(partial(_started_once, cell, step.replicate, seconds)) for cell in plan.startup_cells(step, target.name)
    ]


def _started_once(cell: Cell, replicate: int, seconds: Json) -> TimingRecord:
    return TimingRecord(
        cell=cell,
        replicate=replicate,
        first_call_s=seconds[cell.path],
        samples=[Sample(repeats=1, duration_s=seconds[cell.path])],
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


def _parity(step: ParityCheck, first: Outputs, second: Outputs) -> ParityRecord:
    """Compare two targets' answers: predictions by the largest one, losses relative to the first target's."""
    pairs = zip(first.predictions, second.predictions, strict=True)
    scale = max(1.0, stats.largest([abs(value) for value in first.predictions]))  # one, of probabilities
    losses = zip(first.losses, second.losses, strict=True)
    return ParityRecord(
        recipe=step.recipe.name,
        targets=(step.targets[0].name, step.targets[1].name),
        reviews=len(first.predictions),
        steps=len(first.losses),
        prediction_difference=stats.largest([abs(a - b) for a, b in pairs]) / scale,
        loss_differences=[_relative_difference(a, b) for a, b in losses],
        parts=first.parts or second.parts,
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
