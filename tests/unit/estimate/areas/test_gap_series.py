"""Series of areas: numbers worked by hand, the place among areas, draws of several areas, and what does not matter."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from evalkit.core.quantities import Interval, Unavailable
from evalkit.estimate.areas import gap_series_arrays as kernel
from evalkit.estimate.areas.changes_arrays import permutation_test
from evalkit.estimate.areas.gap_series import GapSeries, by_start, in_connected_sets, placed, places_of

YEARS = np.arange(2010, 2018)


def made(values, treated=(0,), starts=(2014,), has_slope=True, years=YEARS, compared=None, **changes):
    """Return a series in which every area is compared with all that are not treated."""
    n = len(values)
    is_treated = np.isin(np.arange(n), treated)
    everyone = np.tile(~is_treated, (n, 1)) & ~np.eye(n, dtype=bool)
    found = GapSeries(
        values=np.asarray(values, dtype=float),
        years=np.asarray(years),
        compared=everyone if compared is None else compared,
        treated=np.array(treated),
        starts=np.array(starts),
        stands_in=~is_treated,
        weight=np.ones(n),
        has_slope=has_slope,
    )
    return replace(found, **changes)


def effects(series, seed=1, n_draws=9_999):
    return placed(series, places_of(series, seed, n_draws), by_start(series, GapSeries.effects))


def noise(n, years=YEARS, seed=2):
    return np.random.default_rng(seed).normal(size=(n, len(years)))


# By hand.


def test_a_gap_is_an_area_less_the_mean_of_those_it_is_compared_with():
    values = np.array([[5.0, 7.0], [1.0, 2.0], [3.0, 4.0]])
    compared = np.array([[False, True, True], [False, False, True], [False, False, False]])
    # 5 − (1 + 3)/2 = 3 and 7 − (2 + 4)/2 = 4; 1 − 3 and 2 − 4; nobody for the third
    np.testing.assert_array_equal(kernel.gaps(values, compared), [[3, 4], [-2, -2], [np.nan, np.nan]])


def test_levels_are_the_difference_of_two_means():
    fit = kernel.interrupted(np.array([[1.0, 2, 3, 10, 12]]), np.arange(2010, 2015), 2013, has_slope=False)
    # mean after 11, mean before 2
    assert fit.level[0] == pytest.approx(9)
    assert fit.effects.tolist() == [pytest.approx([9, 9])]
    assert fit.without[0] == pytest.approx([2, 2, 2, 2, 2])


def test_lines_carry_the_years_before_on():
    # before: 0, 1, 2, 3 (a year each), so 4, 5, 6 from the start on; seen are 6, 9, 12: the effects 2, 4, 6
    series = np.array([[0.0, 1, 2, 3, 6, 9, 12]])
    fit = kernel.interrupted(series, np.arange(2010, 2017), 2014, has_slope=True)
    assert fit.trend[0] == pytest.approx(1)
    assert fit.level[0] == pytest.approx(2)
    assert fit.slope[0] == pytest.approx(2)
    assert fit.effects[0] == pytest.approx([2, 4, 6])
    assert fit.mean[0] == pytest.approx(4)
    assert fit.residuals[0] == pytest.approx(np.zeros(7), abs=1e-12)


def test_years_that_do_not_follow_each_other_keep_their_distance():
    # 2012 is not there: before, a point a year (0, 1, 3 at 2010, 2011, 2013); at 2014 the line gives 4, and 7 is seen
    years = np.array([2010, 2011, 2013, 2014, 2016])
    fit = kernel.interrupted(np.array([[0.0, 1, 3, 7, 11]]), years, 2014, has_slope=True)
    assert fit.effects[0] == pytest.approx([3, 5])


def test_a_year_not_used_moves_nothing():
    used = YEARS != 2013
    series = noise(3)
    changed = series.copy()
    changed[:, 3] += 100
    one, other = (kernel.interrupted(values, YEARS, 2014, True, used) for values in (series, changed))
    np.testing.assert_allclose(one.mean, other.mean, atol=1e-10)


def test_correlation_a_year_apart_counts_pairs_that_follow():
    residuals = np.array([[1.0, -1.0, 2.0]])
    # 2010–2011: −1; 2011–2013 is no pair; squares 1 + 1 + 4
    assert kernel.neighbour_correlation(residuals, np.array([2010, 2011, 2013]))[0] == pytest.approx(-1 / 6)


def test_a_plane_leaves_of_the_treated_what_others_do_not_explain():
    # others lie on 2x + 1, so the treated, at x = 3 with 10, has 10 − 7 = 3 left
    outcome, predictor = np.array([10.0, 1, 3, 5]), np.array([[3.0], [0], [1], [2]])
    left = kernel.left_by_lines(outcome, predictor, np.array([False, True, True, True]))
    assert left == pytest.approx([3, 0, 0, 0])


# The place among areas.


def test_one_area_is_ranked_as_by_the_permutation_over_areas():
    series = made(noise(60))
    found, means = effects(series).ranked(), series.effects(2014)[:, 0]
    test = permutation_test(means, 0)
    assert found.estimate == means[0]
    assert found.p_value == test.p_value
    assert found.p_value_one_sided == test.p_value_one_sided
    assert found.rank == test.rank
    assert isinstance(found.interval, Interval)
    assert found.interval.upper - found.estimate == pytest.approx(test.reach)
    assert found.n_areas == 60
    assert found.n_draws == 0


def test_the_interval_holds_what_is_not_rejected():
    series = made(noise(50))
    interval = effects(series).ranked().interval
    for effect, is_rejected in ((interval.upper - 1e-6, False), (interval.upper + 1e-6, True)):
        without = series.values.copy()
        without[0, YEARS >= 2014] -= effect
        assert (effects(made(without)).ranked().p_value <= 0.05) == is_rejected


@pytest.mark.parametrize(("n", "has_p", "has_interval"), [(19, False, False), (20, True, False), (40, True, True)])
def test_few_areas_give_no_interval_and_fewer_no_p(n, has_p, has_interval):
    found = effects(made(noise(n))).ranked()
    assert isinstance(found.p_value, float) == has_p
    assert isinstance(found.interval, Interval) == has_interval


def test_several_areas_are_set_beside_draws_of_as_many_with_their_starts():
    starts = (2013, 2014)
    series = made(noise(24, seed=4), treated=(0, 1), starts=starts, has_slope=False)
    first, second = (series.effects(start)[:, 0] for start in starts)
    own = (first[0] + second[1]) / 2
    every = np.array([(first[a] + second[b]) / 2 for a, b in permutations(range(2, 24), 2)])
    exact = (np.abs(every) >= abs(own)).mean()
    found = effects(series).ranked()
    assert found.estimate == pytest.approx(own)
    assert found.n_draws == 9_999
    assert found.p_value == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 9_999))
    assert isinstance(found.interval, Unavailable)


def test_a_reason_against_any_rank_stands_in_every_place():
    found = effects(made(noise(60), why_unranked="They are one.")).ranked()
    for part in (found.p_value, found.p_value_one_sided, found.interval, found.rank):
        assert part == Unavailable("They are one.")
    assert isinstance(found.estimate, float)


def test_several_areas_need_seven_others_each():
    found = effects(made(noise(22), treated=(0, 1, 2), starts=(2014,) * 3)).ranked()
    assert isinstance(found.p_value, Unavailable)
    assert "7 for each" in found.p_value.reason


def test_years_since_the_start_are_averaged_over_the_areas_that_have_them():
    series = made(noise(30), treated=(0, 1), starts=(2014, 2016), has_slope=False)
    found = effects(series)
    early, late = series.effects(2014)[0], series.effects(2016)[1]
    assert series.event_times == (0, 1, 2, 3)
    # from the third year on only the area that started in 2014 is seen
    np.testing.assert_allclose(found.observed[1:], [*(early[1:3] + late[1:3]) / 2, *early[3:]])


def test_areas_weigh_as_they_are_told():
    series = made(noise(30), treated=(0, 1), starts=(2014, 2014))
    weight = np.ones(30)
    weight[0] = 3
    means = series.effects(2014)[:, 0]
    assert effects(replace(series, weight=weight)).observed[0] == pytest.approx((3 * means[0] + means[1]) / 4)


def test_of_levels_a_years_own_effect_averages_to_the_effect():
    series = made(noise(30), has_slope=False)
    found = series.effects(2014)
    np.testing.assert_allclose(found[:, 1:].mean(axis=1), found[:, 0])
    np.testing.assert_allclose(found[0, 1], series.gap[0, 4] - series.gap[0, :4].mean())


def test_a_flaw_is_found_where_it_moves_a_number_beyond_what_is_not_rejected():
    found = effects(made(noise(50)))
    half = found.ranked().interval.upper - found.ranked().estimate
    values = found.values[:, 0]
    assert found.detected(0, 0.0) == pytest.approx((np.abs(values) > half).mean())
    assert found.detected(0, 3 * np.abs(values).max()) == 1
    by_hand = ((np.abs(values + 2) > half).mean() + (np.abs(values - 2) > half).mean()) / 2
    assert found.detected(0, 2.0) == pytest.approx(by_hand)


# What does not matter.


def test_other_years_other_units_and_another_order():
    values = noise(45)
    own = effects(made(values)).ranked()
    later = effects(made(values, starts=(2114,), years=YEARS + 100)).ranked()
    assert later.estimate == pytest.approx(own.estimate)
    assert later.p_value == own.p_value
    larger = effects(made(1000 * values + 7)).ranked()
    assert larger.estimate == pytest.approx(1000 * own.estimate)
    assert larger.p_value == own.p_value
    order = np.random.default_rng(3).permutation(45)
    moved = effects(made(values[order], treated=(int(np.flatnonzero(order == 0)[0]),))).ranked()
    assert moved.estimate == pytest.approx(own.estimate)
    assert moved.p_value == own.p_value
    assert moved.interval.upper == pytest.approx(own.interval.upper)


def test_a_course_that_all_share_is_in_no_gap():
    values = noise(45)
    shared = effects(made(values + np.linspace(0, 50, len(YEARS)) ** 2)).ranked()
    assert shared.estimate == pytest.approx(effects(made(values)).ranked().estimate)


def test_a_trend_of_the_areas_own_is_in_no_line():
    values = noise(45)
    tilted = values.copy()
    tilted[0] += 3 * (YEARS - 2010)
    lines = [effects(made(each)).ranked().estimate for each in (values, tilted)]
    assert lines[1] == pytest.approx(lines[0])
    levels = [effects(made(each, has_slope=False)).ranked().estimate for each in (values, tilted)]
    assert levels[1] - levels[0] == pytest.approx(3 * 4)


def test_arrays_are_left_as_they_are():
    values = noise(30)
    before = values.copy()
    effects(made(values, treated=(0, 1), starts=(2013, 2014)))
    np.testing.assert_array_equal(values, before)


def test_the_gap_of_a_set_is_to_areas_outside_it():
    """Four areas, each compared with all others: of the set {0, 1}, weights 1 and 3, to areas 2 and 3.

    Year 1: 0 and 1 have 1 and 5, 2 and 3 have 2 and 4, mean 3: (1·(1 − 3) + 3·(5 − 3))/4 = 1.
    """
    values = np.array([[1.0], [5.0], [2.0], [4.0]])
    compared = ~np.eye(4, dtype=bool)
    weight = np.array([1.0, 3.0, 1.0, 1.0])
    assert kernel.set_gaps(values, compared, weight, np.array([[0, 1]])).tolist() == [[1.0]]
    # an area that is compared with the other of its set alone has nobody left
    compared[0, 2:] = False
    assert np.isnan(kernel.set_gaps(values, compared, weight, np.array([[0, 1]]))).all()


def test_sets_that_border_each_other_take_the_places_of_areas_that_do():
    rng = np.random.default_rng(3)
    n, years = 30, np.arange(2010, 2018)
    compared = np.tile(np.arange(n) >= 2, (n, 1)) & ~np.eye(n, dtype=bool)
    series = GapSeries(
        values=rng.normal(size=(n, len(years))),
        years=years,
        compared=compared,
        treated=np.array([0, 1]),
        starts=np.array([2014, 2014]),
        stands_in=np.arange(n) >= 2,
        weight=np.ones(n),
        has_slope=False,
    )
    line = np.abs(np.subtract.outer(np.arange(28), np.arange(28))) == 1
    judged = in_connected_sets(series, line, seed=1, n_draws=400)
    found = placed(judged, places_of(judged, 1), by_start(judged, GapSeries.effects)).ranked()
    plain = placed(series, places_of(series, 1, 50), by_start(series, GapSeries.effects)).ranked()
    assert found.estimate == pytest.approx(plain.estimate)  # what is judged is the same number
    assert (found.n_disjoint, found.n_draws, found.n_areas) == (14, 400, 30)
    assert found.p_value >= 1 / 15
    # in units ten times as large every number but the p-value is ten times as large
    larger = in_connected_sets(replace(series, values=10 * series.values), line, seed=1, n_draws=400)
    again = placed(larger, places_of(larger, 1), by_start(larger, GapSeries.effects)).ranked()
    assert again.estimate == pytest.approx(10 * found.estimate)
    assert again.p_value == found.p_value
    nowhere = in_connected_sets(series, np.zeros((28, 28), dtype=bool), seed=1, n_draws=400)
    none = placed(nowhere, places_of(nowhere, 1), by_start(nowhere, GapSeries.effects)).ranked()
    assert isinstance(none.p_value, Unavailable)
