"""Tests of the statistics: worked by hand, against printed tables, and by exact binomial sums."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.analysis import stats
from bench.analysis.stats import Estimate

SECONDS = st.floats(1e-9, 1e4)


@pytest.mark.parametrize(
    ("count", "low", "high"),
    # The ranks of Conover, Practical Nonparametric Statistics, section 3.2, and Hollander and Wolfe, table of b(1/2).
    [(6, 1, 6), (8, 1, 8), (9, 2, 8), (10, 2, 9), (12, 3, 10), (15, 4, 12), (20, 6, 15), (25, 8, 18), (30, 10, 21)],
)
def test_the_median_lies_between_the_order_statistics_of_the_printed_tables(count: int, low: int, high: int) -> None:
    """A 95 % interval for the median is two values that were observed, by rank, whatever the distribution."""
    found = stats.median([float(rank) for rank in range(count, 0, -1)])
    assert found == Estimate((count + 1) / 2, low, high, count)


@pytest.mark.parametrize("confidence", [0.90, 0.95, 0.99])
def test_the_medians_interval_covers_as_often_as_it_says_and_no_narrower_one_does(confidence: float) -> None:
    """Summed exactly for 1 to 60 values: the interval misses no oftener than allowed, one rank further in would."""
    allowed = 1 - Fraction(str(confidence))
    for count in range(1, 61):
        found = stats.median([float(rank) for rank in range(1, count + 1)], confidence)
        rank = 0 if math.isinf(found.low) else int(found.low)
        missed = [Fraction(2 * sum(math.comb(count, k) for k in range(ranks)), 2**count) for ranks in (rank, rank + 1)]
        assert missed[0] <= allowed < missed[1]
        assert found.high == (math.inf if rank == 0 else count + 1 - rank)


@pytest.mark.parametrize("count", range(1, 6))
def test_up_to_five_values_allow_no_interval(count: int) -> None:
    """Even from lowest to highest of five, 2/2^5 = 6 % of intervals miss: the bounds are infinite, never made up."""
    found = stats.median([1.0] * count)
    assert (found.low, found.high, found.spread) == (-math.inf, math.inf, math.inf)


@settings(deadline=None)
@given(st.lists(SECONDS, min_size=1, max_size=40), st.randoms())
def test_the_medians_interval_holds_it_and_knows_no_order(values: list[float], random: object) -> None:
    """The order of blocks is the session's business: shuffled samples give the same estimate."""
    found = stats.median(values)
    shuffled = list(values)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert found.low <= found.value <= found.high
    assert stats.median(shuffled) == found


@pytest.mark.parametrize("function", [stats.median, lambda values: stats.percentile(values, 0.5)])
def test_no_values_have_no_statistic(function: object) -> None:
    """Nothing measured is an error that says so, never a zero."""
    with pytest.raises(ValueError, match="expected at least one value; received none"):
        function([])  # type: ignore[operator]


def test_the_spread_is_half_the_interval_as_a_share() -> None:
    """9 to 12 around 10: half of 3 is 15 %."""
    assert Estimate(10.0, 9.0, 12.0, 8).spread == pytest.approx(0.15)
    assert Estimate(0.0, -1.0, 1.0, 8).spread == math.inf


def test_a_scaled_estimate_keeps_its_bounds_in_order() -> None:
    """A factor below zero turns the interval round."""
    assert Estimate(2.0, 1.0, 4.0, 8).scaled(3.0) == Estimate(6.0, 3.0, 12.0, 8)
    assert Estimate(2.0, 1.0, 4.0, 8).scaled(-1.0) == Estimate(-2.0, -4.0, -1.0, 8)


def test_seconds_a_call_become_calls_a_second_with_the_bounds_exchanged() -> None:
    """512 reviews in 2 s, 1 to 4: 256 a second, 128 to 512."""
    assert Estimate(2.0, 1.0, 4.0, 8).inverted(512) == Estimate(256.0, 128.0, 512.0, 8)


@pytest.mark.parametrize("low", [0.0, -0.5, -math.inf])
def test_a_duration_that_may_be_zero_bounds_no_speed(low: float) -> None:
    """Where the interval of the seconds reaches zero, the speed has no upper bound, and its spread is unknown."""
    found = Estimate(2.0, low, 4.0, 8).inverted(8)
    assert (found.value, found.low, found.high, found.spread) == (4.0, 2.0, math.inf, math.inf)


def test_an_unbounded_duration_allows_any_speed() -> None:
    """Too few blocks for an interval of the seconds are too few for one of the speed."""
    assert Estimate(2.0, -math.inf, math.inf, 3).inverted(8) == Estimate(4.0, 0.0, math.inf, 3)


@pytest.mark.parametrize(
    ("share", "expected"), [(0.0, 15), (0.05, 15), (0.30, 20), (0.40, 20), (0.50, 35), (0.90, 50), (1.0, 50)]
)
def test_a_percentile_is_the_nearest_rank(share: float, expected: float) -> None:
    """The worked example of Wikipedia's page on percentiles (nearest-rank method): 15, 20, 35, 40, 50."""
    assert stats.percentile([20, 15, 50, 40, 35], share) == expected


@settings(deadline=None)
@given(st.lists(SECONDS, min_size=1, max_size=60), st.sampled_from([0.50, 0.90, 0.95, 0.99]))
def test_a_percentile_was_observed_and_enough_values_do_not_exceed_it(values: list[float], share: float) -> None:
    """No latency is reported that no call had; it is the smallest value with `share` of the calls at or below it."""
    found = stats.percentile(values, share)
    needed = Fraction(str(share)) * len(values)
    assert found in values
    assert sum(value <= found for value in values) >= needed > sum(value < found for value in values)


@settings(deadline=None)
@given(st.lists(SECONDS, min_size=1, max_size=60))
def test_percentiles_rise(values: list[float]) -> None:
    """p50 <= p90 <= p95 <= the slowest call."""
    found = [stats.percentile(values, share) for share in (0.50, 0.90, 0.95, 1.0)]
    assert found == sorted(found)
    assert found[-1] == max(values)


@settings(deadline=None)
@given(
    st.floats(0, 1),
    st.floats(1e-4, 1),
    st.integers(1, 100),
    st.integers(1, 1000),
)
def test_the_slope_is_a_steps_cost_whatever_the_call_costs(
    fixed_s: float, step_s: float, short: int, more: int
) -> None:
    """The fixed cost of `fit` falls out: fixed + steps * step has the slope step."""
    points = [(steps, fixed_s + steps * step_s) for steps in (short, short + more)]
    assert stats.slope(*points) == pytest.approx(step_s, rel=1e-9)


@pytest.mark.parametrize("second", [4, 3])
def test_a_slope_needs_a_longer_second_length(second: int) -> None:
    """Two calls of one length tell no slope; dividing by zero or by a negative length would invent one."""
    with pytest.raises(ValueError, match=f"received 4 and {second}"):
        stats.slope((4, 1.0), (second, 2.0))


@pytest.mark.parametrize(
    ("values", "expected"),
    [([0.5], 0.5), ([0.4, 0.6], 0.5), ([0.9, 0.1, 0.4], 0.4), ([1, 2, 3, 4, 100], 3.0), ([0.88] * 5, 0.88)],
)
def test_over_seeds_the_best_and_the_worst_are_dropped(values: list[float], expected: float) -> None:
    """MLPerf's rule, from three seeds on: with two, nothing would be left."""
    assert stats.trimmed_mean(values) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("values", "runs", "level", "expected"),
    [
        # Student's t, two-sided, from the printed tables: 4.303 (95 %, 2), 63.657 (99 %, 1), 3.883 (99.9 %, 19).
        ([0.87, 0.88, 0.89], 1, 0.95, 4.3027 * 0.01 * math.sqrt(1 + 1 / 3)),
        ([0.87, 0.88, 0.89], 5, 0.95, 4.3027 * 0.01 * math.sqrt(1 / 5 + 1 / 3)),
        ([1.0, 3.0], 1, 0.99, 63.657 * math.sqrt(2) * math.sqrt(1.5)),
        ([0.875, 0.885] * 10, 1, 0.999, 3.8834 * 0.005 * math.sqrt(20 / 19) * math.sqrt(1 + 1 / 20)),
    ],
)
def test_a_future_mean_lies_within_students_width(
    values: list[float], runs: int, level: float, expected: float
) -> None:
    """t · s · sqrt(1/runs + 1/n): both the reference and the new runs scatter (Hahn and Meeker, section 4.8)."""
    assert stats.prediction_half_width(values, runs=runs, level=level) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([7.0], 7.0),
        ([1.0, 5.0], 3.0),
        ([1.0, 2.0, 6.0], 2.75),  # means of pairs 1, 1.5, 2, 3.5, 4, 6: between 2 and 3.5
        ([0.0, 0.0, 0.0, 0.0, 100.0], 0.0),  # ten pairs of zeros, four of 50, one of 100
        # Hollander and Wolfe, Nonparametric Statistical Methods, example 3.3: Hamilton's scale after a tranquilizer.
        ([-0.952, 0.147, -1.022, -0.430, -0.620, -0.590, -0.490, 0.080, -0.010], -0.46),
    ],
)
def test_hodges_and_lehmanns_centre_is_the_median_of_pairwise_means(values: list[float], expected: float) -> None:
    """As robust as five replicates allow: one bad process of five moves it little."""
    assert stats.hodges_lehmann(values) == pytest.approx(expected, abs=1e-12)


@settings(deadline=None)
@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=12), st.floats(-1e3, 1e3))
def test_hodges_and_lehmanns_centre_moves_with_its_values(values: list[float], by: float) -> None:
    """Shifted values shift it, mirrored ones mirror it, and it lies among them."""
    found = stats.hodges_lehmann(values)
    assert min(values) <= found <= max(values)
    assert stats.hodges_lehmann([value + by for value in values]) == pytest.approx(found + by, abs=1e-9)
    assert stats.hodges_lehmann([-value for value in values]) == pytest.approx(-found, abs=1e-9)


@pytest.mark.parametrize(
    ("logs", "centre", "half"),
    [
        # Student's t, two-sided 95 %, from the printed tables: 12.706 (1), 4.303 (2), 2.776 (4).
        ([0.0, 2.0], 1.0, 12.7062 * math.sqrt(2) / math.sqrt(2)),
        ([0.0, 1.0, 2.0], 1.0, 4.30265 * 1.0 / math.sqrt(3)),
        ([-2.0, -1.0, 0.0, 1.0, 2.0], 0.0, 2.77645 * math.sqrt(2.5) / math.sqrt(5)),
        ([3.0] * 4, 3.0, 0.0),
    ],
)
def test_replicates_have_students_interval_on_the_logarithmic_scale(
    logs: list[float], centre: float, half: float
) -> None:
    """t · s/√n, about Hodges and Lehmann's centre: a half and a double lie equally far."""
    found = stats.over_replicates(logs)
    assert math.log(found.value) == pytest.approx(centre, abs=1e-9)
    assert (math.log(found.low), math.log(found.high)) == pytest.approx((centre - half, centre + half), abs=1e-4)
    assert found.count == len(logs)


def test_one_replicate_bounds_nothing() -> None:
    """Another process may differ by more than this one within itself: nothing is known of it."""
    assert stats.over_replicates([0.0]) == Estimate(1.0, 0.0, math.inf, 1)
    assert stats.over_replicates([0.0]).spread == math.inf


@settings(deadline=None)
@given(st.lists(st.floats(1e-3, 1e3), min_size=2, max_size=8), st.floats(1e-3, 1e3))
def test_replicates_on_another_scale_have_the_same_spread(values: list[float], factor: float) -> None:
    """Seconds or milliseconds: the interval is a factor, above and below alike."""
    found, scaled = (stats.over_replicates([math.log(by * value) for value in values]) for by in (1.0, factor))
    assert scaled.value == pytest.approx(factor * found.value)
    assert (scaled.low, scaled.high) == pytest.approx((factor * found.low, factor * found.high), rel=1e-5)
    assert found.high / found.value == pytest.approx(found.value / found.low, rel=1e-6)


def test_moderation_by_hand() -> None:
    """Variances 1, 2, 3 and 6 with one degree of freedom each, moderated toward their common value by Smyth's rule.

    With four degrees of freedom the prior counts as two, twice the cell's own: (2 * 3 + 1 * 6) / 3 = 4, of 3 degrees.
    """
    assert stats.Prior(3.0, 4.0).moderated(6.0, 1) == (pytest.approx(4.0), 3.0)
    assert stats.Prior(3.0, 1.0).moderated(6.0, 1) == (pytest.approx(4.5), 2.0)
    assert stats.Prior(3.0, math.inf).moderated(6.0, 1) == (pytest.approx(4.0), 3.0)
    plain, moderated = (stats.over_replicates([1.0, 3.0], prior=one) for one in (None, stats.Prior(2.0, math.inf)))
    # Variance 2 either way; t falls from 12.706 at one degree of freedom to 3.182 at three, times the error of 1.
    assert math.log(plain.high) - 2 == pytest.approx(12.7062, abs=1e-4)
    assert math.log(moderated.high) - 2 == pytest.approx(3.1824, abs=1e-4)


def test_a_prior_is_found_again_in_variances_that_were_drawn_from_it() -> None:
    """10,000 cells of four values whose variances are 10 * 0.04 / chi-square(10): Smyth's model itself."""
    draw = np.random.default_rng(0)
    variances = 10 * 0.04 / draw.chisquare(10, 10_000)
    found = stats.prior([list(row) for row in draw.normal(size=(10_000, 4)) * np.sqrt(variances)[:, None]])
    assert found is not None
    assert found.variance == pytest.approx(0.04, rel=0.1)
    assert found.freedom == pytest.approx(10, rel=0.3)


def test_variances_that_differ_by_chance_alone_have_one_value() -> None:
    """Then the prior is worth any number of degrees of freedom, and its bound decides."""
    draw = np.random.default_rng(1)
    found = stats.prior([list(row) for row in draw.normal(size=(200, 3))])
    assert found is not None
    assert found.freedom > 30
    assert found.variance == pytest.approx(1.0, rel=0.2)


@pytest.mark.parametrize("samples", [[], [[1.0, 2.0]] * 3, [[1.0]] * 9, [[2.0, 2.0]] * 9])
def test_too_few_variances_give_no_prior(samples: list[list[float]]) -> None:
    """Three cells, cells with one value, cells without any spread: Student's interval stays as it is."""
    assert stats.prior(samples) is None


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_an_interval_says_what_its_selection_says(p_values: list[float]) -> None:
    """Of the confidence that goes with it, an interval excludes "no difference" just where its cell is selected."""
    count, confidence = stats.selected(p_values)
    assert sum(p <= 1 - confidence for p in p_values) >= count
    assert count == sum(p <= count * 0.05 / len(p_values) for p in p_values)
    if count:
        assert sum(p < 1 - confidence - 1e-12 for p in p_values) <= count


def test_selection_by_hand() -> None:
    """.001, .02, .03, .5 at 5 %: limits .0125, .025, .0375, .05; three are selected, at 1 - 3 * .05 / 4."""
    assert stats.selected([0.5, 0.02, 0.001, 0.03]) == (3, pytest.approx(0.9625))
    assert stats.selected([0.5, 0.04, 0.9, 0.03]) == (0, pytest.approx(0.9875))
    assert stats.selected([]) == (0, 0.95)


def test_a_t_test_by_hand() -> None:
    """1, 2, 3: centre 2, deviation 1, standard error .577, t 3.464 at two degrees of freedom: p = .0742."""
    assert stats.t_test([1.0, 2.0, 3.0]) == pytest.approx(0.0742, abs=1e-4)


@pytest.mark.parametrize(("values", "p_value"), [([], 1.0), ([5.0], 1.0), ([2.0, 2.0], 0.0), ([0.0, 0.0], 1.0)])
def test_a_t_test_without_scatter(values: list[float], p_value: float) -> None:
    """Too few values tell nothing; values that never differ tell all."""
    assert stats.t_test(values) == p_value


def test_holm_by_hand() -> None:
    """.01, .04, .03: times 3; times 1 but no less than the one before; times 2."""
    assert stats.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert stats.holm([0.6, 0.9]) == [1.0, 1.0]
    assert stats.holm([]) == []


@given(st.lists(st.floats(0, 1), max_size=20))
def test_holm_keeps_the_order_and_only_raises(p_values: list[float]) -> None:
    """No adjusted value lies below its own, above one, or in another order."""
    adjusted = stats.holm(p_values)
    assert all(p <= a <= 1 for p, a in zip(p_values, adjusted, strict=True))
    ranked = [a for _, a in sorted(zip(p_values, adjusted, strict=True))]
    assert ranked == sorted(ranked)


def test_what_can_be_seen_by_hand() -> None:
    """1, 2, 3 at 5 % and 90 %: (4.303 + 1.886) standard errors of .577."""
    assert stats.min_detectable_effect([1.0, 2.0, 3.0], alpha=0.05, power=0.9) == pytest.approx(3.573, abs=1e-3)


def test_more_values_narrow_the_interval() -> None:
    """1, 2, 3 scatter by 1: half the interval of three such values is 4.303 / sqrt(3), of a hundred 1.984 / 10."""
    assert stats.half_width(1.0, 3, 0.05) == pytest.approx(2.484, abs=1e-3)
    assert stats.half_width(1.0, 100, 0.05) == pytest.approx(0.1984, abs=1e-4)


@pytest.mark.parametrize(
    ("events", "trials", "low", "high"),
    [(0, 12, 0.0, 0.2646), (12, 12, 0.7354, 1.0), (1, 10, 0.0025, 0.4450), (0, 300, 0.0, 0.0122)],
)
def test_the_exact_interval_of_a_probability(events: int, trials: int, low: float, high: float) -> None:
    """Clopper and Pearson's: 1 - .025 ** (1 / n) for none of n; 1 of 10 as in their tables."""
    assert stats.clopper_pearson(events, trials) == pytest.approx((low, high), abs=1e-4)
