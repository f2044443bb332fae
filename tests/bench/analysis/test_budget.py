"""Tests of the budget: what a further pass times, with costs and widths of intervals that are made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.analysis.planning import budget
from bench.plan import steps
from bench.plan.steps import Startup, Step, Timing
from bench.plan.targets import Target
from bench.records.schema import Cell, TimingRecord
from models.recipes import DENSE
from tests.bench import made

TARGET = Target("jax")
TRAIN = Timing(DENSE, "train", ("fit", "floor"), 512, (TARGET,))
PREDICT = Timing(DENSE, "predict", ("predict", "floor"), 32, (TARGET,))
VECTORIZE = Timing(DENSE, "vectorize", ("encoder", "floor from text"), 1_000, (TARGET,))
STEPS: list[Step] = [TRAIN, PREDICT, VECTORIZE]


def measured(cell: Cell, *medians_s: float, cost_s: float = 10.0) -> list[TimingRecord]:
    """Return a replicate of ``cell`` for each median; each took so many seconds with its first call and warm-up."""
    found = []
    for replicate, median_s in enumerate(medians_s):
        samples = made.blocks(median_s)[1:]
        first_call_s = max(1e-3, cost_s - median_s - 1.0)
        warm = replace(made.blocks()[0], duration_s=1.0)
        found.append(made.timing(cell, [warm, *samples], replicate=replicate, first_call_s=first_call_s))
    return found


def step_measured(step: Timing, *medians_s: float, cost_s: float = 10.0) -> list[TimingRecord]:
    """Return replicates of both cells of ``step``, which cost as much together."""
    return [record for cell in step.cells for record in measured(cell, *medians_s, cost_s=cost_s / 2)]


def chosen(records: Sequence[TimingRecord], left_s: float, steps: Sequence[Step] = STEPS) -> list[str]:
    """Return the names of the steps that are chosen."""
    return [step.name for step in budget.choose(steps, records, left_s=left_s)]


# Two replicates 1 % apart are 12.7 · log(1.01)/2 = 6 % wide; 0.1 % apart 0.6 %, which is narrow; 10 % apart 60 %.
WIDE, WIDER, NARROW = (1.0, 1.01), (1.0, 1.1), (1.0, 1.001)


@pytest.mark.parametrize("left_s", [-5.0, 0.0, 14.9, 27.9])
def test_nothing_is_chosen_once_time_is_out(left_s: float) -> None:
    """A pass costs 15 s beside its cells, and 10 s of clocks come with 3 s around them: 28 s, or no further pass."""
    assert chosen(step_measured(TRAIN, *WIDE), left_s) == []
    assert chosen(step_measured(TRAIN, *WIDE), 28.0) == ["train 512"]


def test_the_widest_comes_first() -> None:
    """15 + 13 + 13 s hold two of three steps: those with the widest intervals, in the order of the plan."""
    records = step_measured(TRAIN, *WIDER) + step_measured(PREDICT, *WIDE) + step_measured(VECTORIZE, 1.0, 1.05)
    assert chosen(records, 28.0) == ["train 512"]
    assert chosen(records, 41.0) == ["train 512", "vectorize 1000"]
    assert chosen(records, 54.0) == ["train 512", "predict 32", "vectorize 1000"]


def test_a_step_is_as_wide_as_its_widest_cell() -> None:
    """Its cells take turns, so they are timed again together."""
    fit, floor = TRAIN.cells
    records = measured(fit, *NARROW, cost_s=5.0) + measured(floor, *WIDER, cost_s=5.0)
    assert chosen(records + step_measured(PREDICT, *WIDE), 28.0) == ["train 512"]


def test_one_replicate_is_the_widest() -> None:
    """Nothing is known of another process, which is more than any interval says; the cheapest such comes first."""
    records = step_measured(TRAIN, 1.0, cost_s=20.0) + step_measured(PREDICT, 1.0) + step_measured(VECTORIZE, 1.0, 3.0)
    assert chosen(records, 28.0) == ["predict 32"]
    assert chosen(records, 41.0) == ["predict 32", "vectorize 1000"]
    assert chosen(records, 54.0) == ["train 512", "predict 32"]


def test_a_steady_process_alone_has_no_interval() -> None:
    """Ten turns that agree tell nothing of another process: its cells are the widest nevertheless."""
    steady = [made.timing(cell, made.blocks(*[0.4] * 10)[1:], first_call_s=1.0) for cell in TRAIN.cells]
    assert chosen(steady, 28.0) == ["train 512"]


def test_what_is_narrow_is_left_alone() -> None:
    """Within 1 % no time is spent on it, however much there is."""
    records = step_measured(TRAIN, *NARROW) + step_measured(PREDICT, *WIDE)
    assert chosen(records, 1e9) == ["predict 32"]
    assert chosen(step_measured(TRAIN, *NARROW), 1e9) == []


def test_a_step_that_is_too_dear_does_not_keep_a_cheaper_one_out() -> None:
    """What is left of the time is used."""
    records = step_measured(TRAIN, *WIDER, cost_s=100.0) + step_measured(PREDICT, *WIDE)
    assert chosen(records, 60.0) == ["predict 32"]


def test_what_never_gave_an_answer_is_not_tried_again() -> None:
    """Its failure is in the record; what it would cost is not known."""
    assert chosen(step_measured(PREDICT, *WIDE), 1e9) == ["predict 32"]
    assert chosen([], 1e9) == []


def test_a_step_costs_what_its_last_replicate_did() -> None:
    """A first pass may have compiled what a later one finds in a cache."""
    first = step_measured(TRAIN, 1.0, cost_s=1000.0)
    later = [record.model_copy(update={"replicate": 1}) for record in step_measured(TRAIN, 1.01)]
    assert chosen([*first, *later], 28.0) == ["train 512"]


def test_starts_are_timed_again_like_everything_else() -> None:
    """Import, build, first step, first prediction and load are five cells of each target."""
    startup = Startup(DENSE, (TARGET,))
    records = [record for cell in steps.step_cells(startup) for record in measured(cell, 1.0, cost_s=2.5)]
    assert chosen(records, 32.0, [startup, *STEPS]) == ["startup"]


@given(
    st.lists(st.tuples(st.floats(1.0, 2.0), st.floats(4.0, 300.0)), min_size=3, max_size=3),
    st.floats(0.0, 1000.0),
)
def test_what_is_chosen_fits_into_the_time_and_keeps_its_order(
    widths_and_costs: list[tuple[float, float]], left_s: float
) -> None:
    """Whatever the widths and costs: a subset of the steps in their order that lasts no longer than what is left."""
    made_up = dict(zip(("train 512", "predict 32", "vectorize 1000"), widths_and_costs, strict=True))
    steps = {"train 512": TRAIN, "predict 32": PREDICT, "vectorize 1000": VECTORIZE}
    records = [r for n, (ratio, cost) in made_up.items() for r in step_measured(steps[n], 1.0, ratio, cost_s=2 * cost)]
    found = chosen(records, left_s)
    assert found == [name for name in made_up if name in found]
    assert not found or 15.0 + sum(1.3 * 2 * made_up[name][1] for name in found) <= left_s * (1 + 1e-9)
