"""The session with workers that are made: what it asks of whom, what it keeps, and what each loss costs; no process."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from bench.analysis import accuracy
from bench.plan.gate import with_extra_work
from bench.plan.steps import PROFILES, Counting, Startup, Step, Timing, Training
from bench.plan.targets import Target
from bench.protocol import Block, Json, Message, Peaks, Prepare, Release, Train
from bench.records.schema import (
    CounterRecord,
    FailureRecord,
    PeaksRecord,
    PlanRecord,
    Record,
    TargetRecord,
    TimingRecord,
    TrainingRecord,
)
from bench.runner import affinity, session
from bench.runner.affinity import Cores
from bench.runner.process import NotSupported, RequestFailed, WorkerLost
from bench.runner.session import RESTARTS, Session
from models.recipes import DENSE
from tests.bench import fake_worker, made
from tests.bench.made import FakeWorker

JAX, TENSORFLOW = Target("jax"), Target("tensorflow")
BOTH = (JAX, TENSORFLOW)
PATHS = ("fit", "compiled loop", "floor")
TRAIN = Timing(DENSE, "train", PATHS, 512, BOTH)
PREDICT = Timing(DENSE, "predict", ("predict", "compiled", "floor"), 32, BOTH)
LOST = WorkerLost("jax-cpu: its process was ended by SIGKILL")

# What the worker of that number, of the target that is tested, raises at a request; None where it answers.
Refuse = Callable[[int, FakeWorker, Message], Exception | None]


class Deaf:
    """A watcher that minds nothing."""

    def begin(self, step: Step) -> None: ...
    def starting(self, target: Target) -> None: ...
    def progress(self, values: Json) -> None: ...
    def failed(self, record: FailureRecord) -> None: ...


class Stage:
    """A session with made workers: those of JAX misbehave as ``refuse`` says, blocks cost 10 ms a repeat.

    With ``everyone``, TensorFlow's do as well.
    """

    def __init__(self, refuse: Refuse = lambda number, worker, request: None, *, everyone: bool = False) -> None:
        self.records: list[Record] = []
        self.journal: list[tuple[str, str]] = []
        self.workers: dict[str, list[FakeWorker]] = {"jax-cpu": [], "tensorflow-cpu": []}
        self._refuse, self._everyone = refuse, everyone
        self.session = Session(PROFILES["smoke"], self._start, self._keep, Deaf(), random.Random(1))

    def run(self, *steps: Step) -> Stage:
        self.session.run(steps)
        return self

    def cells(self, target: str = "jax-cpu") -> list[str]:
        """Return the operations of ``target`` that were timed."""
        return [r.cell.operation for r in self.records if isinstance(r, TimingRecord) and r.cell.target == target]

    @property
    def failures(self) -> list[tuple[str, str, str]]:
        return [(r.target, r.work, r.reason) for r in self.records if isinstance(r, FailureRecord)]

    def _keep(self, *records: Record) -> None:
        self.records += records

    def _start(self, target: Target) -> FakeWorker:
        number = len(self.workers[target.name])
        worker: FakeWorker

        def refuse(request: Message) -> Exception | None:
            return self._refuse(number, worker, request) if target is JAX or self._everyone else None

        worker = FakeWorker(lambda _, n: 0.01 * n, name=target.name, journal=self.journal, refuse=refuse)
        self.workers[target.name].append(worker)
        return worker


def prepared(worker: FakeWorker) -> list[str]:
    """Return the paths that a worker was asked to prepare."""
    return [request.path for request in worker.requests if isinstance(request, Prepare)]


def in_turns(request: Message) -> bool:
    """Return whether ``request`` is a turn of a prediction: only there has each call a clock of its own."""
    return isinstance(request, Block) and request.each


def names(*paths: str, phase: str = "train", size: int = 512) -> list[str]:
    """Return these paths as operations, sorted."""
    return sorted(f"{phase} {path} {size}" for path in paths)


PREDICTIONS = names("predict", "compiled", "floor", phase="predict", size=32)


def test_every_cell_is_prepared_before_the_first_turn() -> None:
    """No worker compiles between two blocks that are compared."""
    stage = Stage().run(TRAIN)
    for workers in stage.workers.values():
        (worker,) = workers
        assert prepared(worker) == list(PATHS)
        last = max(i for i, request in enumerate(worker.requests) if isinstance(request, Prepare))
        # Turns are the last blocks: one of each single path and two of `fit`, in each of three turns.
        first_turn = len(worker.requests) - 1 - 3 * (1 + 1 + 2)
        assert last < first_turn
    turns = stage.journal[-2 * 12 :]
    assert {target for target, _ in turns[:8]} == {"jax-cpu", "tensorflow-cpu"}


def test_a_target_may_work_in_another_s_process() -> None:
    """It starts none of its own: one worker prepares and times the cells of both, and both are in the records."""
    slowed = with_extra_work(JAX, 0.1, label="slowed")
    stage = Stage().run(replace(TRAIN, targets=(*BOTH, slowed), paths=("train_on_batch",)))
    assert {name: len(workers) for name, workers in stage.workers.items()} == {"jax-cpu": 1, "tensorflow-cpu": 1}
    assert stage.cells() == stage.cells(slowed.name) == names("train_on_batch")
    assert {r.target for r in stage.records if isinstance(r, TargetRecord)} == {t.name for t in (*BOTH, slowed)}
    blocks = [request for request in stage.workers["jax-cpu"][0].requests if isinstance(request, Block)]
    assert {block.extra_work for block in blocks} == {0.0, 0.1}


def test_a_target_in_another_s_process_is_measured_without_it() -> None:
    """A resumed gate may lack the slowed cell alone; the process that it works in is started all the same."""
    slowed = with_extra_work(JAX, 0.1, label="slowed")
    stage = Stage().run(replace(TRAIN, targets=(TENSORFLOW, slowed), paths=("train_on_batch",)))
    assert stage.cells(slowed.name) == names("train_on_batch")
    assert stage.cells() == []


def test_a_lost_process_costs_the_cell_of_the_target_that_works_there() -> None:
    """The failure names the cell that was lost and the log of the process."""

    def refuse(number: int, worker: FakeWorker, request: Message) -> Exception | None:
        del number, worker
        return RequestFailed("no") if isinstance(request, Block) and request.extra_work else None

    slowed = with_extra_work(JAX, 0.1, label="slowed")
    stage = Stage(refuse).run(replace(TRAIN, targets=(*BOTH, slowed), paths=("train_on_batch",)))
    (failure,) = [record for record in stage.records if isinstance(record, FailureRecord)]
    assert (failure.target, failure.log) == (slowed.name, "logs/jax-cpu.log")
    assert stage.cells() == names("train_on_batch")


@pytest.mark.parametrize("replicate", [0, 3])
def test_a_record_carries_its_replicate(replicate: int) -> None:
    """Which process measured it, so that no block is compared with another process's."""
    steps: list[Step] = [Timing(DENSE, "train", PATHS, 512, BOTH, replicate), Startup(DENSE, BOTH, replicate)]
    found = [record for record in Stage().run(*steps).records if isinstance(record, TimingRecord)]
    assert len(found) == 2 * 3 + 2 * 5
    assert {record.replicate for record in found} == {replicate}


def test_what_was_prepared_is_released_after_each_step() -> None:
    """A worker holds the operations of steps that go round together, and of no other."""
    stage = Stage().run(replace(TRAIN, turns=3), replace(PREDICT, turns=3))
    for (worker,) in stage.workers.values():
        released = [i for i, request in enumerate(worker.requests) if isinstance(request, Release)]
        later = [i for i, request in enumerate(worker.requests) if isinstance(request, Prepare) and i > released[0]]
        assert len(released) == 2
        assert released[0] < later[0] < released[1] == len(worker.requests) - 1


@pytest.mark.parametrize("path", PATHS)
def test_a_worker_lost_in_preparing_costs_that_cell_and_the_rest_is_prepared_anew(path: str) -> None:
    """The process held what was prepared before, too: a new one prepares all but the cell that ended the first."""

    def refuse(number: int, worker: FakeWorker, request: Message) -> Exception | None:
        return LOST if isinstance(request, Prepare) and (request.phase, request.path) == ("train", path) else None

    stage = Stage(refuse).run(TRAIN, PREDICT)
    others = [other for other in PATHS if other != path]
    first, second = stage.workers["jax-cpu"]
    assert stage.failures[0] == ("jax-cpu", f"train {path} 512", str(LOST))
    assert prepared(first) == list(PATHS[: PATHS.index(path) + 1])
    assert prepared(second)[:2] == others
    assert set(names(*others)) <= set(stage.cells())
    assert f"train {path} 512" not in stage.cells()
    assert len(stage.cells("tensorflow-cpu")) == 6


def test_a_worker_lost_in_warming_up_costs_the_cells_that_it_held() -> None:
    """Every cell is prepared before the first warms up: what the worker held is gone, as when a block ends it."""

    def refuse(number: int, worker: FakeWorker, request: Message) -> Exception | None:
        return LOST if number == 0 and isinstance(request, Block) and request.path == "floor" else None

    stage = Stage(refuse).run(TRAIN)
    assert sorted(stage.failures) == sorted(("jax-cpu", f"train {path} 512", str(LOST)) for path in PATHS)
    assert not stage.cells()
    assert len(stage.cells("tensorflow-cpu")) == len(PATHS)
    assert stage.session.slots["jax-cpu"].losses == 1


def test_a_request_that_fails_in_preparing_costs_that_cell_and_no_worker() -> None:
    """The worker lives: what it prepared before stays prepared."""
    error = RequestFailed("ValueError: made")

    def refuse(number: int, worker: FakeWorker, request: Message) -> Exception | None:
        return error if isinstance(request, Prepare) and request.path == "compiled loop" else None

    stage = Stage(refuse).run(TRAIN)
    (worker,) = stage.workers["jax-cpu"]
    assert stage.failures == [("jax-cpu", "train compiled loop 512", "ValueError: made")]
    assert prepared(worker) == list(PATHS)
    assert sorted(stage.cells()) == names("fit", "floor")
    assert stage.session.slots["jax-cpu"].losses == 0


def test_a_path_that_cannot_drive_a_model_is_no_failure() -> None:
    """A user's model may do what no program can hold; the run is as complete as it can be."""
    error = NotSupported("run_eagerly=True")

    def refuse(number: int, worker: FakeWorker, request: Message) -> Exception | None:
        return error if isinstance(request, Prepare) and request.path == "compiled loop" else None

    stage = Stage(refuse).run(TRAIN)
    (record,) = [record for record in stage.records if isinstance(record, FailureRecord)]
    assert (record.unsupported, record.work, record.reason) == (True, "train compiled loop 512", "run_eagerly=True")
    done = made.run(PlanRecord(work=record.lost), record)
    assert (done.failures(), done.unsupported()) == ([], [record])
    assert not [reason for reason in accuracy.incomplete(done) if record.lost[0] in reason]


def test_a_worker_lost_in_turns_costs_that_steps_cells_of_that_target_once() -> None:
    """Three paths were in its memory: three failures, and a new worker does the next step.

    The first loss is that of both steps together; then each is timed by itself, so that it costs one of them.
    """

    def refuse(number: int, worker: FakeWorker, request: Message) -> Exception | None:
        return LOST if number < 2 and in_turns(request) else None

    stage = Stage(refuse).run(PREDICT, TRAIN)
    assert sorted(work for _, work, _ in stage.failures) == PREDICTIONS
    assert {(target, reason) for target, _, reason in stage.failures} == {("jax-cpu", str(LOST))}
    assert stage.session.slots["jax-cpu"].losses == 2
    assert sorted(stage.cells()) == names(*PATHS)
    assert sorted(stage.cells("tensorflow-cpu")) == sorted([*names(*PATHS), *PREDICTIONS])
    assert len(stage.workers["jax-cpu"]) == sum(isinstance(r, TargetRecord) for r in stage.records) - 1 == 3
    assert not any(isinstance(request, Release) for request in stage.workers["jax-cpu"][0].requests)


def test_a_worker_that_is_lost_once_costs_nothing_where_steps_go_round_together() -> None:
    """All of them are measured again, each by itself, by a new worker; no block of the first is kept."""

    def refuse(number: int, worker: FakeWorker, request: Message) -> Exception | None:
        return LOST if number == 0 and in_turns(request) else None

    stage = Stage(refuse).run(PREDICT, TRAIN)
    assert stage.failures == []
    assert sorted(stage.cells()) == sorted(stage.cells("tensorflow-cpu")) == sorted([*names(*PATHS), *PREDICTIONS])


def test_a_target_is_given_up_after_four_lost_workers_however_many_cells_each_cost() -> None:
    """All steps together cost one worker, then each costs one; the fourth step fails at once, with the last reason."""

    def refuse(number: int, worker: FakeWorker, request: Message) -> Exception | None:
        return WorkerLost(f"loss {number}") if in_turns(request) else None

    stage = Stage(refuse).run(PREDICT, PREDICT, PREDICT, TRAIN)
    assert len(stage.workers["jax-cpu"]) == RESTARTS == 4
    assert [reason for _, _, reason in stage.failures] == [f"loss {number}" for number in (1, 2, 3, 3) for _ in PATHS]
    assert stage.cells() == []
    assert len(stage.cells("tensorflow-cpu")) == 12


def test_a_worker_that_is_lost_again_and_again_in_preparing_is_given_up() -> None:
    """Each loss costs a cell; after the last, the cells that are left fail with its reason, each once."""

    def refuse(number: int, worker: FakeWorker, request: Message) -> Exception | None:
        return WorkerLost(f"loss {number}") if isinstance(request, Prepare) else None

    stage = Stage(refuse).run(TRAIN, PREDICT)
    assert [work for _, work, _ in stage.failures[:3]] == [f"train {path} 512" for path in PATHS]
    assert sorted(work for _, work, _ in stage.failures[3:]) == PREDICTIONS
    assert [reason for _, _, reason in stage.failures] == ["loss 0", "loss 1", "loss 2"] + ["loss 3"] * 3


def test_a_users_recipe_that_ends_workers_costs_its_own_cells_alone() -> None:
    """Its code may end the process: after two of them it has no more, and other recipes are measured whole."""
    bad, worse = (replace(DENSE, name=name, family="own") for name in ("bad", "worse"))

    def refuse(number: int, worker: FakeWorker, request: Message) -> Exception | None:
        return WorkerLost(f"loss {number}") if getattr(request, "recipe", "") in ("bad", "worse") else None

    trained = [Training(recipe, JAX, 0, {"final": 1}, "fit") for recipe in (bad, worse, DENSE)]
    timed = [replace(step, recipe=recipe) for recipe in (bad, worse) for step in (TRAIN, PREDICT)]
    stage = Stage(refuse).run(*trained, *timed, TRAIN, PREDICT)
    assert sorted(stage.cells()) == sorted([*names(*PATHS), *PREDICTIONS])
    assert [r.recipe for r in stage.records if isinstance(r, TrainingRecord) and r.target == "jax-cpu"] == ["dense"]
    failed = [r for r in stage.records if isinstance(r, FailureRecord)]
    lost = [(r.recipe, one) for r in failed for one in r.lost]  # a training, and two paths of each phase
    assert sorted(recipe for recipe, _ in lost) == ["bad"] * 5 + ["worse"] * 5
    assert len(set(lost)) == 10
    assert {r.reason for r in failed} == {
        *("loss 0", "loss 1", "loss 2", "loss 3"),
        *("bad ended 2 workers, the last time: loss 2", "worse ended 2 workers, the last time: loss 3"),
    }
    assert len(stage.workers["jax-cpu"]) == 5


@pytest.mark.parametrize("side_by_side", [True, False])
def test_targets_train_at_the_same_time_on_a_share_of_the_processors(
    monkeypatch: pytest.MonkeyPatch, side_by_side: bool
) -> None:
    """Each on a core of its own where there are two, and the record says so; then all have every processor again."""
    monkeypatch.setattr(affinity, "usable", lambda: {4, 5})
    both_train = threading.Barrier(2, timeout=20)
    seen: dict[str, set[int]] = {}

    def meet(number: int, worker: FakeWorker, request: Message) -> None:
        if isinstance(request, Train):
            seen[worker.name] = worker.confined
            if side_by_side:
                both_train.wait()

    stage = Stage(meet, everyone=True)
    stage.run(*(Training(DENSE, target, 0, {"final": 4}, "compiled loop", side_by_side) for target in BOTH))
    found = [record for record in stage.records if isinstance(record, TrainingRecord)]
    assert sorted(record.target for record in found) == ["jax-cpu", "tensorflow-cpu"]
    assert {record.processors for record in found} == ({1} if side_by_side else {None})
    assert sorted(seen.values(), key=sorted) == ([{4}, {5}] if side_by_side else [set(), set()])
    restored = {worker.confined == {4, 5} for (worker,) in stage.workers.values()}
    assert restored == {side_by_side}


def test_a_start_is_measured_in_a_process_of_its_own() -> None:
    """Four cells of each target, from a worker that did nothing before and is ended at once."""
    stage = Stage().run(Startup(DENSE, BOTH))
    found = [record for record in stage.records if isinstance(record, TimingRecord)]
    seconds = {"import": 4.0, "build": 0.25, "first step": 1.0, "first prediction": 0.5, "load": 0.1}
    for target in BOTH:
        timed = {r.cell.path: r.samples[0].duration_s for r in found if r.cell.target == target.name}
        resident, fresh = stage.workers[target.name]
        assert timed == seconds
        assert resident.requests == []
        assert len(fresh.requests) == 1
    assert all(len(record.samples) == 1 and not record.samples[0].warmup for record in found)


@pytest.mark.parametrize("error", [LOST, RequestFailed("ValueError: made")], ids=lambda error: type(error).__name__)
def test_a_start_that_fails_leaves_no_process_and_costs_no_worker(error: Exception) -> None:
    """The process that failed is ended, the one that waits for the next step is not, and the other target starts."""
    stage = Stage(lambda number, worker, request: error if number == 1 else None)
    open_at_turns: list[bool] = []
    keep = stage.session.keep

    def noting(*records: Record) -> None:
        open_at_turns.extend(worker.closed for worker in stage.workers["jax-cpu"])
        keep(*records)

    stage.session.keep = noting
    stage.run(Startup(DENSE, BOTH), TRAIN)
    assert stage.failures == [("jax-cpu", "startup", str(error))]
    assert open_at_turns[-2:] == [False, True]
    assert sorted(stage.cells()) == names(*PATHS)
    assert [operation for operation in stage.cells("tensorflow-cpu") if "startup" in operation] != []


def test_counts_are_kept_by_cell_and_peaks_by_target() -> None:
    """Deterministic counts have their own records; the machine's peaks come before anything keeps it busy."""
    counting = Counting(DENSE, "train", "fit", 512, BOTH)
    stage = Stage()
    stage.session.peaks = True
    stage.run(TRAIN, counting)
    assert [r.target for r in stage.records if isinstance(r, PeaksRecord)] == ["jax-cpu", "tensorflow-cpu"]
    assert all(isinstance(worker.requests[0], Peaks) for (worker,) in stage.workers.values())
    assert [r for r in stage.records if isinstance(r, CounterRecord)] == [
        made.counters(cell).model_copy(update={"functions": fake_worker.FUNCTIONS}) for cell in counting.cells
    ]


def test_a_worker_of_an_older_checkout_counts_without_functions() -> None:
    """A gate's base runs its own worker, which may know of no calls."""
    counting = Counting(DENSE, "train", "fit", 512, BOTH)
    answered = ThreadPoolExecutor(1).submit(dict, compilations=1.0)
    assert session._counters(counting.cells[0], answered) == made.counters(counting.cells[0])


def test_a_worker_lost_at_its_peaks_is_started_anew() -> None:
    """A product that the memory does not hold costs the peaks of that target, and one worker."""
    stage = Stage(lambda number, worker, request: LOST if isinstance(request, Peaks) else None)
    stage.session.peaks = True
    stage.run(TRAIN)
    assert stage.failures == [("jax-cpu", "peaks", str(LOST))]
    assert len(stage.workers["jax-cpu"]) == 2
    assert sorted(stage.cells()) == names(*PATHS)


@pytest.mark.parametrize("steps", [[TRAIN], [Startup(DENSE, BOTH)]], ids=["turns", "startup"])
def test_workers_are_ended_whatever_happens(steps: Sequence[Step]) -> None:
    """A full disk ends the run; no process outlives it."""
    stage = Stage()

    def keep(*records: Record) -> None:
        if any(isinstance(record, TimingRecord) for record in records):
            raise OSError("no space left on device")

    stage.session.keep = keep
    with pytest.raises(OSError, match="no space"):
        stage.run(*steps)
    assert all(worker.closed for workers in stage.workers.values() for worker in workers)


def test_a_later_replicate_begins_with_the_lengths_of_the_first() -> None:
    """Finding them takes half of a warm-up, and a process finds what the one before it found."""
    stage = Stage().run(TRAIN)
    blocks = [len(worker.blocks) for worker in stage.workers["jax-cpu"]]
    stage.run(replace(TRAIN, replicate=1))
    first, second = (worker for worker in stage.workers["jax-cpu"])
    assert [len(first.blocks)] == blocks
    assert len(second.blocks) < len(first.blocks)
    timed = [record for record in stage.records if isinstance(record, TimingRecord)]
    for cell in {record.cell for record in timed}:
        lengths = [{s.repeats for s in record.samples if not s.warmup} for record in timed if record.cell == cell]
        assert lengths[0] == lengths[1]


def test_a_target_that_joins_later_runs_blocks_as_long_as_those_it_is_compared_with() -> None:
    """The base was calibrated in another minute: where one cell of a comparison is new, all are calibrated again."""
    stage = Stage().run(replace(TRAIN, targets=TRAIN.targets[:1]))
    stage.run(replace(TRAIN, replicate=1))
    first, second = (len(worker.blocks) for worker in stage.workers[TRAIN.targets[0].name])
    assert second == first


def test_quiet_workers_share_a_core_while_clocks_run_and_no_longer() -> None:
    """They compile on every core, take turns on one, and have them all again for the next step."""
    seen: list[tuple[str, tuple[int, ...]]] = []

    def note(number: int, worker: FakeWorker, request: Message) -> None:
        seen.append((type(request).__name__, tuple(sorted(worker.confined))))

    stage = Stage(note)
    stage.session.cores = Cores({1}, {0, 1})
    stage.run(replace(TRAIN, turns=3), replace(TRAIN, turns=3))
    assert {cores for kind, cores in seen if kind == "Prepare"} == {(), (0, 1)}
    assert {cores for kind, cores in seen if kind == "Block"} == {(1,)}
