"""Kernels of missing outcomes: bounds that trim, pooling, tipping points, imputation."""

import numpy as np
import pytest

from evalkit.core.draws import stream
from evalkit.estimate.areas.set_draws import Sets
from evalkit.estimate.missing.area_bounds import BoundsOfSets, bounds_by_permutation
from evalkit.estimate.missing.lee_arrays import LeeBounds, lee_bounds, trimmed_means
from evalkit.estimate.missing.matched_bounds import bounds_of_weights
from evalkit.estimate.missing.pooled_arrays import ShiftedEstimates, pooled, rigid_tipping_point
from evalkit.estimate.missing.predictive_arrays import ImputationOptions, imputed, means_of_others

NAN = np.nan


def arms(treated, comparison, treated_weight=None, comparison_weight=None):
    t, c = (np.array([one], dtype=float) for one in (treated, comparison))
    w, v = (
        np.ones_like(a) if b is None else np.array([b], float) for a, b in ((t, treated_weight), (c, comparison_weight))
    )
    return t, w, c, v


def test_bounds_by_hand():
    # all 4 treated and 2 of 3 comparison schools are published: 1/3 is cut, so that 8/3 of 4 are kept
    # lowest: (1 + 2 + 3·2/3)/(8/3) = 1.875; highest: (4 + 3 + 2·2/3)/(8/3) = 3.125; comparison mean 0.5
    found = lee_bounds(*arms([1, 2, 3, 4], [0, 1, NAN]))
    assert (found.lower[0], found.upper[0]) == pytest.approx((1.375, 2.625))
    assert found.trimmed_share[0] == pytest.approx(1 / 3)
    assert not found.is_comparison_trimmed[0]


def test_the_arm_that_is_published_more_is_cut_and_the_bounds_change_sides():
    found = lee_bounds(*arms([1, 2, 3, 4], [0, 1, NAN]))
    mirrored = lee_bounds(*arms([0, 1, NAN], [1, 2, 3, 4]))
    assert (mirrored.lower[0], mirrored.upper[0]) == pytest.approx((-found.upper[0], -found.lower[0]))
    assert mirrored.is_comparison_trimmed[0]


def test_a_weight_of_two_is_two_schools_and_nobody_weighs_nothing():
    twice = lee_bounds(*arms([1, 2, 3, 4, 9], [0, 1, NAN, 7], [2, 1, 1, 1, 0], [1, 1, 1, 0]))
    spelled = lee_bounds(*arms([1, 1, 2, 3, 4], [0, 1, NAN]))
    assert (twice.lower[0], twice.upper[0]) == pytest.approx((spelled.lower[0], spelled.upper[0]))


def test_bounds_do_not_depend_on_order_and_follow_the_scale():
    rng = np.random.default_rng(3)
    t, w, c, v = (rng.normal(size=(1, n)) for n in (9, 9, 14, 14))
    w, v = np.abs(w), np.abs(v)
    c[0, :3] = NAN
    found, order = lee_bounds(t, w, c, v), rng.permutation(14)
    again = lee_bounds(t[:, ::-1], w[:, ::-1], c[:, order], v[:, order])
    assert (again.lower[0], again.upper[0]) == pytest.approx((found.lower[0], found.upper[0]))
    scaled = lee_bounds(5 * t + 2, w, 5 * c + 2, v)
    assert (scaled.lower[0], scaled.upper[0]) == pytest.approx((5 * found.lower[0], 5 * found.upper[0]))


def test_where_both_arms_are_published_alike_the_bounds_are_the_difference():
    found = lee_bounds(*arms([1, 5, NAN], [2, 0, NAN]))
    assert (found.lower[0], found.upper[0], found.trimmed_share[0]) == pytest.approx((2, 2, 0))


def test_an_arm_without_any_result_has_no_bounds():
    found = lee_bounds(*arms([NAN, NAN], [2, 0]))
    assert np.isnan([found.lower[0], found.upper[0]]).all()


def test_rows_share_a_comparison_of_one_row():
    low, high = trimmed_means(np.array([[1.0, 2.0, 3.0]]), np.ones((1, 3)), np.array([1.0, 1 / 3]))
    assert (low.tolist(), high.tolist()) == (pytest.approx([2, 1]), pytest.approx([2, 3]))


def bounds_of_sets():
    """Two treated areas (0, 1), each compared with both others (2, 3); one school of each is not published."""
    values = np.array([1, 2, NAN, 4, 0, 1, NAN, 3, 5, 7], dtype=float)
    area = np.array([0, 0, 1, 1, 2, 2, 3, 3, 3, 3])
    compared = np.zeros((4, 4), dtype=bool)
    compared[:2, 2:] = True
    return BoundsOfSets(values=values, weight=np.ones(10), area=area, may_compare=area > 1, codes=np.arange(4),
                        compared=compared)  # fmt: skip


def test_each_set_has_its_own_bounds_whether_one_area_or_several_are_drawn():
    statistic = bounds_of_sets()
    one = Sets(members=np.array([[0, 1], [2, 3]]), place=np.zeros(2, int), areas=np.array([[0], [1]]))
    found = statistic(one)
    # area 0: both published, 5 of 6 compared with: 1/6 of two treated is cut, 5/3 kept
    # lowest (1 + 2·2/3)/(5/3) = 1.4, highest (2 + 1·2/3)/(5/3) = 1.6; comparison mean 16/5
    assert found[0] == pytest.approx([1.5 - 3.2, 1.4 - 3.2, 1.6 - 3.2])
    both = Sets(members=np.array([[0, 1, 2, 3]]), place=np.array([0, 0, 1, 1]), areas=np.array([[0, 1]]))
    own = statistic.bounds(both.members[0], both.place, both.areas[0])
    assert statistic(both)[0, 1:] == pytest.approx([own.lower[0], own.upper[0]])
    # 3 of 4 treated and 5 of 6 compared schools are published: the comparison keeps 0.9 of its weight
    assert own.trimmed_share[0] == pytest.approx(0.1)
    assert own.is_comparison_trimmed[0]


def test_weights_of_a_matching_are_the_two_arms():
    change, is_treated = np.array([1.0, 2.0, NAN, 0.0, 4.0]), np.array([True, True, False, False, False])
    found = bounds_of_weights(change, is_treated, np.array([1.0, 1.0, 1.0, 0.5, 0.5]))
    expected = lee_bounds(*arms([1, 2], [NAN, 0, 4], [1, 1], [1, 0.5, 0.5]))
    assert found.lower[0] == pytest.approx(expected.lower[0])


def test_the_interval_reaches_as_far_as_the_bounds_of_other_areas():
    # 40 areas at 5%: the second largest of the other 39 is not rejected; |L| of them are 0.1 … 3.9, |U| twice that
    lower = np.append(-0.1 * np.arange(1, 40), 1.0)
    upper = np.append(0.2 * np.arange(1, 40), 2.0)
    other = np.zeros(40)
    found = bounds_by_permutation(LeeBounds(lower, upper, other, other > 1, other, other), 39, 0.95)
    assert (found.interval.lower, found.interval.upper) == pytest.approx((1.0 - 3.8, 2.0 + 7.6))


def test_pooling_by_hand():
    # means 1, 2, 3 with variances of 1: b = 1, t = 1 + 4/3 = 7/3, λ = 4/7, ν_m = 2/(16/49) = 6.125,
    # ν_o = 11/13 · 10 · 3/7 = 3.62637, ν = ν_m ν_o/(ν_m + ν_o) = 2.27779
    found = pooled(np.array([1.0, 2.0, 3.0]), np.ones(3), 10)
    assert (found.estimate, found.std_error**2, found.missing_share) == pytest.approx((2, 7 / 3, 4 / 7))
    assert found.df == pytest.approx(2.27779, abs=1e-5)


def test_tables_that_agree_leave_the_freedom_of_complete_data():
    assert pooled(np.ones(3), np.ones(3), 10).df == pytest.approx(11 / 13 * 10)
    assert pooled(np.ones(3), np.ones(3)).df == np.inf


def test_a_rigid_interval_tips_where_its_nearer_end_is_zero():
    assert rigid_tipping_point(0.5, 2.5, 0.25) == pytest.approx(-2)
    assert rigid_tipping_point(-2.5, -0.5, 0.25) == pytest.approx(2)
    assert np.isnan(rigid_tipping_point(-0.5, 2.5, 0.25))
    assert np.isnan(rigid_tipping_point(0.5, 2.5, 0.0))


def test_a_tipping_point_is_none_where_the_interval_holds_zero():
    estimates, variances = np.tile([0.9, 1.0, 1.1], (5, 1)), np.ones((5, 3))
    assert np.isnan(ShiftedEstimates(estimates=estimates, variances=variances, step=1.0).tipping_point(0.95))
    found = ShiftedEstimates(estimates=estimates, variances=variances / 25, step=1.0)
    # 1 + δ/10 = 1.95996/5 at the tipping point
    assert found.tipping_point(0.95) == pytest.approx(10 * (1.9599640 / 5 - 1), abs=1e-6)


def test_a_unit_never_counts_in_the_mean_of_its_area():
    values, group = np.array([[1.0], [3.0], [NAN], [10.0], [20.0]]), np.array([0, 0, 0, 1, -1])
    # area 0: 3, 1, (1+3)/2; alone in area 1 and without an area: the mean of all others
    assert means_of_others(values, group)[:, 0] == pytest.approx([3, 1, 2, 24 / 3, 14 / 3])


def table_with_gaps(n=300, seed=5):
    rng = np.random.default_rng(seed)
    level, size, group = rng.normal(size=n), rng.normal(size=(n, 1)), np.arange(n) % 12
    values = level[:, None] + 0.5 * rng.normal(size=(n, 3)) + 0.3 * size
    gaps = values.copy()
    gaps[rng.random(n) < 0.2, 2] = NAN
    gaps[rng.random(n) < 0.1, 0] = NAN
    return values, gaps, size, group


def test_imputed_cells_are_values_of_donors_of_the_same_year_and_others_stay():
    _, gaps, size, group = table_with_gaps()
    before = gaps.copy()
    found = imputed(gaps, size, group, stream(1, "a"), ImputationOptions())
    assert np.array_equal(gaps, before, equal_nan=True)
    seen = ~np.isnan(gaps)
    assert np.array_equal(found[seen], gaps[seen])
    for year in range(3):
        assert np.isin(found[~seen[:, year], year], gaps[seen[:, year], year]).all()
    again = imputed(gaps, size, group, stream(1, "a"), ImputationOptions())
    assert np.array_equal(found, again)
    assert not np.array_equal(found, imputed(gaps, size, group, stream(1, "b"), ImputationOptions()))


def test_a_kind_of_unit_that_nobody_observed_is_of_moves_nothing():
    _, gaps, size, group = table_with_gaps()
    lone = np.isnan(gaps[:, 2]).astype(float)[:, None]
    found = imputed(gaps, np.hstack([size, lone]), group, stream(1, "a"), ImputationOptions())
    assert np.isfinite(found).all()


def test_imputation_follows_the_scale():
    _, gaps, size, group = table_with_gaps()
    found = imputed(gaps, size, group, stream(1, "a"), ImputationOptions())
    larger = imputed(gaps * 8, size, group, stream(1, "a"), ImputationOptions())
    assert larger == pytest.approx(8 * found, rel=1e-9)
