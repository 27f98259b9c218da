"""Kernels of the estimate room: hand arithmetic, and the permutation test against its definition."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from evalkit.estimate.areas.changes_arrays import (
    comparison_weights,
    group_effects,
    matched_gaps,
    permutation_test,
    weighted_mean_error,
)

ALL_OTHERS = ~np.eye(3, dtype=bool)


def test_group_effects_by_hand():
    change = np.array([1.0, 3.0, 0.0, 1.0, 2.0, 10.0])
    group = np.array([0, 0, 1, 1, 1, 2])
    compared = np.array([[False, True, False], [True, False, True], [False, False, False]])
    found = group_effects(change, np.ones(6), group, compared)
    # Group 0: mean 2 less 1 = 1. Group 1: 1 less (1 + 3 + 10)/3 = −11/3. Group 2 is compared with nobody.
    assert found.effect[:2] == pytest.approx([1.0, -11 / 3])
    assert math.isnan(found.effect[2])
    # s²/n: group 0: 2/2 = 1; group 1: 1/3; the pool of group 1 is 1, 3 and 10.
    assert found.std_error[0] == pytest.approx(math.sqrt(1 + 1 / 3))
    pool = np.array([1.0, 3.0, 10.0])
    assert found.std_error[1] == pytest.approx(math.sqrt(1 / 3 + pool.var(ddof=1) / 3))
    assert found.n.tolist() == [2, 3, 1]
    assert found.n_comparison.tolist() == [3, 3, 0]


def test_weights_count_units_as_often_as_they_weigh():
    change, group = np.array([1.0, 4.0, 0.0, 2.0]), np.array([0, 0, 1, 1])
    found = group_effects(change, np.array([3.0, 1.0, 1.0, 1.0]), group, ~np.eye(2, dtype=bool))
    # (3·1 + 4)/4 = 1.75 less 1 = 0.75.
    assert found.effect[0] == pytest.approx(0.75)
    # Group 0: Σw²(c − m)² = 9·0.5625 + 5.0625 = 10.125; over 16, over 1 − 10/16: 1.6875. Group 1: s²/n = 2/2 = 1.
    assert found.std_error[0] == pytest.approx(math.sqrt(1.6875 + 1.0))


def test_the_error_of_a_mean_is_the_textbook_s_for_equal_weights():
    change = np.array([1.0, 2.0, 4.0, 9.0])
    assert weighted_mean_error(change, np.full(4, 7.0)) == pytest.approx(change.std(ddof=1) / 2)


@pytest.mark.parametrize("change", [0.1, 1.3, 2.7, -0.3])
@pytest.mark.parametrize("weight", [1.0, 0.1, 3.7])
def test_a_single_unit_has_no_error_not_an_infinite_one(change, weight):
    assert math.isnan(weighted_mean_error(np.array([change]), np.array([weight])))
    found = group_effects(
        np.array([change, 1.0, 2.0]), np.array([weight, 1, 1]), np.array([0, 1, 1]), ~np.eye(2, dtype=bool)
    )
    assert math.isnan(found.std_error[0])


def test_matched_gaps_by_hand():
    change = np.array([5.0, 1.0, 3.0, np.nan, 7.0])
    partners = np.array([[1, 2], [2, 3], [3, -1], [1, 2], [-1, -1]])
    gap, counted = matched_gaps(change, partners)
    # 5 − (1 + 3)/2 = 3; 1 − 3 = −2 (the other partner is not observed); nobody; itself not observed; nobody.
    assert gap[:2].tolist() == [3.0, -2.0]
    assert np.isnan(gap[2:]).all()
    assert counted.tolist() == [[True, True], [True, False], [False, False], [False, False], [False, False]]


def test_comparison_weights_by_hand():
    partners = np.array([[4, 2], [2, 3], [-1, -1]])
    counted = np.array([[True, True], [True, False], [False, False]])
    used = comparison_weights(np.array([1.0, 3.0, 9.0]), partners, counted)
    # Unit 4: 1/2; unit 2: 1/2 + 3; unit 3 did not count. They sum to 1 + 3: the third row is served by nobody.
    assert used.tolist() == [0.0, 0.0, 3.5, 0.0, 0.5]


def rejected(statistic, treated, effect, alpha):
    """The definition: with `effect` taken off the treated unit, is p at or below alpha?"""
    moved = [t - effect if i == treated else t for i, t in enumerate(statistic)]
    as_large = sum(abs(t) >= abs(moved[treated]) - 1e-12 for t in moved)
    return as_large / len(moved) <= alpha + 1e-12


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.integers(-40, 40), min_size=2, max_size=70),
    st.integers(0, 69),
    st.sampled_from([0.05, 0.1, 0.2, 0.5, 1 - 0.95]),
)
def test_the_interval_is_every_effect_that_the_test_does_not_reject(numbers, treated, alpha):
    assume(treated < len(numbers))
    statistic = np.array(numbers, dtype=float) / 4
    found = permutation_test(statistic, treated, alpha)
    own = statistic[treated]
    # By brute force: every effect on a grid twice as fine as the statistics, ends included.
    for effect in np.arange(-24, 24.01, 0.125):
        inside = abs(own - effect) <= found.reach
        assert rejected(statistic.tolist(), treated, effect, alpha) != inside


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(-9, 9), min_size=1, max_size=40), st.integers(0, 39))
def test_p_values_and_rank_by_counting(numbers, treated):
    assume(treated < len(numbers))
    found = permutation_test(np.array(numbers, dtype=float), treated)
    own, count = numbers[treated], len(numbers)
    assert found.p_value == sum(abs(t) >= abs(own) for t in numbers) / count
    assert found.p_value_one_sided == sum(t >= own for t in numbers) / count
    assert found.rank == 1 + sum(abs(t) > abs(own) for t in numbers)
    assert (found.n, found.n_as_large) == (count, round(found.p_value * count))


def test_the_interval_leaves_zero_out_exactly_where_the_test_rejects_no_effect():
    rng = np.random.default_rng(4)
    for _ in range(300):
        statistic = rng.normal(size=int(rng.integers(20, 160)))
        found = permutation_test(statistic, 0)
        assert (abs(statistic[0]) > found.reach) == (found.p_value <= 0.05)


def test_with_fewer_than_twenty_areas_there_is_no_interval_at_five_per_cent():
    assert permutation_test(np.arange(19.0), 18).reach == math.inf  # 1/19 > .05: nothing can be rejected
    # 20 areas: 1/20 rejects, 2/20 does not, so the reach is the largest of the others.
    assert permutation_test(np.arange(20.0), 19).reach == 18.0
    assert permutation_test(np.arange(20.0), 3).reach == 19.0


def test_of_149_areas_the_seventh_largest_other_bounds_the_interval():
    # 7/149 = .047 rejects, 8/149 = .054 does not: seven others must be as large.
    assert permutation_test(np.arange(149.0), 0).reach == 142.0


def test_numbers_equal_but_for_rounding_are_ties():
    found = permutation_test(np.array([0.3, 0.1 + 0.2, -0.3, 0.0]), 1)
    assert (found.n_as_large, found.rank) == (3, 1)


def test_residuals_are_from_a_line_through_the_others():
    # Others (1, 2), (2, 4), (3, 6) lie on y = 2x; the unit left out, at x = 4 with y = 9, is 1 above it.
    from evalkit.estimate.areas.changes_arrays import residuals_without

    left = residuals_without(np.array([2.0, 4.0, 6.0, 9.0]), np.array([1.0, 2.0, 3.0, 4.0]), 3)
    assert left == pytest.approx([0.0, 0.0, 0.0, 1.0], abs=1e-12)
