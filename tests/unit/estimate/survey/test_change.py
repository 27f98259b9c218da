"""Change between two waves by school: by hand, at its limits, and under what must not matter."""

import numpy as np
import pytest

from evalkit.core.quantities import Unavailable
from evalkit.estimate.survey.change_arrays import (
    Wave,
    change_apart,
    change_between,
    linked_change,
    one_wave_only,
    wave_mean,
)

# Six schools of two respondents: means 3 in wave 1, and 3 + d in wave 2; every two respondents are 1 apart.
CHANGES = np.array([0.0, 1.0, 1.0, 1.0, 2.0, 1.0])
SCHOOL = np.repeat(np.arange(6), 2)
APART = np.tile([-0.5, 0.5], 6)
FIRST = Wave(3.0 + APART, SCHOOL)
SECOND = Wave(3.0 + CHANGES[SCHOOL] + APART, SCHOOL)
# mean change 1, Σ(d − 1)² = 2: 2/(6·5) between; within a school the variance is .25·2/1 = .5, v = .5/2 + .5/2 = .5
BETWEEN, WITHIN = 2 / 30, 6 * 0.5 / 36


def test_change_by_hand():
    found = change_between(FIRST, SECOND)
    assert found.estimate == pytest.approx(1.0, abs=1e-15)
    assert found.std_error == pytest.approx(BETWEEN**0.5, abs=1e-15)
    # t with 5 degrees of freedom at .975: 2.570582
    assert found.interval.upper == pytest.approx(1 + 2.5705818366 * BETWEEN**0.5, abs=1e-9)
    assert (found.n_schools, found.n_first, found.n_second, found.df) == (6, 12, 12, 5)
    assert (found.first, found.second) == pytest.approx((3.0, 4.0))


@pytest.mark.parametrize(("n_all", "share"), [(12, 0.5), (8, 0.75), (6, 1.0)])
def test_where_few_schools_are_missing_what_is_left_is_how_respondents_differ(n_all, share):
    found = change_between(FIRST, SECOND, n_all)
    assert found.std_error == pytest.approx(((1 - share) * BETWEEN + share * WITHIN) ** 0.5, abs=1e-15)


def test_design_effect_by_hand():
    # wave 1: all variance lies within, 12·.25/11; wave 2 has 12·(.25 + 2/6)/11 beside it; 6 schools of 2
    alone = 6 * ((12 * 0.25 / 11) / 2 + (12 * (0.25 + 2 / 6) / 11) / 2) / 36
    found = change_between(FIRST, SECOND, 12)
    assert found.design_effect == pytest.approx(BETWEEN / alone, abs=1e-12)
    assert found.n_effective == pytest.approx(24 * alone / BETWEEN, abs=1e-9)


def test_below_six_schools_there_is_a_change_and_no_interval():
    few = SCHOOL < 5
    found = change_between(Wave(FIRST.values[few], SCHOOL[few]), Wave(SECOND.values[few], SCHOOL[few]))
    assert found.estimate == pytest.approx(1.0)
    for none in (found.interval, found.std_error, found.design_effect, found.by_respondents_interval):
        assert isinstance(none, Unavailable)
        assert "fewer than 6 schools" in none.reason


def test_each_school_counts_one_and_each_respondent_one():
    # a school of 20 that rose by 4 beside six that rose by 1 on average
    first = Wave(np.append(FIRST.values, np.full(20, 3.0)), np.append(SCHOOL, np.full(20, 6)))
    second = Wave(np.append(SECOND.values, np.full(20, 7.0)), np.append(SCHOOL, np.full(20, 6)))
    found = change_between(first, second)
    assert found.estimate == pytest.approx((6 + 4) / 7)
    assert found.by_respondents.value == pytest.approx((12 * 1 + 20 * 4) / 32)


def test_the_same_people_are_compared_with_themselves():
    # own changes of 2, 2 | 0, 1 | …: every school's mean of own changes counts one
    found = linked_change(FIRST.values, SECOND.values[::-1].copy(), SCHOOL)
    own = (SECOND.values[::-1] - FIRST.values).reshape(6, 2).mean(axis=1)
    assert found.estimate == pytest.approx(own.mean())
    assert found.std_error == pytest.approx((((own - own.mean()) ** 2).sum() / 30) ** 0.5)


def test_schools_of_one_wave_are_left_out_of_the_change_and_bound_it():
    # school 6 in wave 1 at 4, school 7 in wave 2 at 2, on points 1 to 5: changes from 1 − 4 to 5 − 4, 2 − 5 to 2 − 1
    first = Wave(np.append(FIRST.values, 4.0), np.append(SCHOOL, 6))
    second = Wave(np.append(SECOND.values, 2.0), np.append(SCHOOL, 7))
    assert change_between(first, second).estimate == pytest.approx(1.0)
    found = one_wave_only(first, second, (1.0, 5.0))
    assert (found.first, found.second) == (1, 1)
    assert found.apart_first == pytest.approx(4 - 3)
    assert found.apart_second == pytest.approx(2 - 4)
    assert (found.bounds.lower, found.bounds.upper) == pytest.approx(((6 - 3 - 3) / 8, (6 + 1 + 1) / 8))


def test_without_schools_of_one_wave_bounds_are_the_change():
    found = one_wave_only(FIRST, SECOND, (1.0, 5.0))
    assert found.bounds.lower == found.bounds.upper == pytest.approx(1.0)
    assert isinstance(found.apart_first, Unavailable)


def test_no_school_in_both_waves():
    assert isinstance(change_between(FIRST, Wave(SECOND.values, SCHOOL + 6)), Unavailable)


def test_what_must_not_matter():
    rng = np.random.default_rng(2)
    school = rng.integers(0, 9, 150)
    first, second = Wave(rng.normal(3, 1, 150), school), Wave(rng.normal(3.3, 1, 150), school[::-1])
    base = change_between(first, second, 20)
    order, names = rng.permutation(150), rng.permutation(9) * 3 + 1
    same = change_between(
        Wave(first.values[order], names[first.school[order]]), Wave(second.values, names[second.school]), 20
    )
    assert (same.estimate, same.std_error) == pytest.approx((base.estimate, base.std_error), abs=1e-12)
    assert same.by_respondents.std_error == pytest.approx(base.by_respondents.std_error, abs=1e-12)
    scaled = change_between(Wave(10 * first.values + 7, first.school), Wave(10 * second.values + 7, second.school), 20)
    assert scaled.estimate == pytest.approx(10 * base.estimate, abs=1e-9)
    assert scaled.design_effect == pytest.approx(base.design_effect, abs=1e-9)


def test_the_mean_of_a_wave_by_hand():
    # six schools of two, means 0 … 5: mean 2.5, z = 2·(mean_s − 2.5)/12, Σz² = 17.5/36, variance 6/5·17.5/36
    wave = Wave(np.repeat(np.arange(6.0), 2), SCHOOL)
    found = wave_mean(wave)
    assert found.mean == pytest.approx(2.5)
    assert found.std_error**2 == pytest.approx(1.2 * 17.5 / 36, abs=1e-15)
    # independent: 35/12 over 11; respondents of a school are one and the same twice: some two of each count one
    assert found.design_effect == pytest.approx(1.2 * 17.5 / 36 / (35 / 12 / 11), abs=1e-12)
    assert isinstance(wave_mean(Wave(np.arange(4.0), np.arange(4))).interval, Unavailable)


def test_two_groups_apart_is_welchs_test():
    from scipy import stats

    one, other = CHANGES, np.array([0.1, 0.3, -0.2, 0.5, 0.0, 0.2, 0.4])
    found = change_apart(one, other)
    # an independent implementation: scipy's t-test without equal variances
    there = stats.ttest_ind(one, other, equal_var=False).confidence_interval(0.95)
    assert (found.interval.lower, found.interval.upper) == pytest.approx((there.low, there.high), abs=1e-12)
    assert isinstance(change_apart(one[:5], other).interval, Unavailable)
    assert isinstance(change_apart(np.ones(6), np.ones(6)).interval, Unavailable)
