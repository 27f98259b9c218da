"""Alpha, omega, intraclass correlations and kappa, by hand and under what must not matter."""

import numpy as np
import pytest

from evalkit.core.quantities import Interval, Unavailable
from evalkit.estimate.survey.reliability_arrays import (
    alpha_of,
    omega_of,
    one_way_icc,
    over_schools,
    rater_iccs,
    reliability,
    weighted_kappa,
)


def answers_of(n=60, k=5, seed=3):
    """Answers on five points that share a factor."""
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=(n, 1))
    return np.clip(np.round(3 + 0.8 * factor + rng.normal(0, 0.8, (n, k))), 1, 5)


def test_alpha_by_hand():
    # variances 2 and 2, covariance 1: the sum has 2 + 2 + 2·1 = 6, alpha = 2/1·(1 − 4/6)
    assert alpha_of(np.array([[[2.0, 1.0], [1.0, 2.0]]]))[0] == pytest.approx(2 / 3, abs=1e-15)


def test_omega_of_a_covariance_that_one_factor_makes():
    # loadings 1, 2, 1 and own variances 1, 1, 1: (1 + 2 + 1)² = 16, omega = 16/(16 + 3)
    load = np.array([1.0, 2.0, 1.0])
    omega, at_bound = omega_of((np.outer(load, load) + np.eye(3))[None], 1e-12)
    assert omega[0] == pytest.approx(16 / 19, abs=1e-9)  # the fit stops where steps are below 1e-12
    assert not at_bound[0]


def test_omega_is_below_alpha_nowhere_where_loadings_are_equal():
    # tau-equivalent items: alpha and omega are the same number
    load = np.full(4, 1.5)
    cov = (np.outer(load, load) + np.diag([1.0, 2.0, 1.0, 3.0]))[None]
    assert omega_of(cov, 1e-12)[0][0] == pytest.approx(alpha_of(cov)[0], abs=1e-9)


def test_an_item_the_wrong_way_round_lowers_alpha_and_is_seen():
    right = answers_of()
    wrong = right.copy()
    wrong[:, 2] = 6 - wrong[:, 2]
    found = reliability(wrong)
    assert found.alpha < reliability(right).alpha - 0.2
    assert found.item_rest[2] < -0.3
    assert found.alpha_without[2] == pytest.approx(reliability(right).alpha_without[2], abs=1e-12)


def test_what_must_not_matter():
    answers = answers_of()
    base = reliability(answers)
    order = np.random.default_rng(1).permutation(len(answers))
    for same in (answers[order], 7.0 * answers - 3, answers[:, ::-1]):
        found = reliability(same)
        assert found.alpha == pytest.approx(base.alpha, abs=1e-12)
        assert found.omega == pytest.approx(base.omega, abs=1e-8)


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        (np.ones((20, 4)), "the same"),
        (answers_of(n=9), "Fewer than 10"),
        (answers_of(k=1), "one item"),
    ],
)
def test_where_there_is_no_reliability_the_reason_stands_there(answers, why):
    found = reliability(answers)
    assert isinstance(found.alpha, Unavailable)
    assert why in found.alpha.reason
    assert isinstance(found.omega, Unavailable)


def test_two_items_have_alpha_and_no_omega():
    found = reliability(answers_of(k=2))
    assert found.alpha > 0.3
    assert isinstance(found.omega, Unavailable)
    assert "two items" in found.omega.reason


def test_an_item_that_does_not_vary_leaves_alpha_and_no_omega():
    answers = answers_of()
    answers[:, 0] = 4
    found = reliability(answers)
    assert np.isfinite(found.alpha)
    assert isinstance(found.omega, Unavailable)
    assert np.isnan(found.item_rest[0])


def test_schools_that_answer_alike_widen_the_interval():
    rng = np.random.default_rng(5)
    school = np.repeat(np.arange(12), 10)
    person = rng.normal(0, 1, (120, 1)) + rng.normal(0, 1, (120, 5))
    alike = person + 2.5 * rng.normal(0, 1, 12)[school][:, None] * (rng.random(12) < 0.5)[school][:, None]
    wide = over_schools(alike, school, np.random.default_rng(2), 400)
    feldt = reliability(alike).feldt
    assert wide.alpha.upper - wide.alpha.lower > 1.5 * (feldt.upper - feldt.lower)
    assert wide.n_schools == 12
    assert isinstance(over_schools(alike[:50], school[:50], rng, 99).alpha, Unavailable)  # five schools


def test_draws_of_schools_do_not_depend_on_where_the_scale_begins():
    answers, school = answers_of(), np.repeat(np.arange(10), 6)
    one, two = (over_schools(a, school, np.random.default_rng(4), 200) for a in (answers, answers + 1000.0))
    assert one.alpha.lower == pytest.approx(two.alpha.lower, abs=1e-9)


def test_icc_of_unequal_schools_by_hand():
    # 1, 2, 3 | 5: mean 2.75, MSB = 3·.75² + 2.25² = 6.75, MSW = 2/2 = 1, n0 = (4 − 10/4)/1 = 1.5
    found = one_way_icc(np.array([1.0, 2.0, 3.0, 5.0]), np.array([0, 0, 0, 1]))
    assert found.icc == pytest.approx((6.75 - 1) / (6.75 + 0.5), abs=1e-15)
    assert found.n_groups == 2


def test_icc_may_be_negative_and_knows_when_there_is_none():
    # the two schools have the same mean: MSB = 0, MSW = 1/2·… = 2: icc = −2/(0 + 2·…)
    found = one_way_icc(np.array([1.0, 3.0, 1.0, 3.0]), np.array([0, 0, 1, 1]))
    assert found.icc == pytest.approx(-1.0, abs=1e-15)  # (0 − 2)/(0 + (2 − 1)·2)
    assert isinstance(one_way_icc(np.array([1.0, 2.0]), np.array([0, 1])).icc, Unavailable)
    assert isinstance(one_way_icc(np.array([2.0, 2.0, 2.0, 2.0]), np.array([0, 0, 1, 1])).icc, Unavailable)


def test_a_rater_who_is_always_one_higher_is_consistent_and_does_not_agree():
    # targets 1 … 5, the second rater one above: no error is left, MSR = 2·2.5 = 5, MSC = 5·2·.25/1 = 2.5, MSE = 0
    first = np.arange(1.0, 6.0)
    found = rater_iccs(np.column_stack([first, first + 1]))
    assert found.consistency == pytest.approx(1.0, abs=1e-12)
    assert found.agreement == pytest.approx(5 / (5 + 2 * 2.5 / 5), abs=1e-12)
    assert isinstance(found.agreement_interval, Unavailable)


def test_kappa_by_hand():
    # 20 and 15 of 50 agree: .7; margins .5/.5 and .6/.4: by chance .5; kappa = .2/.5
    first = np.repeat([0, 0, 1, 1], [20, 5, 10, 15])
    second = np.repeat([0, 1, 0, 1], [20, 5, 10, 15])
    for weights in ("unweighted", "linear", "quadratic"):  # of two points all weights are one
        found = weighted_kappa(first, second, 2, weights)
        assert found.kappa == pytest.approx(0.4, abs=1e-12)
    assert found.agreement == pytest.approx(0.7, abs=1e-12)


def test_kappa_of_perfect_and_of_undefined_agreement():
    points = np.array([0, 1, 2, 3, 2, 1, 0])
    assert weighted_kappa(points, points, 4, "quadratic").kappa == pytest.approx(1.0)
    assert isinstance(weighted_kappa(np.zeros(9, int), np.zeros(9, int), 4, "linear").kappa, Unavailable)
    assert isinstance(weighted_kappa(points, points, 4, "linear").interval, Interval)
