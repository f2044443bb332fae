"""The roofline: the machine's one peak, and what it allows for a cell; worked by hand."""

from __future__ import annotations

import pytest

from bench.analysis import roofline
from bench.analysis.rows import TimingRow
from bench.plan import flops, traffic
from models.recipes import DENSE, LSTM, POOLING_LOGITS, RECIPES, Recipe
from tests.bench import made
from tests.bench.made import rates

MIB = 2**20
MACHINE = [
    made.peaks("jax-cpu", gflops=(90.0, 200.0), memory=[rates("jax copy", 256 * MIB, 7.0, 8.0)]),
    made.peaks(
        "tensorflow-cpu",
        gflops=(100.0, 98.0),
        memory=[rates("tensorflow copy", 256 * MIB, 29.0, 30.0), rates("numpy add", MIB, 90.0, 120.0)],
    ),
]


def timed(recipe: Recipe, phase: str, *, seconds: float, batch_size: int) -> TimingRow:
    """Return a timing with an interval from 4/5 to 5/4 of its seconds."""
    cell = made.cell(phase, "compiled", recipe=recipe.name, batch_size=batch_size)
    bounds = {"seconds": seconds, "seconds_low": seconds * 0.8, "seconds_high": seconds * 1.25}
    return TimingRow(**cell.model_dump(), **bounds, processes=3, steady=True, excluded=False)


def machine() -> roofline.Peaks:
    found = roofline.peaks(MACHINE)
    assert found is not None
    return found


def test_the_machine_has_one_peak_whoever_reached_it() -> None:
    """The best repeat of the best way: 200 GFLOP/s by JAX, 30 GB/s by TensorFlow, 120 in a cache by NumPy."""
    found = [(row.reached_by, row.product_gflops, row.copy_gb_per_s) for row in machine().rows]
    assert found == [("jax product", 200.0, None), ("numpy add", None, 120.0), ("tensorflow copy", None, 30.0)]
    assert {row.target for row in machine().rows} == {None}


def test_without_a_measurement_there_is_no_peak() -> None:
    """A comparison measures none, and a lost line costs the table, not the report."""
    assert roofline.peaks([]) is None


@pytest.mark.parametrize(
    ("size", "gb_per_s"), [(1, 120.0), (MIB, 120.0), (100 * MIB, 120.0), (256 * MIB, 30.0), (2**40, 30.0)]
)
def test_a_cells_bandwidth_is_measured_with_arrays_no_larger_than_its_own(size: int, gb_per_s: float) -> None:
    """A cache may hold what is smaller than 256 MiB: only from there on is memory alone the limit."""
    assert machine().gb_per_s(size) == gb_per_s


def test_a_larger_set_that_moved_faster_counts_for_smaller_ones() -> None:
    """What interrupted the smaller measurement is no limit of the machine."""
    found = roofline.peaks([made.peaks(memory=[rates("numpy add", MIB, 20.0), rates("numpy add", 256 * MIB, 30.0)])])
    assert found is not None
    assert found.gb_per_s(MIB) == 30.0


def test_a_memory_bound_cell_is_shown_as_one() -> None:
    """A pooling-logits step of 32 moves 6,219,492 bytes for 2,179,276 operations: 52 us of memory, 11 of products."""
    found = roofline.row(timed(POOLING_LOGITS, "train", seconds=518.291e-6, batch_size=32), POOLING_LOGITS, machine())
    assert (found.bound, found.peak_gb_per_s, found.working_set_bytes) == ("memory", 120.0, 2_596_624)
    assert found.intensity == pytest.approx(2_179_276 / 6_219_492)
    assert found.gb_per_s == pytest.approx(12.0)
    assert found.bound_share == pytest.approx(0.1)


def test_a_compute_bound_cell_is_shown_as_one_with_the_interval_of_its_seconds() -> None:
    """512 predictions of the lstm are 5.037 GFLOP: 25.19 ms at 200 GFLOP/s, half of 50.37 ms; 40.30 to 62.97 ms."""
    found = roofline.row(timed(LSTM, "predict", seconds=50.37424640e-3, batch_size=512), LSTM, machine())
    assert (found.bound, found.peak_gflops) == ("compute", 200.0)
    assert found.gflops == pytest.approx(100.0)
    assert (found.bound_share, found.bound_share_low, found.bound_share_high) == pytest.approx((0.5, 0.4, 0.625))


def test_a_cell_without_seconds_or_without_an_interval_has_no_share_of_its_own() -> None:
    """What was not measured is not shown as nothing, and never as all."""
    row = timed(DENSE, "train", seconds=0.01, batch_size=512)
    alone = roofline.row(row.model_copy(update={"seconds_low": None, "seconds_high": None}), DENSE, machine())
    assert (alone.bound_share_low, alone.bound_share_high) == (None, None)
    lost = roofline.row(row.model_copy(update={"seconds": None}), DENSE, machine())
    assert (lost.gflops, lost.gb_per_s, lost.bound_share) == (None, None, None)


@pytest.mark.parametrize("name", RECIPES)
def test_the_bound_is_the_later_of_the_two_peaks(name: str) -> None:
    """A step can end no earlier than its products and no earlier than its bytes."""
    recipe, peaks = RECIPES[name], machine()
    found = roofline.row(timed(recipe, "train", seconds=1.0, batch_size=512), recipe, peaks)
    moved = traffic.step(recipe, 512)
    compute_s = flops.step_flops(recipe, 512) / 200e9
    memory_s = moved.moved_bytes / peaks.gb_per_s(moved.working_set_bytes) / 1e9
    assert found.bound_share == pytest.approx(max(compute_s, memory_s))
    assert found.bound == ("compute" if compute_s >= memory_s else "memory")
