"""Tests of interleaving: order, calibration, warm-up and lengths, with workers whose costs are made."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain, count, pairwise, repeat
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.analysis import paired_ratio
from bench.plan import paths
from bench.plan.steps import PROFILES, Timing, timings, together
from bench.plan.targets import Target
from bench.protocol import Block, Prepare
from bench.records import machine
from bench.records.schema import Cell, Sample
from bench.runner import interleave
from bench.runner.interleave import CellRunner
from bench.runner.process import RequestFailed, WorkerLost, WorkFailed
from models.recipes import RECIPES
from tests.bench.made import FakeWorker, cell

CLOCK = 1 + 1e-9  # products of made seconds are off by a rounding error

Journal = list[tuple[str, str]]


def linear(call_s: float, *, fixed_s: float = 0.0) -> Callable[[int, int], float]:
    """Return the cost of a block whose repeats all cost the same."""
    return lambda _, repeats: fixed_s + repeats * call_s


def scripted(*blocks_s: float) -> Callable[[int, int], float]:
    """Return a cost that goes through these seconds, and stays at the last."""
    return lambda number, _: blocks_s[min(number, len(blocks_s) - 1)]


def prepared(worker: FakeWorker, phase: str = "train", path: str = "train_on_batch") -> CellRunner:
    """Return a runner that has warmed up."""
    return warm(interleave.prepare(cell(phase, path, target=worker.name), worker))


def warm(runner: CellRunner) -> CellRunner:
    """Return ``runner`` after its warm-up."""
    interleave.warm_up(runner)
    return runner


def warm_runners(
    journal: Journal, names: str = "ab", path_names: Sequence[str] = ("train_on_batch",)
) -> list[CellRunner]:
    """Return warm runners, one for each path on each target, that cost the same and note who played what."""
    workers = [FakeWorker(linear(0.05), name=name, journal=journal) for name in names]
    runners = [prepared(worker, path=path) for worker in workers for path in path_names]
    journal.clear()
    return runners


def order(journal: Journal) -> str:
    """Return the targets in the order in which they played."""
    return "".join(name for name, _ in journal)


def take_turns(
    runners: Sequence[CellRunner], *, number: int = 4, calls: int | None = None, seed: int = 0
) -> tuple[list[CellRunner], list[tuple[str, WorkFailed]]]:
    """Let runners take turns; return those that came through, and who dropped out why."""
    dropped: list[tuple[str, WorkFailed]] = []
    finished = interleave.take_turns(
        [interleave.StepCells(list(runners), number, calls)],
        order=random.Random(seed),
        drop=lambda runner, error: dropped.append((runner.cell.target, error)),
    )
    return finished, dropped


def test_a_worker_is_asked_to_prepare_the_operation_and_its_answer_is_kept() -> None:
    """The first call, which compiles, is a value of its own and no sample."""
    worker = FakeWorker(linear(0.05))
    ((runner,), _) = take_turns([prepared(worker)])
    record = runner.record(replicate=2)
    assert worker.requests[0] == Prepare("dense", "train", "train_on_batch", 512)
    assert (record.replicate, record.first_call_s, record.work) == (2, 1.5, {"reviews": 512.0, "megabytes": 0.5})
    assert record.resolved == {"jit_compile": True}
    assert record.cell == cell("train", "train_on_batch", target="made")


def test_a_sample_keeps_what_the_worker_and_the_machine_said() -> None:
    """Every value of a block goes into the record, with the load beside it."""
    sample = prepared(FakeWorker(linear(0.05))).samples[0]
    assert (sample.repeats, sample.duration_s, sample.calls_s) == (1, 0.05, None)
    assert (sample.processor_s, sample.switches) == (0.25, 3)
    assert sample.load_1min >= 0
    assert sample.steal_s >= 0


@pytest.mark.parametrize("call_s", [3e-7, 1e-6, 7e-5, 1e-3, 0.0199, 0.02, 0.3])
def test_a_block_is_calibrated_to_its_least_duration(call_s: float) -> None:
    """20 ms is far above the clock's resolution; a call that lasts longer is a block by itself."""
    (runner,), _ = take_turns([prepared(FakeWorker(linear(call_s)))])
    measured = [s for s in runner.samples if not s.warmup]
    assert all(s.duration_s * CLOCK >= 0.02 for s in measured)
    assert all(s.duration_s <= max(0.04, call_s) * CLOCK for s in measured)


@pytest.mark.parametrize("largest", [1, 5, 48])
def test_a_block_is_no_longer_than_the_operation_can_be(largest: int) -> None:
    """A `fit` has no more batches than the data."""
    worker = FakeWorker(linear(1e-5), largest=largest)
    take_turns([prepared(worker)])
    assert max(block.repeats for block in worker.blocks) == largest


@pytest.mark.parametrize(
    ("blocks_s", "needed"),
    [
        ([0.05, 0.05], 2),
        ([0.05, 0.09], 2),  # a slower one was disturbed: nothing warms up any more
        ([0.05, 0.046], 2),  # 8 % faster is noise
        ([0.05, 0.044, 0.044], 3),  # 12 % is not
        ([0.09, 0.05, 0.05], 3),
        ([0.09, 0.08, 0.07, 0.06, 0.05, 0.05], 6),
    ],
)
def test_warm_up_ends_when_blocks_get_no_faster(blocks_s: list[float], needed: int) -> None:
    """One that is not 10 % faster than the fastest before: not one block sooner, not one later."""
    worker = FakeWorker(scripted(*blocks_s))
    runner = prepared(worker)
    assert runner.steady
    assert len(worker.blocks) == needed


def test_warm_up_that_never_settles_ends_at_its_cap_and_says_so() -> None:
    """Eight blocks: a busy machine must not hold the run up for ever, and what it measured is marked."""
    worker = FakeWorker(lambda number, _: 0.5 * 0.8**number)
    runner = prepared(worker)
    assert len(worker.blocks) == 8
    assert not runner.steady
    (finished,), _ = take_turns([runner])
    assert not finished.record(0).steady


@pytest.mark.parametrize(("path", "lengths"), [("train_on_batch", (400,)), ("fit", (20, 80))])
def test_lengths_that_an_earlier_replicate_found_are_not_sought_again(path: str, lengths: tuple[int, ...]) -> None:
    """Two blocks that agree, of the first length: nothing doubles, and no second length is tried out."""
    worker = FakeWorker(linear(1e-3))
    runner = interleave.prepare(cell("train", path, target=worker.name), worker, lengths=lengths)
    interleave.warm_up(runner)
    assert [block.repeats for block in worker.blocks] == 2 * [lengths[0]]
    assert (runner.steady, runner.lengths) == (True, lengths)


def test_a_length_that_has_become_too_short_grows() -> None:
    """The machine was slower when it was found: a block is never shorter than it must be."""
    runner = interleave.prepare(cell("train", "train_on_batch", target="made"), FakeWorker(linear(1e-3)), lengths=(5,))
    interleave.warm_up(runner)
    assert runner.lengths[0] * 1e-3 >= interleave.BLOCK_S


@pytest.mark.parametrize(("path", "least_s"), [("compiled loop", 0.15), ("fit", interleave.BLOCK_S)])
def test_blocks_last_as_long_as_the_profile_asks(path: str, least_s: float) -> None:
    """Long blocks hide the cost of a call; a slope does not contain it, and stays as short as it may be."""
    worker = FakeWorker(linear(1e-3))
    runner = warm(interleave.prepare(cell("train", path, target=worker.name), worker, block_s=0.15))
    assert CLOCK * runner.lengths[0] * 1e-3 >= least_s
    assert runner.lengths[0] * 1e-3 < 2 * least_s


@pytest.mark.parametrize("known", [(1,), (150,)])
def test_warm_up_is_short_however_long_blocks_will_be(known: tuple[int, ...]) -> None:
    """A program is warm after so many calls, not after so many steps: blocks of 20 ms will do, and less to wait for."""
    worker = FakeWorker(linear(1e-3))
    runner = interleave.prepare(cell("train", "compiled loop", target="made"), worker, lengths=known, block_s=0.15)
    interleave.warm_up(runner)
    assert all(sample.duration_s <= 2 * interleave.BLOCK_S for sample in runner.samples)
    assert runner.lengths[0] * 1e-3 * CLOCK >= 0.15


def test_warm_up_is_kept_and_marked() -> None:
    """Every raw sample is in the record, and no warm-up one is taken for a measurement."""
    (runner,), _ = take_turns([prepared(FakeWorker(scripted(0.09, 0.05)))], number=6)
    assert [s.warmup for s in runner.samples] == [True] * 3 + [False] * 6
    assert [s.turn for s in runner.samples if not s.warmup] == list(range(6))


@pytest.mark.parametrize("seed", range(8))
def test_two_targets_take_turns_as_a_b_a_b(seed: int) -> None:
    """Each block follows one of the other target: one that followed its own would take less time."""
    journal: Journal = []
    take_turns(warm_runners(journal), number=6, seed=seed)
    assert order(journal) in ("ab" * 6, "ba" * 6)


def test_who_begins_is_drawn_from_the_logged_seed() -> None:
    """Equal seeds give equal orders; over seeds, either target begins."""

    def first(seed: int) -> str:
        journal: Journal = []
        take_turns(warm_runners(journal), number=1, seed=seed)
        return order(journal)[0]

    begun = [first(seed) for seed in range(20)]
    assert set(begun) == {"a", "b"}
    assert begun == [first(seed) for seed in range(20)]


@pytest.mark.parametrize("seed", range(4))
def test_paths_take_turns_as_targets_do(seed: int) -> None:
    """Three paths on two targets are six runners in one round, and every round has the same order."""
    journal: Journal = []
    take_turns(warm_runners(journal, path_names=("train_on_batch", "compiled loop", "floor")), number=4, seed=seed)
    rounds = [journal[i : i + 6] for i in range(0, 24, 6)]
    every = [(name, path) for name in "ab" for path in ("compiled loop", "floor", "train_on_batch")]
    assert sorted(rounds[0]) == every
    assert rounds == [rounds[0]] * 4


def test_the_order_of_paths_and_targets_is_drawn() -> None:
    """Neither the plan's first path nor its first target begins every run: both are shuffled, from the seed."""

    def there(seed: int) -> Journal:
        journal: Journal = []
        take_turns(warm_runners(journal, path_names=("train_on_batch", "floor")), number=1, seed=seed)
        return journal

    begun = {there(seed)[0] for seed in range(40)}
    assert begun == {(name, path) for name in "ab" for path in ("train_on_batch", "floor")}
    assert there(7) == there(7)


def test_a_block_names_its_operation() -> None:
    """A worker holds many: phase, path and batch size say which one is meant."""
    worker = FakeWorker(linear(0.05))
    compiled, floor = (
        warm(interleave.prepare(cell("predict", path, batch_size=32), worker)) for path in ("compiled", "floor")
    )
    take_turns([compiled, floor], number=1)
    assert worker.blocks[-2:] in (
        [Block("predict", path, 32, repeats=1, each=False) for path in pair]
        for pair in (("compiled", "floor"), ("floor", "compiled"))
    )


@pytest.mark.parametrize("seed", range(4))
def test_a_drift_of_the_machine_parts_equal_targets_by_that_of_one_block(seed: int) -> None:
    """Each block of a machine that grows slower takes 1 ms more than the one before: no turn adds to it."""
    blocks = count()
    drifting = lambda _, repeats: 0.05 + 0.001 * next(blocks)  # noqa: E731
    runners = [prepared(FakeWorker(drifting, name=name)) for name in ("a", "b")]
    finished, _ = take_turns(runners, number=10, seed=seed)
    sums = [sum(s.duration_s for s in runner.samples if not s.warmup) for runner in finished]
    assert abs(sums[0] - sums[1]) / 10 == pytest.approx(0.001)


def test_a_rare_cell_takes_every_second_turn() -> None:
    """A control of a gate has a difference that is large enough for few blocks, each beside one of the base."""
    runners = [prepared(FakeWorker(linear(0.05), name=name)) for name in ("base", "control")]
    interleave.take_turns(
        [interleave.StepCells(runners, 5, rare=runners[1:])],
        order=random.Random(0),
        drop=lambda runner, error: None,
    )
    turns = {r.cell.target: [s.turn for s in r.samples if not s.warmup] for r in runners}
    assert turns == {"base": [0, 1, 2, 3, 4], "control": [0, 2, 4]}


def test_a_slowed_cell_never_follows_its_own_process() -> None:
    """A block after one of the same operation in the same process is quicker: another process works between them."""
    journal: Journal = []
    base, head = (FakeWorker(linear(0.05), name=f"jax-cpu@{n}", journal=journal) for n in "bh")
    slowed = interleave.prepare(cell("train", "train_on_batch", target="jax-cpu@slowed"), head, extra_work=0.1)
    runners = [prepared(base), prepared(head), warm(slowed)]
    for seed in range(6):
        journal.clear()
        finished, _ = take_turns(runners, number=3, seed=seed)
        assert "hh" not in order(journal).replace("jax-cpu@", "")
        assert [request.extra_work for request in head.requests[-3:] if isinstance(request, Block)].count(0.1) >= 1
    timed = [[sample.turn for sample in runner.samples if not sample.warmup] for runner in finished]
    assert timed == [[0, 1, 2] * 6] * 3


def test_a_record_says_how_much_more_work_it_did() -> None:
    worker = FakeWorker(linear(0.05))
    slowed = warm(interleave.prepare(cell("train", "train_on_batch"), worker, extra_work=0.1))
    finished, _ = take_turns([prepared(worker), slowed])
    assert [one.record(0).resolved.get("extra_work", 0.0) for one in finished] == [one.extra_work for one in finished]
    assert sorted(one.extra_work for one in finished) == [0.0, 0.1]


def test_targets_of_one_backend_have_blocks_of_one_length() -> None:
    """A call costs something whatever its repeats: two and four repeats of equal work would take different times."""
    quick, slow = (
        interleave.prepare(cell("train", "train_on_batch", target=f"jax-cpu@{name}"), FakeWorker(linear(call_s)))
        for name, call_s in (("base", 0.0024), ("head", 0.0026))
    )
    other = interleave.prepare(cell("train", "train_on_batch", target="tensorflow-cpu@base"), FakeWorker(linear(0.02)))
    interleave.warmed_up([slow, quick, other], drop=lambda runner, error: None)
    assert quick.lengths == slow.lengths
    assert slow.lengths[0] * 0.0024 >= 0.02
    assert other.lengths == (1,)


@pytest.mark.parametrize(
    ("path", "call_s", "calls", "lead"),
    [
        ("train_on_batch", 0.001, None, 5),
        ("train_on_batch", 0.007, None, 1),
        ("train_on_batch", 0.05, None, 0),
        ("fit", 0.001, None, 0),
        ("predict", 0.001, 40, 0),
    ],
)
def test_some_repeats_come_before_the_clock(path: str, call_s: float, calls: int | None, lead: int) -> None:
    """5 ms of them, but where one repeat lasts as long as a block, each call is timed, or two lengths cancel it."""
    worker = FakeWorker(linear(call_s))
    runner = prepared(worker, "predict" if path == "predict" else "train", path)
    warm_ups = len(worker.blocks)
    take_turns([runner], calls=calls)
    assert {block.lead for block in worker.blocks[:warm_ups]} == {0}
    assert {block.lead for block in worker.blocks[warm_ups:]} == {lead}


@pytest.mark.parametrize(("calls", "number", "each_turn"), [(100, 10, 10), (30, 3, 10), (140, 10, 14), (10, 3, 4)])
def test_latencies_come_to_the_calls_that_were_asked_for(calls: int, number: int, each_turn: int) -> None:
    """Rounded up to whole turns, each call under its own clock; at 10 ms a call, time allows them."""
    worker = FakeWorker(linear(0.01))
    (runner,), _ = take_turns([prepared(worker, "predict", "predict")], number=number, calls=calls)
    measured = [s for s in runner.samples if not s.warmup]
    assert [block for block in worker.blocks if block.each] == [
        Block("predict", "predict", 512, repeats=each_turn, each=True)
    ] * number
    assert sum(len(s.calls_s or []) for s in measured) >= calls
    assert all(s.calls_s == pytest.approx([0.01] * each_turn) for s in measured)


@pytest.mark.parametrize(("call_s", "each_turn"), [(1e-6, 100), (0.02 / 80, 80), (0.02 / 15, 15), (0.02 / 5, 10)])
def test_quick_calls_are_made_oftener_up_to_a_hundred(call_s: float, each_turn: int) -> None:
    """A block of quick calls grows towards 20 ms, but no percentile needs thousands of them."""
    worker = FakeWorker(linear(call_s * CLOCK))
    take_turns([prepared(worker, "predict", "predict")], number=10, calls=100)
    assert {block.repeats for block in worker.blocks if block.each} == {each_turn}


@pytest.mark.parametrize(
    ("call_s", "each_turn"),
    # A quarter of a second holds 25 calls of 10 ms, 12 of 20 ms, 5 of 50 ms, 3 of 80 ms and none of 0.3 s or 10 s.
    [(0.01, 14), (0.02, 12), (0.05, 5), (0.08, 3), (0.3, 3), (10.0, 3)],
)
def test_slow_calls_are_made_less_often_but_three_times_a_turn(call_s: float, each_turn: int) -> None:
    """A round stays short, so that its blocks are neighbours; 14 were asked for, 140 over ten turns."""
    worker = FakeWorker(linear(call_s / CLOCK))
    take_turns([prepared(worker, "predict", "predict")], number=10, calls=140)
    assert {block.repeats for block in worker.blocks if block.each} == {each_turn}


def test_a_call_that_grows_slower_makes_its_turns_shorter() -> None:
    """The last block tells how many calls a turn holds: 20 of 10 ms each, then 5, once a call takes 50 ms."""
    worker = FakeWorker(lambda number, repeats: repeats * (0.01 if number < 3 else 0.05) / CLOCK)
    take_turns([prepared(worker, "predict", "predict")], number=4, calls=80)
    assert [block.repeats for block in worker.blocks if block.each] == [20, 20, 5, 5]


def test_warm_up_of_latencies_has_one_clock() -> None:
    """Whether blocks agree is a question of throughput."""
    worker = FakeWorker(linear(0.05))
    prepared(worker, "predict", "predict")
    assert [block.each for block in worker.blocks] == [False] * 2


@pytest.mark.parametrize(
    ("fixed_s", "step_s", "largest"),
    [(0.1, 0.001, 781), (0.03, 0.004, 48), (0.0, 0.0002, 2_000), (0.05, 0.02, 781), (0.01, 0.5, 48)],
)
def test_a_fit_is_timed_at_two_lengths_that_tell_its_slope(fixed_s: float, step_s: float, largest: int) -> None:
    """The durations differ by 0.25 s or more, and each turn holds the short one and then the long one."""
    worker = FakeWorker(linear(step_s, fixed_s=fixed_s), largest=largest)
    (runner,), _ = take_turns([prepared(worker, "train", "fit")], number=4)
    short, long = runner.lengths
    measured = [s for s in runner.samples if not s.warmup]
    assert 1 <= short < long <= largest
    assert step_s * (long - short) * CLOCK >= 0.25 or long == largest
    assert [(s.turn, s.repeats) for s in measured] == [(t, n) for t in range(4) for n in (short, long)]


@settings(deadline=None, max_examples=60)
@given(st.floats(0, 0.2), st.floats(1e-4, 0.5), st.integers(2, 2_000))
def test_a_steps_cost_comes_out_whatever_a_fit_costs(fixed_s: float, step_s: float, largest: int) -> None:
    """From a worker's costs to the summary's value: the fixed cost of calling `fit` is in no step."""
    worker = FakeWorker(linear(step_s, fixed_s=fixed_s), largest=largest)
    (runner,), _ = take_turns([prepared(worker, "train", "fit")], number=6)
    found = paired_ratio.seconds([runner.record(0)])
    assert found.value == pytest.approx(step_s, rel=1e-6)
    assert found.spread < 1e-6


def test_the_search_for_lengths_is_warm_up() -> None:
    """Blocks that only looked for a length count in no median."""
    runner = prepared(FakeWorker(linear(0.001, fixed_s=0.05), largest=781), "train", "fit")
    assert len(runner.samples) > 3
    assert all(s.warmup for s in runner.samples)


@pytest.mark.parametrize("path", paths.PATHS, ids=lambda path: f"{path.phase} {path.name}")
def test_only_a_path_whose_cost_is_a_line_has_two_lengths(path: paths.Path) -> None:
    """The repeats of every other one are calls, each with its whole cost."""
    assert len(prepared(FakeWorker(linear(0.05)), path.phase, path.name).lengths) == 1 + path.slope


def test_a_fit_of_one_batch_has_one_length() -> None:
    """Where the reviews fill no second batch, there is no line to read a slope from."""
    assert prepared(FakeWorker(linear(0.05), largest=1), "train", "fit").lengths == (1,)


@pytest.mark.parametrize("error", [RequestFailed("ValueError: made"), WorkerLost("b: ended by SIGKILL")], ids=repr)
@pytest.mark.parametrize("at", [0, 1, 3])
def test_a_runner_that_fails_is_dropped_and_the_others_continue(at: int, error: WorkFailed) -> None:
    """One lost worker costs its own cell, no turn of another target; it is asked nothing further."""
    workers = {name: FakeWorker(linear(0.05), name=name) for name in "ac"}
    workers["b"] = FakeWorker(linear(0.05), name="b", errors={3 + at: error})
    finished, dropped = take_turns([prepared(workers[name]) for name in "abc"], number=4)
    assert sorted(runner.cell.target for runner in finished) == ["a", "c"]
    assert all(sum(not s.warmup for s in runner.samples) == 4 for runner in finished)
    assert dropped == [("b", error)]
    assert len(workers["b"].requests) == 4 + at


@pytest.mark.parametrize("at", [0, 1, 3])
def test_a_lost_worker_takes_all_its_paths_with_it(at: int) -> None:
    """Its process held them all: each is reported, none is retried, and the other target's paths continue."""
    error = WorkerLost("b: ended by SIGKILL")
    lost = FakeWorker(linear(0.05), name="b", errors={6 + at: error})
    kept = FakeWorker(linear(0.05), name="a")
    runners = [prepared(worker, path=path) for path in ("train_on_batch", "floor") for worker in (kept, lost)]
    finished, dropped = take_turns(runners, number=4)
    assert sorted(runner.cell.name for runner in finished) == [
        "dense train floor 512 a",
        "dense train train_on_batch 512 a",
    ]
    assert dropped == [("b", error), ("b", error)]
    assert len(lost.requests) == 7 + at


def test_a_request_that_fails_costs_its_own_path_alone() -> None:
    """The worker lives: the other path of the same worker takes all its turns."""
    worker = FakeWorker(linear(0.05), errors={6: RequestFailed("ValueError: made")})
    finished, dropped = take_turns([prepared(worker, path=path) for path in ("train_on_batch", "floor")], number=4)
    assert len(finished) == len(dropped) == 1
    assert [s.turn for s in finished[0].samples if not s.warmup] == [0, 1, 2, 3]


def test_if_all_fail_no_runner_is_left() -> None:
    """And each is told."""
    runners = [prepared(FakeWorker(linear(0.05), name=n, errors={3: WorkerLost(n)})) for n in "ab"]
    finished, dropped = take_turns(runners)
    assert finished == []
    assert sorted(name for name, _ in dropped) == ["a", "b"]


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_failure_before_the_first_turn_is_the_callers(at: int) -> None:
    """Preparing and warming up raise: the session decides what becomes of the target."""
    with pytest.raises(RequestFailed, match="made"):
        prepared(FakeWorker(linear(0.05), errors={at: RequestFailed("made")}))


def test_without_runners_nothing_happens() -> None:
    """No target could prepare the operation: the failures are kept already."""
    assert take_turns([]) == ([], [])


@dataclass
class Clock:
    """Seconds that pass only while a block runs; each block's cell and its span."""

    now_s: float = 0.0
    spans: list[tuple[Cell, int, float, float]] = field(default_factory=list)


def clocked(runner: CellRunner, clock: Clock) -> CellRunner:
    """Let the blocks of ``runner`` take their seconds from ``clock``, and note when they ran."""
    block = runner.block

    def run(*, turn: int, **how: Any) -> Sample:
        sample = block(turn=turn, **how)
        clock.spans.append((runner.cell, turn, clock.now_s, clock.now_s + sample.duration_s))
        clock.now_s += sample.duration_s
        return sample

    runner.block = run  # type: ignore[method-assign]
    return runner


def test_two_seconds_of_disturbance_touch_one_turn_of_any_cell_of_a_default_run() -> None:
    """Whenever they begin: the turns of a step lie apart, since all steps of the replicate go round together.

    A step costs a millisecond and a call too, so that blocks are as short as they get.
    """
    profile, clock = PROFILES["default"], Clock()
    targets = [Target("jax"), Target("tensorflow")]
    (group,) = together(timings(list(RECIPES.values()), targets, profile, 1))
    steps = []
    for step in group:
        assert isinstance(step, Timing)
        block_s = (profile.block_s or 0.0) if step.phase == "train" else interleave.BLOCK_S
        runners = [interleave.prepare(one, FakeWorker(linear(1e-3)), block_s=block_s) for one in step.cells]
        warm = interleave.warmed_up(runners, drop=refuse)
        calls = profile.calls if step.latency else None
        steps.append(interleave.StepCells([clocked(runner, clock) for runner in warm], profile.turns, calls))
    interleave.take_turns(steps, order=random.Random(0), drop=refuse)

    turns: dict[tuple[Cell, int], list[float]] = {}
    for one, turn, begun, ended in clock.spans:
        turns.setdefault((one, turn), []).extend((begun, ended))
    for one in {one for one, _ in turns}:
        mine = sorted((min(span), max(span)) for (other, _), span in turns.items() if other == one)
        assert len(mine) == profile.turns
        assert all(later[0] - earlier[1] > 2.0 for earlier, later in pairwise(mine)), one


def test_cells_that_are_compared_stay_neighbours() -> None:
    """Going round all steps must not part the cells of one: their blocks of a turn follow each other."""
    journal: Journal = []
    groups = [
        interleave.StepCells(warm_runners(journal, path_names=(path,)), 4) for path in ("train_on_batch", "floor")
    ]
    journal.clear()
    interleave.take_turns(groups, order=random.Random(0), drop=refuse)
    assert [path for _, path in journal[::2]] == [path for _, path in journal[1::2]]
    assert [path for _, path in journal[::2]] == ["train_on_batch", "floor"] * 4


def busy(monkeypatch: pytest.MonkeyPatch, *outside_s: float) -> None:
    """Let other programs take these processor seconds during one block after another, then none."""
    moments = chain.from_iterable((0.0, share + 0.25) for share in chain(outside_s, repeat(0.0)))
    monkeypatch.setattr(
        machine, "moment", lambda: machine.Moment(load_1min=0.0, steal_s=0.0, busy_s=next(moments)), raising=True
    )
    monkeypatch.setattr(time, "process_time", lambda: 0.0)


def test_a_disturbed_turn_is_taken_again_and_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other programs took half a second of the second turn of both: a fourth stands in for it, the record keeps all."""
    runners = warm_runners([])
    busy(monkeypatch, 0.0, 0.0, 0.5, 0.0)
    interleave.take_turns([interleave.StepCells(runners, 3, extra=2)], order=random.Random(0), drop=refuse)
    for runner in runners:
        samples = [sample for sample in runner.samples if not sample.warmup]
        assert [sample.turn for sample in samples] == [0, 1, 2, 3]
        assert [sample.counts for sample in samples] == [True, False, True, True]
        assert set(paired_ratio.per_repeat_s(runner.record(0))) == {0, 2, 3}
    measured = [sample for runner in runners for sample in runner.samples if not sample.warmup]
    assert sum(sample.outside_s for sample in measured) == pytest.approx(0.5)


def test_turns_are_taken_again_within_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is busy all the time is measured all the same, and what was measured says so."""
    runners = warm_runners([])
    busy(monkeypatch, *[0.5] * 100)
    interleave.take_turns([interleave.StepCells(runners, 4, extra=2)], order=random.Random(0), drop=refuse)
    for runner in runners:
        counts = [sample.counts for sample in runner.samples if not sample.warmup]
        assert (len(counts), sum(counts)) == (6, 4)


@pytest.mark.parametrize(("outside_s", "expected"), [(0.0, False), (0.009, False), (0.029, False), (0.11, True)])
def test_a_turn_is_disturbed_from_a_few_percent_on(
    monkeypatch: pytest.MonkeyPatch, outside_s: float, expected: bool
) -> None:
    """5 % of two processors over two half seconds are 0.1 s; the system's clock may be 30 ms off."""
    monkeypatch.setattr(machine, "processors", lambda: 2)
    short = [Sample(repeats=1, duration_s=0.5, outside_s=outside_s / 2) for _ in range(2)]
    assert interleave.disturbed(short) is expected
    stolen = [Sample(repeats=1, duration_s=0.5, steal_s=outside_s)]
    assert interleave.disturbed(stolen) is expected


def refuse(runner: CellRunner, error: WorkFailed) -> None:
    """Let no runner fail."""
    raise AssertionError(f"{runner.cell.name}: {error}")
