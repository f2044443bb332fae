"""The session: it starts the workers, leads them through the plan and hands on each record; it judges nothing."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from bench import stats, turns
from bench.plan import ParityCheck, Profile, Step, Timing, Training
from bench.process import WorkerLost, WorkFailed
from bench.protocol import Hello, Json, Message, Parity, Release, Train
from bench.record import (
    Cell,
    FailureRecord,
    ParityRecord,
    PhaseResult,
    Record,
    TargetFacts,
    TargetRecord,
    TrainingRecord,
)
from bench.targets import Target

# A target whose worker was lost this often is given up: its remaining work fails with the last reason.
RESTARTS = 3

PARITY_STEPS = 10
PARITY_REVIEWS = 1_000


class Worker(Protocol):
    """A worker as the session sees it; `bench.process.WorkerProcess` is the real one."""

    hello: Hello

    def ask(self, request: Message, progress: Callable[[Json], None] = ...) -> Json: ...
    def close(self) -> None: ...
    def kill(self) -> None: ...


class Watcher(Protocol):
    """Who follows a session: told between clocks, never while one runs."""

    def begin(self, step: Step, position: int, total: int) -> None: ...
    def starting(self, target: Target) -> None: ...
    def progress(self, values: Json) -> None: ...
    def failed(self, record: FailureRecord) -> None: ...


@dataclass
class Seat:
    """A target's place in the session: its worker, or why there is none."""

    target: Target
    worker: Worker | None = None
    losses: int = 0
    reason: str = ""


@dataclass
class Session:
    """One run: ``start`` makes a worker, ``keep`` stores a record before the next step starts."""

    profile: Profile
    start: Callable[[Target], Worker]
    keep: Callable[[Record], None]
    watch: Watcher
    order: random.Random
    seats: dict[str, Seat] = field(default_factory=dict)

    def run(self, steps: Sequence[Step], targets: Iterable[Target]) -> None:
        """Start a worker for each target and do every step; the workers are ended whatever happens."""
        self.seats = {target.name: Seat(target) for target in targets}
        with ExitStack() as stack:
            stack.callback(self._end)
            self._start_all()
            for position, step in enumerate(steps):
                self.watch.begin(step, position, len(steps))
                self._do(step)

    def _do(self, step: Step) -> None:
        ready = {target.name: self._worker(target, step) for target in step.targets}
        workers = {name: worker for name, worker in ready.items() if worker is not None}
        if isinstance(step, Training):
            self._train(step, workers)
        elif isinstance(step, Timing):
            self._time(step, workers)
        else:
            self._compare(step, workers)

    def _train(self, step: Training, workers: dict[str, Worker]) -> None:
        for name, worker in workers.items():
            request = Train(recipe=step.recipe.name, seed=step.seed, epochs=step.epochs)
            try:
                answer = worker.ask(request, self.watch.progress)
            except WorkFailed as error:
                self._fail(step, name, error)
                continue
            phases = {phase: PhaseResult.model_validate(result) for phase, result in answer["phases"].items()}
            self.keep(TrainingRecord(recipe=step.recipe.name, target=name, seed=step.seed, phases=phases))

    def _time(self, step: Timing, workers: dict[str, Worker]) -> None:
        players = []
        for name, worker in workers.items():
            try:
                players.append(turns.prepare(step, _cell(step, name), worker))
            except WorkFailed as error:
                self._fail(step, name, error)
        finished = turns.take_turns(
            players,
            turns=self.profile.turns,
            calls=self.profile.calls if step.latency else None,
            order=self.order,
            drop=lambda player, error: self._fail(step, player.cell.target, error),
        )
        for player in finished:
            self.keep(player.record(replicate=0))
            self._release(step, player)

    def _release(self, step: Timing, player: turns.Player) -> None:
        try:
            player.worker.ask(Release())
        except WorkFailed as error:
            self._fail(step, player.cell.target, error)

    def _compare(self, step: ParityCheck, workers: dict[str, Worker]) -> None:
        if len(workers) < len(step.targets):
            for name in workers:
                self._fail(step, name, WorkFailed("the other target has no worker to compare with"))
            return
        with tempfile.TemporaryDirectory(prefix="kerasmark-") as folder:
            answers = self._ask_parity(step, workers, Path(folder) / "parity.weights.h5")
        if len(answers) == len(workers):
            self.keep(_parity(step, *answers))

    def _ask_parity(self, step: ParityCheck, workers: dict[str, Worker], weights: Path) -> list[Json]:
        answers: list[Json] = []
        for name, worker in workers.items():
            request = Parity(step.recipe.name, str(weights), not answers, PARITY_STEPS, PARITY_REVIEWS)
            try:
                answers.append(worker.ask(request))
            except WorkFailed as error:
                self._fail(step, name, error)
                break
        return answers

    def _worker(self, target: Target, step: Step) -> Worker | None:
        """Return the target's worker, started anew where it was lost; None, and a failure kept, where it has none."""
        seat = self.seats[target.name]
        if seat.worker is None and 0 < seat.losses < RESTARTS:
            self._restart(seat)
        if seat.worker is None:
            self._keep_failure(step, target.name, seat.reason)
        return seat.worker

    def _start_all(self) -> None:
        """Start every target's worker side by side: importing a framework takes seconds and nothing is timed yet."""
        for seat in self.seats.values():
            self.watch.starting(seat.target)
        with ThreadPoolExecutor(max(1, len(self.seats))) as pool:
            starts = [(seat, pool.submit(self.start, seat.target)) for seat in self.seats.values()]
        for seat, started in starts:
            self._seat(seat, started.result)

    def _restart(self, seat: Seat) -> None:
        self.watch.starting(seat.target)
        self._seat(seat, lambda: self.start(seat.target))

    def _seat(self, seat: Seat, start: Callable[[], Worker]) -> None:
        try:
            seat.worker = start()
        except WorkFailed as error:
            seat.losses, seat.reason = RESTARTS, str(error)  # what could not start once will not start again
            return
        self.keep(TargetRecord(target=seat.target.name, facts=_facts(seat.worker.hello)))

    def _fail(self, step: Step, target: str, error: WorkFailed) -> None:
        if isinstance(error, WorkerLost):
            seat = self.seats[target]
            seat.worker, seat.losses, seat.reason = None, seat.losses + 1, str(error)
        self._keep_failure(step, target, str(error))

    def _keep_failure(self, step: Step, target: str, reason: str) -> None:
        record = FailureRecord(
            recipe=step.recipe.name, target=target, work=step.name, reason=reason, log=f"logs/{target}.log"
        )
        self.keep(record)
        self.watch.failed(record)

    def _end(self) -> None:
        for seat in self.seats.values():
            if seat.worker is not None:
                seat.worker.close()


def _cell(step: Timing, target: str) -> Cell:
    return Cell(recipe=step.recipe.name, phase=step.phase, path=step.path, batch_size=step.batch_size, target=target)  # type: ignore[arg-type]


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
        loss_differences=[_relative(a, b) for a, b in losses],
    )


def _relative(a: float, b: float) -> float:
    return 0.0 if a == b else abs(a - b) / max(abs(a), abs(b))
