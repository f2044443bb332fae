"""Tests of the table of how sure a run is: medians of half-widths by hand, and what is counted."""

from __future__ import annotations

import pytest

from bench.report.tables.precision import precision
from tests.bench import made, published


def test_half_widths_are_medians_over_cells_that_have_an_interval() -> None:
    """Shares of .5 in .4 to .6, .5 in .49 to .51 and one without bounds: half-widths of 20 and 2 %, so 11 %."""
    one = published.one()
    train = next(row for row in one.timings if row.phase == "train")
    bounds = [(0.4, 0.6), (0.49, 0.51), (None, None)]
    rows = [
        train.model_copy(update={"floor_share": 0.5, "floor_share_low": low, "floor_share_high": high, "steady": False})
        for low, high in bounds
    ]
    table = precision(one.model_copy(update={"timings": rows, "best_paths": []}))
    first, steady = table.rows
    assert (first.figure, first.cells) == ("share of the floor, training", 2)
    assert first.half_width == pytest.approx(0.11)
    assert (steady.figure, steady.cells, steady.such) == ("cells that were not steady when warm-up ended", 3, 3)


def test_a_run_that_timed_nothing_is_not_sure_of_anything() -> None:
    """No row, and so no table."""
    one = published.of_run(made.run(made.training()))
    assert precision(one).rows == ()


def test_comparisons_that_are_told_apart_are_counted() -> None:
    """Two rivals, one of whose intervals excludes one."""
    one = published.one()
    best = next(row for row in one.best_paths if row.fastest)
    rival = {"rival": "tensorflow-cpu", "rival_path": "fit", "advantage": 1.5, "advantage_high": 2.0}
    rows = [best.model_copy(update={**rival, "advantage_low": low}) for low in (1.2, 0.9)]
    table = precision(one.model_copy(update={"best_paths": rows}))
    (told,) = (row for row in table.rows if "told apart" in row.figure)
    assert (told.cells, told.such) == (2, 1)
