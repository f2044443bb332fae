"""Tests of the comparison: seconds of a cell and ratios of two, worked by hand and by their symmetries."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.analysis import paired_ratio
from bench.records.schema import Sample, TimingRecord
from tests.bench import made

SECONDS = st.floats(1e-6, 1e3)
# Student's t at two-sided 95 %, from the printed tables, for one and two degrees of freedom.
T1, T2 = 12.7062, 4.30265


def cells(*replicates: Sequence[float], path: str = "floor") -> list[TimingRecord]:
    """Return a cell's replicates: in each, one block a turn that lasts so many seconds."""
    found = made.cell("train", path)
    return [made.timing(found, made.blocks(*seconds), replicate=number) for number, seconds in enumerate(replicates)]


@st.composite
def pairs(draw: st.DrawFn) -> tuple[list[TimingRecord], list[TimingRecord]]:
    """Draw the replicates of two cells that took the same turns."""
    replicates, turns = draw(st.integers(1, 4)), draw(st.integers(1, 7))
    many = st.lists(st.lists(SECONDS, min_size=turns, max_size=turns), min_size=replicates, max_size=replicates)
    return cells(*draw(many)), cells(*draw(many))


def scaled(records: Sequence[TimingRecord], factor: float) -> list[TimingRecord]:
    """Return the same records from a machine that takes ``factor`` times as long."""
    samples = [[replace(s, duration_s=factor * s.duration_s) for s in r.samples] for r in records]
    return [r.model_copy(update={"samples": s}) for r, s in zip(records, samples, strict=True)]


def test_a_repeats_seconds_are_its_blocks_share() -> None:
    """Blocks of four repeats that last 2 s, 4 s and 6 s: 0.5, 1.0 and 1.5 s a repeat; warm-up counts in none."""
    record = made.timing(made.cell("train", "train_on_batch"), made.blocks(2.0, 4.0, 6.0, repeats=4))
    assert paired_ratio.per_repeat_s(record) == {0: 0.5, 1: 1.0, 2: 1.5}


def test_a_fits_seconds_are_the_slope_between_its_lengths() -> None:
    """Half a second for calling `fit` at all, whatever the step costs: it is in no step, and told beside."""
    record = made.timing(made.cell(), made.fits(0.01, 0.02, 0.03))
    assert paired_ratio.per_repeat_s(record) == pytest.approx({0: 0.01, 1: 0.02, 2: 0.03})
    assert paired_ratio.per_call_s(record) == pytest.approx([0.5] * 3)


def test_a_latencys_seconds_are_the_median_call_of_each_turn() -> None:
    """One slow call of a turn is a matter of the percentiles: 1, 2 and 90 ms have the median 2 ms."""
    record = made.timing(made.cell("predict", "predict"), made.calls([0.001, 0.002, 0.09], [0.004]))
    assert paired_ratio.per_repeat_s(record) == {0: 0.002, 1: 0.004}


@pytest.mark.parametrize(("path", "samples"), [("floor", made.blocks(1.0, 2.0)), ("predict", made.calls([0.1], [0.1]))])
def test_what_is_no_line_has_no_cost_beside_its_repeats(path: str, samples: list[Sample]) -> None:
    """One length tells no slope, so it tells no fixed cost either."""
    phase = "predict" if path == "predict" else "train"
    assert paired_ratio.per_call_s(made.timing(made.cell(phase, path), samples)) == []


def test_one_replicate_has_the_interval_of_its_own_median() -> None:
    """Six turns of 10 to 60 ms: median 35 ms, from the lowest to the highest (Conover's ranks for six)."""
    found = paired_ratio.seconds(cells((0.06, 0.01, 0.05, 0.02, 0.04, 0.03)))
    assert (found.value, found.low, found.high, found.count) == pytest.approx((0.035, 0.01, 0.06, 6))


def test_several_replicates_have_students_interval_over_processes() -> None:
    """Medians of 1 s and 4 s: centre 2 s; half = t · s/√2 = 12.7062 · (log 4/√2)/√2, which is 12.7062 · log 2.

    However steady each process was, two of them say little.
    """
    found = paired_ratio.seconds(cells((1.0, 1.0, 9.0), (4.0, 4.0, 0.1)))
    assert found.value == pytest.approx(2.0)
    assert (found.low, found.high) == pytest.approx((2 * 2**-T1, 2 * 2**T1), rel=1e-4)
    assert found.count == 2


def test_a_replicate_whose_slope_is_nothing_is_left_out() -> None:
    """Noise can give a slope at or below zero; the other processes still tell the step."""
    good, bad = (made.timing(made.cell(), made.fits(*[step] * 3), replicate=n) for n, step in enumerate((0.02, -0.01)))
    assert paired_ratio.seconds([good, bad]).value == pytest.approx(0.02)


def test_where_every_slope_is_nothing_there_is_no_number() -> None:
    """Neither a speed of zero nor an endless one: none at all."""
    records = [made.timing(made.cell(), made.fits(0.0, 0.0, 0.0), replicate=number) for number in (0, 1)]
    found = paired_ratio.seconds(records)
    assert math.isnan(found.value)
    assert found.spread == found.inverted(512).value == math.inf


def test_a_ratio_is_the_median_over_turns_of_neighbouring_blocks() -> None:
    """1/1, 8/2 and 9/9 have the median 1; the medians 8 and 2, which never were neighbours, would say 4."""
    found = paired_ratio.ratio(cells((1.0, 8.0, 9.0)), cells((1.0, 2.0, 9.0)))
    assert found is not None
    assert (found.value, found.low, found.high, found.count) == (1.0, 0.0, math.inf, 3)


def test_one_replicates_ratio_has_the_interval_of_its_turns() -> None:
    """Six turns with the ratios 1 to 32 in powers of two: √(4 · 8) between 1 and 32, since ratios have a log scale."""
    found = paired_ratio.ratio(cells((1.0, 4.0, 2.0, 8.0, 32.0, 16.0)), cells((1.0,) * 6))
    assert found is not None
    assert (found.value, found.low, found.high) == pytest.approx((math.sqrt(32), 1.0, 32.0))


def test_turns_are_paired_by_their_number() -> None:
    """A turn that one cell lacks has no neighbour: 6/3 and 8/2 are left of three, never 4/3 or 6/2."""
    others = [r.model_copy(update={"samples": [s for s in r.samples if s.turn != 0]}) for r in cells((1.0, 3.0, 2.0))]
    found = paired_ratio.ratio(cells((4.0, 6.0, 8.0)), others)
    assert found is not None
    assert (found.value, found.count) == (pytest.approx(math.sqrt(2 * 4)), 2)


def test_a_slope_of_nothing_has_no_ratio() -> None:
    """A turn whose slope is at or below zero is left out, on either side; where none is left, there is no ratio."""
    line, floor = [made.timing(made.cell(), made.fits(0.02, 0.0, -0.04))], cells((0.01, 0.01, 0.01))
    for found, expected in ((paired_ratio.ratio(line, floor), 2.0), (paired_ratio.ratio(floor, line), 0.5)):
        assert found is not None
        assert (found.value, found.count) == (pytest.approx(expected), 1)
    assert paired_ratio.ratio([made.timing(made.cell(), made.fits(0.0))], floor) is None


def test_blocks_of_different_replicates_are_never_compared() -> None:
    """Another process, another time: nothing that they share would cancel."""
    first, second, third = cells((2.0,), (30.0,), (800.0,))
    other = cells((1.0,), (10.0,))
    assert paired_ratio.ratio([third], other) is None
    found = paired_ratio.ratio([third, second], other)
    assert found is not None
    assert (found.value, found.count) == (pytest.approx(3.0), 1)
    assert paired_ratio.ratio([first, second], other) == paired_ratio.ratio([second, first], other[::-1])


@pytest.mark.parametrize(
    ("ratios", "centre", "half"),
    # Logarithms to the base 2. Of 0 and 2: mean 1, s = √2, t · s/√2 = 12.7062. Of 0, 1 and 2: s = 1, 4.30265/√3.
    [((1.0, 4.0), 1, T1), ((1.0, 2.0, 4.0), 1, T2 / math.sqrt(3)), ((8.0, 8.0, 8.0), 3, 0)],
)
def test_over_replicates_a_ratio_has_students_interval(ratios: Sequence[float], centre: float, half: float) -> None:
    """One value a process: how steady its turns were, and how many, widens or narrows nothing."""
    first = cells(*[(100 * ratio, ratio, 0.01 * ratio) for ratio in ratios])
    found = paired_ratio.ratio(first, cells(*[(100.0, 1.0, 0.01)] * len(ratios)))
    assert found is not None
    assert found.value == pytest.approx(2**centre)
    assert (found.low, found.high) == pytest.approx((2 ** (centre - half), 2 ** (centre + half)), rel=1e-4)
    assert found.count == len(ratios)


def test_a_drift_that_touches_both_cancels() -> None:
    """A machine twice as slow with each turn, and ten times from process to process: still 1.5, to a hair."""
    drifts = [[10**replicate * 2.0**turn for turn in range(6)] for replicate in range(3)]
    first, second = (cells(*[[cost * slow for slow in drift] for drift in drifts]) for cost in (3.0, 2.0))
    for records, others in ((first, second), (first[:1], second[:1])):
        found = paired_ratio.ratio(records, others)
        assert found is not None
        assert (found.value, found.low, found.high) == pytest.approx((1.5, 1.5, 1.5))
    assert paired_ratio.seconds(first).spread > 1


@settings(deadline=None)
@given(pairs())
def test_a_ratio_turned_round_is_the_reciprocal(two: tuple[list[TimingRecord], list[TimingRecord]]) -> None:
    """Twice as fast is the other half as fast, bounds included, whichever is named first."""
    there, back = paired_ratio.ratio(*two), paired_ratio.ratio(*reversed(two))
    assert there is not None
    assert back is not None
    assert there.value * back.value == pytest.approx(1.0)
    for low, high in ((there.low, back.high), (back.low, there.high)):
        assert high == pytest.approx(1 / low if low else math.inf, rel=1e-6)


@settings(deadline=None)
@given(pairs(), st.floats(0.01, 10))
def test_a_machine_of_another_speed_changes_no_ratio(
    two: tuple[list[TimingRecord], list[TimingRecord]], factor: float
) -> None:
    """What slows both cells down alike falls out; what slows one down is the ratio's factor."""
    plain = paired_ratio.ratio(*two)
    both = paired_ratio.ratio(*(scaled(records, factor) for records in two))
    one = paired_ratio.ratio(scaled(two[0], factor), two[1])
    assert plain is not None
    assert both is not None
    assert one is not None
    assert (both.value, both.low, both.high) == pytest.approx((plain.value, plain.low, plain.high), rel=1e-6)
    assert one.value == pytest.approx(factor * plain.value)


@settings(deadline=None)
@given(pairs())
def test_a_cell_is_as_fast_as_itself(two: tuple[list[TimingRecord], list[TimingRecord]]) -> None:
    """Compared with itself every cell has the ratio 1, however noisy it is."""
    found = paired_ratio.ratio(two[0], two[0])
    assert found is not None
    assert found.value == 1.0
    assert found.low <= 1.0 <= found.high
