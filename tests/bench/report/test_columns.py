"""Tests of the numbers in tables: digits, units and spreads as people read them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.report.tables.columns import MISSING, figure, milliseconds, signed, significant, spread


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "0"),
        (0.0, "0"),
        (1, "1.00"),
        (2.345, "2.35"),
        (2.344, "2.34"),
        (12.34, "12.3"),
        (123.4, "123"),
        (1234, "1,230"),
        (1235.1, "1,240"),
        (25_000, "25,000"),
        (1_234_567, "1,230,000"),
        (0.001234, "0.00123"),
        (1e-7, "0.000000100"),
        (-1234.0, "-1,230"),
        (-0.0456, "-0.0456"),
    ],
)
def test_three_figures_are_significant_and_thousands_are_separated(value: float, expected: str) -> None:
    """What a reader compares is aligned, and no digit claims what was not measured."""
    assert significant(value) == expected


@pytest.mark.parametrize(("figures", "expected"), [(1, "50,000"), (2, "46,000"), (4, "45,680"), (7, "45,678.90")])
def test_the_number_of_figures_is_the_callers(figures: int, expected: str) -> None:
    """A headline may want two figures, an accuracy four."""
    assert significant(45_678.9, figures) == expected


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_what_is_no_number_is_shown_as_missing(value: float) -> None:
    """A table holds no "inf" and no "nan"."""
    assert significant(value) == MISSING
    assert milliseconds(value) == MISSING


@settings(deadline=None)
@given(st.floats(1e-12, 1e12) | st.floats(-1e12, -1e-12), st.integers(1, 6))
def test_a_shown_number_reads_back_within_half_a_unit_of_its_last_figure(value: float, figures: int) -> None:
    """Rounding never moves a number further than its figures allow, and never needs an exponent."""
    shown = significant(value, figures)
    unit = 10.0 ** (math.floor(math.log10(abs(value))) - figures + 1)
    assert "e" not in shown
    assert abs(float(shown.replace(",", "")) - value) <= unit / 2 * (1 + 1e-6)


@settings(deadline=None)
@given(st.floats(1e-12, 1e12))
def test_a_number_and_its_negative_differ_in_the_sign_alone(value: float) -> None:
    """Rounding is even-handed."""
    assert significant(-value) == "-" + significant(value)


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0.001, "1.00"), (0.0123456, "12.3"), (1.5, "1,500"), (1e-6, "0.00100")]
)
def test_steps_are_shown_in_milliseconds(seconds: float, expected: str) -> None:
    """Seconds inside, milliseconds in the column that says so."""
    assert milliseconds(seconds) == expected


@pytest.mark.parametrize(
    ("half_width", "expected"),
    [(0.0, "±<1%"), (0.94, "±<1%"), (0.96, "±1%"), (1.4, "±1%"), (2.0, "±2%"), (25.0, "±25%"), (150.0, "±>100%")],
)
def test_the_spread_is_a_whole_percentage(half_width: float, expected: str) -> None:
    """Half of the interval beside the value; what rounds to nothing is said to be below one percent, never "±0%"."""
    assert spread(100.0, 100.0 - half_width, 100.0 + half_width) == expected


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (52.0, 193.0, "-48/+93%"),
        (79.0, 127.0, "-21/+27%"),
        (80.0, 125.0, "±22%"),
        (65.0, 135.0, "-35/+35%"),
        (45.0, 220.0, "-55/+120%"),
        (40.0, 250.0, "±>100%"),
    ],
)
def test_a_wide_interval_is_shown_by_its_two_ends(low: float, high: float, expected: str) -> None:
    """Intervals of times are lopsided: "±71%" would promise that the value is never halved and never doubled."""
    assert spread(100.0, low, high) == expected


@pytest.mark.parametrize(
    "ends", [(1.0, -math.inf, math.inf), (0.0, 0.0, 0.0), (1.0, 0.5, math.inf), (1.0, None, 2.0), (None, None, None)]
)
def test_an_unknown_spread_is_a_question_mark(ends: tuple[float | None, float | None, float | None]) -> None:
    """Too few turns for an interval are not "no spread"."""
    assert spread(*ends) == "±?"


@pytest.mark.parametrize(
    ("value", "plain", "difference"),
    [
        (None, MISSING, MISSING),
        (0.88228, "0.8823", "+0.8823"),
        (-0.00456, "-0.0046", "-0.0046"),
        (0.0, "0.0000", "+0.0000"),
    ],
)
def test_accuracies_have_four_decimals_and_differences_a_sign(value: float | None, plain: str, difference: str) -> None:
    """Four decimals are what the sources print; what is not known is a dash."""
    assert figure(value) == plain
    assert signed(value) == difference


def test_decimals_can_be_chosen() -> None:
    """Two decimals where a column is narrow."""
    assert (figure(0.875, 1), signed(0.875, 2)) == ("0.9", "+0.88")


def test_an_interval_wider_than_its_value_says_only_that() -> None:
    """Two replicates can give an interval of thousands of per cent: a number that nobody needs."""
    assert spread(1.0, 0.0, 3.1) == "±>100%"
    assert spread(1.0, 0.0, 2.0) == "-100/+100%"
