"""Tests of the best paths: only what the run's own ratios prove, of the same work, that Keras itself can do."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.analysis.best_path import worthwhile
from bench.analysis.rows import BestPathRow
from bench.analysis.summary import Summary
from bench.records.schema import Cell, TimingRecord
from tests.bench import made

Measured = tuple[Cell, list[TimingRecord]]


def measured(path: str, *replicates_s: float, phase: str = "train", **where: object) -> Measured:
    """Return a cell with one replicate of three turns for each number of seconds."""
    cell = made.cell(phase, path, **where)  # type: ignore[arg-type]
    three = (lambda s: made.calls(*[[s]] * 3)) if phase == "predict" else (lambda s: made.blocks(*[s] * 3))
    records = [made.timing(cell, three(s), replicate=n) for n, s in enumerate(replicates_s)]
    return cell, records


USUAL = measured("fit", 3.0, 3.0, 3.0)


def found(*cells: Measured) -> list[BestPathRow]:
    """Return the best paths of these cells that are worth a change of code."""
    run = made.run(*[record for _, records in cells for record in records])
    return [row for row in Summary(run, ()).best_paths if worthwhile(row)]


def advised(*others: Measured, usual: Measured = USUAL) -> list[tuple[str, float]]:
    """Return which paths are advised instead of the usual one, and how many times as fast they are."""
    return [(row.path, round(row.speedup or 0.0, 6)) for row in found(usual, *others)]


def test_a_path_that_is_clearly_faster_is_advised() -> None:
    """Half the seconds in each of three processes: twice as fast, with an interval of no width."""
    cell, records = measured("compiled loop", 1.5, 1.5, 1.5)
    (row,) = found(USUAL, (cell, records))
    assert (row.cell, row.usual) == (cell, "fit")
    assert (row.speedup, row.speedup_low, row.speedup_high) == pytest.approx((2.0, 2.0, 2.0))


@pytest.mark.parametrize(("times", "worth"), [(1.06, True), (1.0501, True), (1.05, False), (1.0, False), (0.5, False)])
def test_a_small_advantage_is_not_worth_a_change_of_code(times: float, worth: bool) -> None:
    """From 5 % on, and never where the usual path is the faster one."""
    found = advised(measured("compiled loop", *[3.0 / times] * 3))
    assert bool(found) is worth


@pytest.mark.parametrize(
    ("seconds", "worth"),
    # Times as fast: 2, 2.2 and 2.42 are 2.2 · 1.1^±(4.30265/√3), so 1.74 to 2.79; 1.2, 2.4 and 4.8 are 0.43 to 13.4.
    [((1.5, 3 / 2.2, 3 / 2.42), True), ((3 / 1.2, 3 / 2.4, 3 / 4.8), False)],
)
def test_the_whole_interval_must_lie_above(seconds: Sequence[float], worth: bool) -> None:
    """A centre of 2.4 that may as well be 0.4 is no advice."""
    assert bool(advised(measured("compiled loop", *seconds))) is worth


def test_one_process_of_three_turns_proves_nothing() -> None:
    """Its ratio has no interval, so nothing is said, however large it is."""
    assert advised(measured("compiled loop", 0.001), usual=measured("fit", 3.0)) == []


def test_replicates_that_are_not_the_same_prove_nothing() -> None:
    """A ratio needs blocks that were neighbours."""
    cell, records = measured("compiled loop", 1.0, 1.0, 1.0)
    others = [record.model_copy(update={"replicate": record.replicate + 3}) for record in records]
    assert advised((cell, others)) == []


def test_the_best_one_is_advised() -> None:
    """One line for each usual cell: of several that beat it, the one that beats it most."""
    several = [measured("fit steps=50", *[2.0] * 3), measured("compiled loop", *[1.0] * 3)]
    assert advised(*several) == advised(*several[::-1]) == [("compiled loop", 3.0)]


@pytest.mark.parametrize(
    ("phase", "usual", "path"),
    [
        ("train", "fit", "floor"),
        ("predict", "predict_on_batch", "floor"),
        ("predict", "predict_on_batch", "compiled from text"),
        ("predict", "predict_on_batch", "predict from text"),
    ],
)
def test_other_work_is_never_advised(phase: str, usual: str, path: str) -> None:
    """The floor is no way to drive Keras, and a path from raw text does more than one from arrays."""
    usual_cell = measured(usual, *[3.0] * 3, phase=phase)
    assert advised(measured(path, *[0.1] * 3, phase=phase), usual=usual_cell) == []


@pytest.mark.parametrize(
    "where", [{"target": "tensorflow-cpu"}, {"recipe": "lstm"}, {"batch_size": 32}], ids=lambda where: next(iter(where))
)
def test_cells_that_differ_in_more_than_the_path_are_never_compared(where: dict[str, object]) -> None:
    """Another backend, another model or another batch is another work."""
    assert advised(measured("compiled loop", *[0.1] * 3, **where)) == []


def test_each_usual_cell_has_its_own_advice() -> None:
    """Two targets and two phases: four questions, here three answers."""
    slow = [
        measured(path, *[3.0] * 3, phase=phase, target=target)
        for phase, path in (("train", "fit"), ("predict", "predict_on_batch"))
        for target in ("jax-cpu", "tensorflow-cpu")
    ]
    quick = [
        measured("compiled loop", *[1.0] * 3, target="jax-cpu"),
        measured("compiled", *[1.5] * 3, phase="predict", target="jax-cpu"),
        measured("eager", *[2.0] * 3, phase="predict", target="tensorflow-cpu"),
    ]
    rows = sorted((row.phase == "predict", row.target, row.path, row.usual) for row in found(*slow, *quick))
    assert [(path, target, usual) for _, target, path, usual in rows] == [
        ("compiled loop", "jax-cpu", "fit"),
        ("compiled", "jax-cpu", "predict_on_batch"),
        ("eager", "tensorflow-cpu", "predict_on_batch"),
    ]


def test_without_the_usual_path_there_is_no_advice() -> None:
    """Nothing is faster than what was not measured."""
    assert found(measured("compiled loop", *[1.0] * 3), measured("floor", *[0.5] * 3)) == []


@settings(deadline=None)
@given(st.lists(st.floats(0.1, 10.0), min_size=2, max_size=5), st.lists(st.floats(0.1, 10.0), min_size=2, max_size=5))
def test_advice_always_lies_above_the_threshold_with_its_whole_interval(
    usual_s: list[float], other_s: list[float]
) -> None:
    """Whatever was measured, nothing is advised that may not be worth it."""
    rows = found(measured("fit", *usual_s), measured("compiled loop", *other_s))
    bounds = [(row.speedup_low, row.speedup, row.speedup_high) for row in rows]
    assert all(1.05 < low <= value <= high for low, value, high in bounds if low and value and high)
    assert all(low for low, _, _ in bounds)
