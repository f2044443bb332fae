"""Tests of the clock: what lies between its two readings, with an operation and a clock that are made."""

from __future__ import annotations

import gc
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from bench.records.schema import Sample
from bench.worker import clock
from bench.worker.clock import Operation


@pytest.fixture(autouse=True)
def frozen() -> None:
    """Freeze, as a worker does once a framework is imported: a test before may have imported one into this process."""
    clock.freeze()


class FakeDevice:
    """A device on which a repeat takes 3 ms to send and 5 ms to compute; it notes what happens, and its clock."""

    def __init__(self) -> None:
        self.now_ms = 0
        self.events: list[str] = []
        self._pending = 0

    def run(self, repeats: int) -> int:
        self.events.append(f"run {repeats}")
        self.now_ms += 3 * repeats
        self._pending = repeats
        return repeats

    def wait(self, result: int) -> None:
        self.events.append(f"wait {result}")
        self.now_ms += 5 * self._pending
        self._pending = 0

    def now(self) -> float:
        self.events.append("now")
        return self.now_ms / 1000

    def second(self) -> float:
        return self.now_ms / 1000

    @property
    def operation(self) -> Operation:
        return Operation(self.run, self.wait, {"reviews": 512.0})


@contextmanager
def collections_noted() -> Iterator[list[str]]:
    """Note each start of a garbage collection."""
    noted: list[str] = []

    def note(when: str, _: dict[str, int]) -> None:
        if when == "start":
            noted.append("collected")

    gc.callbacks.append(note)
    try:
        yield noted
    finally:
        gc.callbacks.remove(note)


@pytest.mark.parametrize("repeats", [1, 2, 50])
def test_one_clock_spans_a_block_and_the_devices_work(repeats: int) -> None:
    """Throughput: the clock starts before the first repeat and stops when the last result is there."""
    made = FakeDevice()
    answer = clock.block(made.operation, repeats=repeats, each=False, now=made.now, second=made.second)
    assert made.events == ["now", "now", f"run {repeats}", f"wait {repeats}", "now", "now"]
    assert answer["duration_s"] == pytest.approx(0.008 * repeats)
    assert (answer["repeats"], answer["calls_s"]) == (repeats, None)


@pytest.mark.parametrize("each", [False, True])
def test_what_a_call_takes_after_its_work_stands_apart(each: bool) -> None:
    """`fit` on TensorFlow waits for `tf.data` when all steps are done: 40 ms that belong to no step."""
    made = FakeDevice()
    done: list[float] = []

    def wait(result: int) -> None:
        made.wait(result)
        done.append(made.now_ms / 1000)
        made.now_ms += 40

    operation = replace(made.operation, wait=wait, ended=lambda: done[-1])
    answer = clock.block(operation, repeats=2, each=each, now=made.now, second=made.second)
    assert answer["duration_s"] == pytest.approx(0.016)
    assert answer["after_s"] == pytest.approx(0.080 if each else 0.040)
    assert Sample(**answer).after_s == answer["after_s"]


def test_work_that_ended_before_it_began_is_refused() -> None:
    """A moment that is left from an earlier run would make a duration below zero."""
    made = FakeDevice()
    operation = replace(made.operation, ended=lambda: -1.0)
    with pytest.raises(clock.ClockError):
        clock.block(operation, repeats=1, each=False, now=made.now, second=made.second)


@pytest.mark.parametrize("repeats", [1, 2, 50])
def test_each_call_has_a_clock_and_a_wait_of_its_own(repeats: int) -> None:
    """Latency: the device is idle when a call starts, so no call pays for the one before it."""
    made = FakeDevice()
    answer = clock.block(made.operation, repeats=repeats, each=True, now=made.now, second=made.second)
    assert made.events == ["now", *["now", "run 1", "wait 1", "now"] * repeats, "now"]
    assert answer["calls_s"] == pytest.approx([0.008] * repeats)
    assert answer["duration_s"] == pytest.approx(sum(answer["calls_s"]))


def test_the_lead_of_a_block_is_done_before_its_clock_starts() -> None:
    """The first calls after another process's work pay for caches; they are no part of the block."""
    made = FakeDevice()
    answer = clock.block(made.operation, repeats=4, each=False, lead=2, now=made.now, second=made.second)
    assert made.events == ["run 2", "wait 2", "now", "now", "run 4", "wait 4", "now", "now"]
    assert answer["repeats"] == 4


@pytest.mark.parametrize("each", [False, True])
def test_garbage_is_collected_before_a_block_and_never_inside(each: bool) -> None:
    """A collection takes milliseconds and would fall on whichever target happens to run."""
    inside: list[bool] = []

    def run(repeats: int) -> None:
        inside.append(gc.isenabled())
        noted.append("run")
        for _ in range(5_000):  # more cycles than the youngest generation holds
            cycle: list[Any] = []
            cycle.append(cycle)

    with collections_noted() as noted:
        clock.block(Operation(run, lambda _: None, {}), repeats=2, each=each)
    assert not any(inside)
    assert noted[: 1 + len(inside)] == ["collected", *["run"] * len(inside)]
    assert gc.isenabled()


@pytest.mark.parametrize("failing", ["run", "wait"])
def test_collection_is_on_again_after_an_operation_that_raised(failing: str) -> None:
    """The worker lives on after a failed request, and must not fill the memory."""

    def fail(_: object) -> None:
        raise MemoryError("made")

    calls: dict[str, Callable[[Any], Any]] = {"run": lambda repeats: repeats, "wait": lambda _: None}
    calls[failing] = fail
    with pytest.raises(MemoryError):
        clock.block(Operation(calls["run"], calls["wait"], {}), repeats=1, each=False)
    assert gc.isenabled()


@pytest.mark.parametrize("each", [False, True])
def test_a_blocks_answer_is_a_sample_of_the_record(each: bool) -> None:
    """What the worker says is what the record keeps: no field is lost or renamed on the way."""
    answer = clock.block(FakeDevice().operation, repeats=3, each=each)
    sample = Sample(**answer)
    assert sample.repeats == 3
    assert sample.processor_s >= 0
    assert sample.switches >= 0
    assert set(answer) == {"repeats", "duration_s", "calls_s", "processor_s", "switches"}


# What a clock shows while 80 ms pass: each is wrong in its own way.
WRONG = {
    "stands still": lambda true_s: 5.0,
    "goes back": lambda true_s: 5.0 - true_s,
    "at half speed": lambda true_s: true_s / 2,
    "2 % too fast": lambda true_s: true_s * 1.02,
    "jumps ahead": lambda true_s: true_s + 3600.0 * (true_s > 0.02),
    "is no number": lambda true_s: float("nan"),
}


@pytest.mark.parametrize("each", [False, True])
@pytest.mark.parametrize("name", WRONG)
def test_a_clock_that_is_wrong_is_found_by_a_second_one(name: str, each: bool) -> None:
    """Durations of zero and below were shown as speeds: no block of such a clock is a sample."""
    made = FakeDevice()
    wrong = WRONG[name]
    with pytest.raises(clock.ClockError, match="expected"):
        clock.block(made.operation, repeats=10, each=each, now=lambda: wrong(made.now_ms / 1000), second=made.second)


@pytest.mark.parametrize(
    ("readings", "reason"),
    [
        ((0.0, 0.0, 1.0, 0.1, 1.1, 1.1), r"calls that fit into 1.100000 s; they add up to 2.000000 s"),
        ((0.0, 0.5, 0.4, 0.4, 1.1, 1.1), r"seconds above zero; the clock measured -0.0"),
    ],
)
def test_a_clock_that_hops_and_hops_back_is_found_by_itself(readings: tuple[float, ...], reason: str) -> None:
    """Over the whole block both clocks agree; only the calls inside it tell."""
    operation = Operation(lambda repeats: repeats, lambda _: None, {})
    second = iter([0.0, 0.0, 1.1, 1.1]).__next__
    with pytest.raises(clock.ClockError, match=reason):
        clock.block(operation, repeats=2, each=True, now=iter(readings).__next__, second=second)


def test_a_process_that_is_interrupted_between_its_clocks_is_not_blamed() -> None:
    """On a busy machine it loses a tenth of a second between two readings: the second clock's own bracket shows it."""
    made = FakeDevice()
    readings = itertools.count()

    def second() -> float:
        made.now_ms += 100 * (next(readings) in (1, 3))
        return made.now_ms / 1000

    assert clock.block(made.operation, repeats=2, each=False, now=made.now, second=second)["duration_s"] == 0.016


def test_the_clocks_of_this_machine_agree() -> None:
    """Whatever it does meanwhile: the check costs no good block."""
    for _ in range(20):
        clock.block(Operation(lambda n: sum(range(1000 * n)), lambda _: None, {}), repeats=3, each=True)


@pytest.mark.parametrize(("each", "lead", "untimed"), [(False, 0, []), (False, 4, ["run 4"]), (True, 0, ["run 1"])])
def test_weights_move_before_the_clock_starts(each: bool, lead: int, untimed: list[str]) -> None:
    """What they cost in new memory at first is paid before: by the lead, or by one call where each is timed."""
    made = FakeDevice()

    def move() -> None:
        made.events.append("moved")
        made.now_ms += 1_000

    operation = replace(made.operation, move=move)
    answer = clock.block(operation, repeats=2, each=each, lead=lead, now=made.now, second=made.second)
    assert answer["duration_s"] == pytest.approx(0.016)
    begun = [event for event in made.events[: made.events.index("now")] if not event.startswith("wait")]
    assert begun == ["moved", *untimed]


def test_processor_time_is_the_blocks_own() -> None:
    """Beside a slow sample, it tells whether the worker worked or waited."""

    def burn(_: int) -> None:
        sum(range(300_000))

    before = clock.resource.getrusage(clock.resource.RUSAGE_SELF)
    answer = clock.block(Operation(burn, lambda _: None, {}), repeats=1, each=False)
    after = clock.resource.getrusage(clock.resource.RUSAGE_SELF)
    whole = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert 0 < answer["processor_s"] <= whole


@pytest.mark.parametrize(
    ("spans", "seconds"),
    [
        ([], 0.0),
        ([(1.0, 2.0), (3.0, 3.5)], 1.5),
        ([(3.0, 3.5), (1.0, 2.0)], 1.5),
        ([(1.0, 4.0), (2.0, 3.0)], 3.0),
        ([(1.0, 3.0), (2.0, 4.0), (4.0, 5.0)], 4.0),
    ],
)
def test_a_device_is_busy_while_any_of_its_streams_is(spans: list[tuple[float, float]], seconds: float) -> None:
    """Spans come in any order, lie within each other and overlap."""
    assert clock.busy_s(spans) == seconds
