"""Interleave cells block by block, across paths and targets, after warming each up."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import ceil
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from bench.plan import paths
from bench.plan.steps import SLOPE_S
from bench.protocol import Block, Json, Message, Prepare
from bench.records import energy, machine
from bench.records.schema import Cell, Count, Quantity, Sample, Seconds, TimingRecord
from bench.runner.process import WorkerLost, WorkFailed, parsed

# The shortest block: 20 ms is far above the clock's resolution and a scheduler's slice.
BLOCK_S = 0.02
# What is done before the clock of a block starts: the first milliseconds after another process's work pay for caches.
LEAD_S = 0.005
# The longest turn of a latency cell, unless the fewest calls take longer: turns stay short so that blocks are
# neighbours in time.
LATENCY_TURN_S = 0.25
FEWEST_CALLS = 3
# A turn of quick calls fills a block, but each call is in the record.
MOST_CALLS = 100
# Warm-up ends when a block is no faster, by more than this share, than the fastest before it, or at the cap. Another
# program can only make blocks slower, so that it does not prolong the warm-up.
STEADY_SHARE = 0.10
WARMUP_CAP = 8
# A turn is disturbed if others took more than this share of the processors' time, and more than the system's clock of
# processor time, 10 ms for each of its fields, can be wrong by.
DISTURBED_SHARE = 0.05
DISTURBED_S = 0.03
# At most this share of a step's turns is taken again.
RETAKEN_SHARE = 0.5


# Receives a runner that failed, and why.
Drop = Callable[["CellRunner", WorkFailed], None]


class Worker(Protocol):
    """The part of a worker that is needed here."""

    def ask(self, request: Message, progress: Callable[[Json], None] = ...) -> Json: ...
    def processor_s(self) -> float: ...


class Prepared(BaseModel):
    """What a worker answers to `Prepare`; `largest` is the most repeats that one block can hold."""

    model_config = ConfigDict(extra="forbid")

    first_call_s: Seconds
    work: dict[str, Quantity]
    largest: Count
    resolved: dict[str, Any]


@dataclass(eq=False)
class CellRunner:
    """One cell: a path on a target, with the worker that runs it; ``recipe`` where that holds those of several.

    ``extra_work`` is the share that each of its repeats does more.
    """

    cell: Cell
    worker: Worker
    first_call_s: float
    work: dict[str, float]
    resolved: dict[str, Any]
    largest: int
    lengths: tuple[int, ...]
    samples: list[Sample]
    block_s: float = BLOCK_S
    slope_s: float = SLOPE_S
    recipe: str = ""
    extra_work: float = 0.0
    steady: bool = False

    def block(self, *, repeats: int, each: bool, warmup: bool, turn: int) -> Sample:
        """Run one block and keep its sample."""
        cell, before, own_s = self.cell, machine.moment(), self._own_s()
        spent = energy.read(gpu=cell.on_gpu)
        lead = 0 if warmup or each else self._lead()
        wanted = (cell.phase, cell.path, cell.batch_size, repeats, each, self.recipe, lead, self.extra_work)
        answer = self.worker.ask(Block(*wanted))
        energy_j = energy.used(spent, energy.read(gpu=cell.on_gpu))
        own_s, after = self._own_s() - own_s, machine.moment()
        sample = parsed(
            lambda: Sample(
                **answer,
                warmup=warmup,
                turn=turn,
                steal_s=max(0.0, after.steal_s - before.steal_s),  # some hosts correct their count
                outside_s=after.busy_s - before.busy_s - own_s,
                load_1min=after.load_1min,
                energy_j=energy_j,
            )
        )
        self.samples.append(sample)
        return sample

    def _lead(self) -> int:
        """Return the repeats before the clock starts; none of a slope, which is free of them, or where one is long."""
        last = self.samples[-1]
        one_s = last.duration_s / last.repeats
        slope = paths.find(self.cell.phase, self.cell.path).slope
        return 0 if slope or not 0 < one_s < BLOCK_S else ceil(LEAD_S / one_s)

    def _own_s(self) -> float:
        """Return the processor seconds of the run: of this process and of the worker, since the others are idle."""
        return time.process_time() + self.worker.processor_s()

    def record(self, replicate: int) -> TimingRecord:
        """Return the record of everything that was measured; RequestFailed where it cannot be."""
        return parsed(
            lambda: TimingRecord(
                cell=self.cell,
                replicate=replicate,
                first_call_s=self.first_call_s,
                samples=self.samples,
                steady=self.steady,
                work=self.work,
                resolved={**self.resolved, **({"extra_work": self.extra_work} if self.extra_work else {})},
            )
        )


def prepare(
    cell: Cell,
    worker: Worker,
    *,
    extra_work: float = 0.0,
    variation: str = "",
    lengths: tuple[int, ...] = (1,),
    block_s: float = BLOCK_S,
    slope_s: float = SLOPE_S,
    several: bool = False,
) -> CellRunner:
    """Let ``worker`` make the operation ready, perhaps of a variation of its recipe, and run it once.

    `warm_up` comes next; it begins with ``lengths``, those that an earlier replicate found. Blocks will last
    ``block_s`` or longer, but where two lengths are clocked: these differ by ``slope_s``, and the cost of a call
    cancels out. With ``several`` the worker holds operations of several recipes.
    """
    recipe = variation or cell.recipe
    answer = worker.ask(Prepare(recipe, cell.phase, cell.path, cell.batch_size))
    return CellRunner(
        cell=cell,
        worker=worker,
        **dict(parsed(lambda: Prepared.model_validate(answer))),
        lengths=lengths,
        samples=[],
        slope_s=slope_s,
        block_s=BLOCK_S if paths.find(cell.phase, cell.path).slope else block_s,
        recipe=recipe if several else "",
        extra_work=extra_work,
    )


@dataclass
class StepCells:
    """The cells of a step: they are compared, and so take their turns as neighbours.

    turns  undisturbed blocks of each cell
    calls  of a latency cell over all turns, each timed by itself; None to time blocks as a whole
    extra  turns that may be taken again, because other programs used the processors meanwhile
    rare   those of the cells that take every second turn alone
    """

    runners: list[CellRunner]
    turns: int
    calls: int | None = None
    extra: int = 0
    rare: Sequence[CellRunner] = ()

    def __post_init__(self) -> None:
        self._taken = 0
        self._disturbed: list[int] = []
        self._last: CellRunner | None = None

    @property
    def complete(self) -> bool:
        """Whether no further turn is needed or allowed."""
        return self._taken - len(self._disturbed) >= self.turns or self._taken >= self.turns + self.extra

    def take_turn(self, drop: Drop) -> None:
        """Take the next turn of each cell, in the order of every turn."""
        turn, self._taken = self._taken, self._taken + 1
        for runner in [one for one in self.runners if turn % 2 == 0 or one not in self.rare]:
            if runner in self.runners:
                self._change_process(runner, drop)
            if runner in self.runners:
                work = partial(_take_turn, runner, turn=turn, calls=self.calls and ceil(self.calls / self.turns))
                _run_or_drop(runner, work, self.runners, drop)
                self._last = runner
        if disturbed([sample for runner in self.runners for sample in runner.samples if sample.turn_is(turn)]):
            self._disturbed.append(turn)

    def _change_process(self, runner: CellRunner, drop: Drop) -> None:
        """Let another process work, where the last block was of the same operation in the process of ``runner``.

        Else the cell with extra work would follow its own process, which is quicker, and its neighbour another.
        """
        if self._last is None or not (_alike(self._last) == _alike(runner) and _share_worker(self._last, runner)):
            return
        other = next((one for one in self.runners if not _share_worker(one, runner)), None)
        if other is not None:
            _run_or_drop(other, partial(_work_untimed, other), self.runners, drop)

    def mark_retaken(self) -> None:
        """Mark the disturbed turns for which others were taken: they are kept and do not count."""
        retaken = self._disturbed[: self._taken - self.turns]
        for runner in self.runners:
            runner.samples = [
                replace(sample, retaken=True) if any(map(sample.turn_is, retaken)) else sample
                for sample in runner.samples
            ]


def warm_up(runner: CellRunner) -> None:
    """Run short blocks, doubling their length to `BLOCK_S`, until they get no faster; note if they still do.

    Then choose the repeats of a block of ``block_s``, or two lengths if the cost is a line over repeats. Known lengths
    are kept unless they have become too short.
    """
    known = runner.lengths
    repeats = max(1, int(known[0] * BLOCK_S / runner.block_s))
    while len(runner.samples) < WARMUP_CAP and not runner.steady:
        sample = runner.block(repeats=repeats, each=False, warmup=True, turn=0)
        repeats = _repeats_to_fill(BLOCK_S, sample, runner.largest)
        runner.steady = _steady([s.duration_s / s.repeats for s in runner.samples])
    if not paths.find(runner.cell.phase, runner.cell.path).slope:
        runner.lengths = (max(known[0], _repeats_to_fill(runner.block_s, runner.samples[-1], runner.largest)),)
    elif len(known) == 1:
        runner.lengths = _slope_lengths(runner, repeats)


def warmed_up(runners: Sequence[CellRunner], *, drop: Drop) -> list[CellRunner]:
    """Warm up one runner after another; return those that did not fail, as `take_turns` does.

    Targets of one backend get blocks of the same lengths, the longest of theirs: a call costs something whatever its
    repeats, so that equal targets with two and four repeats a block would differ by that.
    """
    running = list(runners)
    for runner in runners:
        if runner in running:
            _run_or_drop(runner, partial(warm_up, runner), running, drop)
    longest: dict[object, tuple[int, ...]] = {}
    for runner in running:
        longest[_alike(runner)] = max(longest.get(_alike(runner), ()), runner.lengths, key=lambda found: found[-1:])
    for runner in running:
        runner.lengths = longest[_alike(runner)]
    return running


def _alike(runner: CellRunner) -> object:
    """Return what cells have in common that are the same operation on targets of one backend."""
    cell = runner.cell
    return cell.recipe, cell.phase, cell.path, cell.batch_size, cell.where


def take_turns(steps: Sequence[StepCells], *, order: random.Random, drop: Drop) -> list[CellRunner]:
    """Go round ``steps``, one turn each, until all are complete; return the runners that did not fail.

    So the turns of a step lie apart in time, and what disturbs the machine for two seconds spoils one of them. Within a
    step the order, drawn from ``order``, stays the same (A B C, A B C, …): each block follows one of another cell. In
    an order that turns round, the first block of a turn follows one of its own cell and takes less time; the ratios
    of such turns have two peaks, and their median lies anywhere between.
    ``drop`` receives each runner that fails, with all others of a lost worker.
    """
    for step in steps:
        order.shuffle(step.runners)
    while left := [step for step in steps if step.runners and not step.complete]:
        for step in left:
            step.take_turn(drop)
    for step in steps:
        step.mark_retaken()
    return [runner for step in steps for runner in step.runners]


def disturbed(samples: Sequence[Sample]) -> bool:
    """Whether other programs and other guests took too much of the processors' time during ``samples``."""
    lost_s = sum(sample.outside_s + sample.steal_s for sample in samples)
    available_s = machine.processors() * sum(sample.duration_s for sample in samples)
    return lost_s > max(DISTURBED_SHARE * available_s, DISTURBED_S)


def _steady(seconds: Sequence[float]) -> bool:
    """Whether the last block is no faster than the fastest before."""
    *before, last = seconds
    return bool(before) and last >= (1 - STEADY_SHARE) * min(before)


def _run_or_drop(runner: CellRunner, work: Callable[[], None], running: list[CellRunner], drop: Drop) -> None:
    """Do ``work``; if it fails, drop ``runner``, and every other runner of a lost worker."""
    try:
        work()
    except WorkFailed as error:
        for out in [p for p in running if p is runner or (isinstance(error, WorkerLost) and _share_worker(p, runner))]:
            running.remove(out)
            drop(out, error)


def _share_worker(runner: CellRunner, other: CellRunner) -> bool:
    return runner.worker is other.worker


def _take_turn(runner: CellRunner, *, turn: int, calls: int | None) -> None:
    if calls is not None:
        runner.block(repeats=_calls(runner, calls), each=True, warmup=False, turn=turn)
        return
    for repeats in runner.lengths:
        runner.block(repeats=repeats, each=False, warmup=False, turn=turn)


def _work_untimed(runner: CellRunner) -> None:
    runner.block(repeats=runner.lengths[0], each=False, warmup=True, turn=0)


def _calls(runner: CellRunner, wanted: int) -> int:
    """Return the calls of one turn: a block's, up to `MOST_CALLS`, or ``wanted`` if those are more and time allows."""
    last = runner.samples[-1]
    many = max(wanted, min(runner.lengths[0], MOST_CALLS))
    longest = int(LATENCY_TURN_S * last.repeats / last.duration_s) if last.duration_s > 0 else many
    return max(min(many, longest), FEWEST_CALLS)


def _repeats_to_fill(block_s: float, sample: Sample, largest: int) -> int:
    """Return how many repeats fill ``block_s``, estimated from a shorter block."""
    if sample.duration_s >= block_s:
        return sample.repeats
    wanted = ceil(sample.repeats * block_s / sample.duration_s) if sample.duration_s > 0 else 0
    # A fixed cost of the call makes the estimate too low: at least double.
    return min(largest, max(2 * sample.repeats, wanted))


def _slope_lengths(runner: CellRunner, repeats: int) -> tuple[int, ...]:
    """Return a short and a long length of `fit`, in steps, whose durations differ by ``slope_s`` or more.

    The short one is ``repeats``, if four times as many are possible. The fixed cost of `fit` makes estimates of the
    long one too low, so double it until the difference suffices. One length if the reviews fill one batch only.
    """
    if runner.largest < 2:
        return (1,)
    short = max(1, min(repeats, runner.largest // 4))
    base_s = runner.block(repeats=short, each=False, warmup=True, turn=0).duration_s
    long = min(runner.largest, 4 * short)
    while True:
        longer_s = runner.block(repeats=long, each=False, warmup=True, turn=0).duration_s
        if longer_s - base_s >= runner.slope_s or long == runner.largest:
            return short, long
        long = min(runner.largest, 2 * long)
