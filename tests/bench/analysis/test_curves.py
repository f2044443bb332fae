"""Scaling curves: what is planned, the exponent that is fitted, and from where on nothing is gained."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.analysis.machine import curves
from bench.analysis.machine.curves import Curve
from bench.plan import curves as plan
from bench.plan.steps import Timing, replicate, step_cells, together
from bench.plan.targets import Target
from bench.records.schema import Cell, Record
from bench.report.charts import scaling
from bench.report.tables import scaling as tables
from datasets.errors import UsageError
from models.recipes import RECIPES
from tests.bench import made

TARGETS = [Target("jax"), Target("tensorflow")]
OVER = {"batch_size": [1, 64], "threads": [1, 2]}
DENSE = RECIPES["dense"]


def test_every_value_is_timed_in_turns_with_the_others() -> None:
    """All values of a recipe's settings in one group of steps; each backend's threads take turns as targets."""
    first, second, *others = plan.passes(DENSE, TARGETS, OVER, replicates=2)
    assert len(together(first)) == 1
    assert {(cell.recipe, cell.batch_size) for step in first for cell in step_cells(step)} == {
        ("dense batch_size=1", 1),
        ("dense batch_size=64", 64),
    }
    timings = [step for step in second if isinstance(step, Timing)]
    assert {tuple(target.name for target in step.targets) for step in timings} == {
        (f"{name}-cpu@threads=1", f"{name}-cpu@threads=2") for name in ("jax", "tensorflow")
    }
    assert [replicate(steps) for steps in others] == [1, 1]


def test_a_prediction_has_as_many_reviews_as_the_batch_that_varies() -> None:
    """Else it has 32 of them."""
    steps = plan.passes(DENSE, TARGETS, {"batch_size": [7], "units": [4]}, replicates=1)[0]
    sizes = [
        (step.recipe.name, step.batch_size) for step in steps if isinstance(step, Timing) and step.phase == "predict"
    ]
    assert sizes == [("dense batch_size=7", 7), ("dense units=4", 32)]


@pytest.mark.parametrize("word", ["0", "-1", "2.5", "many"])
def test_a_value_is_a_whole_number(word: str) -> None:
    with pytest.raises(UsageError, match=f"units: expected whole numbers from 1 on; received {word!r}"):
        plan.values({"units": [word]})


def test_all_threads_are_as_many_as_there_are_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Values come in order, each once."""
    monkeypatch.setattr(plan, "usable_processors", lambda: 8)
    assert plan.values({"threads": ["2", "all", "1", "8"]}) == {"threads": [1, 2, 8]}


def test_a_cell_says_where_it_stands() -> None:
    """Its setting, value and recipe follow from its name alone: a stored run needs nothing else."""
    cells = [cell for steps in plan.passes(DENSE, TARGETS, OVER, replicates=1) for s in steps for cell in step_cells(s)]
    assert {plan.base(cell) for cell in cells} == {"dense"}
    assert {plan.point(cell) for cell in cells} == {(name, value) for name, some in OVER.items() for value in some}


def timed(seconds: dict[int, list[float]], setting: str = "batch_size") -> list[Curve]:
    """Return the curves of a run in which each value took so many seconds in each process."""
    records: list[Record] = []
    for value, each in seconds.items():
        cell = Cell(recipe=f"dense {setting}={value}", phase="train", path="fit", batch_size=value, target="jax-cpu")
        records += [
            made.timing(cell, made.blocks(one), replicate=number).model_copy(update={"work": {"reviews": float(value)}})
            for number, one in enumerate(each)
        ]
    return curves.curves(made.run(*records))


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0])
def test_the_exponent_is_that_of_a_power(exponent: float) -> None:
    """Of processes that differ by a factor, which an exponent does not see."""
    (curve,) = timed({value: [factor * value**exponent for factor in (1.0, 1.3, 0.8)] for value in (1, 8, 64)})
    assert curve.exponent is not None
    assert curve.exponent.value == pytest.approx(exponent, abs=1e-9)
    assert curve.exponent.high - curve.exponent.low == pytest.approx(0.0, abs=1e-9)


def test_the_interval_of_an_exponent_is_over_processes() -> None:
    """Exponents of 0.9, 1.0 and 1.1: their mean, and Student's interval of it."""
    (curve,) = timed({value: [value**power for power in (0.9, 1.0, 1.1)] for value in (1, 10, 100)})
    assert curve.exponent is not None
    half = 4.302653 * 0.1 / 3**0.5
    assert (curve.exponent.low, curve.exponent.high) == pytest.approx((1 - half, 1 + half), abs=1e-6)


@pytest.mark.parametrize("seconds", [{1: [1.0], 2: [2.0]}, {1: [1.0, 1.0, 1.0]}], ids=["one process", "one value"])
def test_one_process_or_value_has_no_exponent(seconds: dict[int, list[float]]) -> None:
    (curve,) = timed(seconds)
    assert curve.exponent is None
    assert len(curve.points) == len(seconds)


def test_nothing_is_gained_from_the_smallest_value_on_that_is_near_the_best() -> None:
    """Of reviews a second: 100, 190, 199 and 200."""
    (curve,) = timed({1: [0.01] * 3, 2: [2 / 190] * 3, 4: [4 / 199] * 3, 8: [0.04] * 3})
    assert curve.gained_until == 2
    assert [round(point.reviews_per_s) for point in curve.points] == [100, 190, 199, 200]


def test_tables_and_chart_show_every_curve() -> None:
    """Values in their order, whatever the order of the records."""
    found = timed({64: [0.02, 0.021], 1: [0.001, 0.0011]}) + timed({1: [0.2], 2: [0.1]}, "units")
    points, exponents = tables.points(found), tables.exponents(found)
    wanted = [column for column in points.columns if column.key in ("setting", "value")]
    shown = [[column.text(row) for column in wanted] for row in points.rows]
    assert shown == [["batch_size", "1"], ["batch_size", "64"], ["units", "1"], ["units", "2"]]
    assert [column.text(exponents.rows[1]) for column in exponents.columns if column.key == "exponent"] != [""]
    assert len(scaling.chart(found, "a machine").to_dict()["concat"]) == 2
    assert replace(found[0], exponent=None).gained_until == 64
