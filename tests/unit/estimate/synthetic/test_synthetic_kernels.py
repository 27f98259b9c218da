"""Weights on the simplex, ridge weights and moved residuals, on cases that can be worked out."""

import numpy as np
import pytest
from scipy.optimize import minimize

from evalkit.estimate.synthetic.conformal import moved_block_p, outermost_kept
from evalkit.estimate.synthetic.weights_arrays import (
    error_floor,
    fit_augmented,
    fit_synthetic_control,
    fit_synthetic_did,
    placebo_sets,
    rank_p,
    ridge_adjusted,
    root_mean_square,
    simplex_fit,
    slackness,
)


def test_two_donors_by_hand():
    # target (1, 1) between (0, 0) and (4, 0): (1 - 4w, 1), least at w = 1/4 on the second
    found = simplex_fit(np.array([[0.0, 4.0], [0.0, 0.0]]), np.array([1.0, 1.0]))
    np.testing.assert_allclose(found.weights, [0.75, 0.25], atol=1e-14)
    assert found.is_unique


def test_a_target_outside_takes_the_nearest_corner():
    found = simplex_fit(np.array([[1.0, 2.0, 3.0]]), np.array([5.0]))
    np.testing.assert_array_equal(found.weights, [0, 0, 1])


def test_of_equal_fits_the_most_even_is_taken():
    # 2 = w1 + 2 w2 + 3 w3 with w1 + w2 + w3 = 1: w = (s, 1 - 2s, s); s² + (1 - 2s)² + s² is least at s = 1/3
    found = simplex_fit(np.array([[1.0, 2.0, 3.0]]), np.array([2.0]))
    np.testing.assert_allclose(found.weights, 1 / 3, atol=1e-12)
    assert not found.is_unique


def test_of_equal_fits_a_corner_can_be_the_most_even():
    # 1 = 0 w1 + 1 w2 + 10 w3: w = (9s, 1 - 10s, s), 81s² + (1 - 10s)² + s² is least at s = 10/182
    found = simplex_fit(np.array([[0.0, 1.0, 10.0]]), np.array([1.0]))
    np.testing.assert_allclose(found.weights, [90 / 182, 82 / 182, 10 / 182], atol=1e-12)


def test_alike_donors_share():
    found = simplex_fit(np.ones((3, 4)), np.ones(3))
    np.testing.assert_array_equal(found.weights, 0.25)
    found = simplex_fit(np.array([[1.0, 1.0, 3.0]]), np.array([0.0]))
    np.testing.assert_allclose(found.weights, [0.5, 0.5, 0], atol=1e-12)


def test_the_ridge_by_hand():
    # (1 - w2)² + r (w1² + w2²) with w1 = 1 - w2 and r = 1: 2 (1 - w2)² + w2², least at w2 = 2/3
    found = simplex_fit(np.array([[0.0, 1.0]]), np.array([1.0]), ridge=1.0)
    np.testing.assert_allclose(found.weights, [1 / 3, 2 / 3], atol=1e-12)


@pytest.mark.parametrize(("m", "n"), [(3, 6), (12, 5), (20, 38), (6, 60)])
@pytest.mark.parametrize("ridge", [0.0, 2.0])
def test_the_conditions_of_the_optimum_hold(m, n, ridge):
    random = np.random.default_rng([m, n])
    for _ in range(20):
        columns = 1000 + 20 * random.normal(size=n) + 10 * random.normal(size=(m, n))
        target = 1000 + 15 * random.normal(size=m)
        weights = simplex_fit(columns, target, ridge).weights
        hull = np.vstack([columns - target[:, None], np.sqrt(ridge) * np.eye(n)])
        slack, _ = slackness(hull, weights)
        scale = np.abs(hull).max() ** 2 * m
        assert weights.min() >= 0
        assert weights.sum() == pytest.approx(1, abs=1e-12)
        assert slack.min() > -1e-10 * scale
        assert np.abs(slack * weights).max() < 1e-10 * scale


def test_no_other_solver_finds_less():
    random = np.random.default_rng(5)
    columns, target = random.normal(size=(8, 6)), random.normal(size=8)

    def loss(w):
        return ((target - columns @ w) ** 2).sum()

    other = minimize(
        loss,
        np.full(6, 1 / 6),
        method="SLSQP",
        bounds=[(0, 1)] * 6,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
        options={"ftol": 1e-14},
    )
    found = simplex_fit(columns, target).weights
    assert loss(found) <= other.fun + 1e-12
    np.testing.assert_allclose(found, other.x, atol=1e-5)


def test_order_of_donors_changes_nothing_even_where_fits_tie():
    random = np.random.default_rng(6)
    columns = random.normal(size=(4, 40))
    target = columns @ random.dirichlet(np.ones(40))
    order = random.permutation(40)
    one, two = simplex_fit(columns, target), simplex_fit(columns[:, order], target)
    assert not one.is_unique
    np.testing.assert_allclose(one.weights[order], two.weights, atol=1e-9)


def test_augmenting_with_a_tiny_ridge_fits_exactly_and_with_none_is_the_synthetic_control():
    random = np.random.default_rng(7)
    donors, treated = random.normal(size=(5, 12)), 3 + random.normal(size=5)
    start = simplex_fit(donors[:4], treated[:4]).weights
    exact = ridge_adjusted(treated[:4], donors[:4], start, 1e-12)
    np.testing.assert_allclose(donors[:4] @ exact, treated[:4], atol=1e-8)
    assert exact.sum() == pytest.approx(1)
    np.testing.assert_array_equal(ridge_adjusted(treated[:4], donors[:4], start, np.inf), start)


def test_ridge_weights_follow_the_paper_s_formula():
    random = np.random.default_rng(8)
    donors, treated = random.normal(size=(4, 9)), 2 + random.normal(size=4)
    start = simplex_fit(donors, treated).weights
    centred = donors - donors.mean(axis=1, keepdims=True)
    wanted = start + (treated - donors @ start) @ np.linalg.solve(centred @ centred.T + 0.7 * np.eye(4), centred)
    np.testing.assert_allclose(ridge_adjusted(treated, donors, start, 0.7), wanted, atol=1e-12)


def test_augmented_by_hand():
    # one year before: 3 against donors at 0 and 2. The nearest average is the second donor alone, 1 too low.
    # Donors less their mean: −1 and 1, so XX' = 2; at ρ = 2 the correction is (−1, 1)·1/(2 + 2): weights −1/4 and 5/4.
    # A year later 20 against −1/4·10 + 5/4·14 = 15: a gap of 5, where the second donor alone gives 6.
    found = fit_augmented(np.array([3.0, 20.0]), np.array([[0.0, 2.0], [10.0, 14.0]]), 1, ridge=2.0)
    np.testing.assert_allclose(found.weights, [-0.25, 1.25], atol=1e-12)
    assert found.estimate == pytest.approx(5.0)
    assert found.gap[0] == pytest.approx(0.5)  # half of the miss of 1 is left


def test_synthetic_did_of_parallel_series_is_the_difference_in_differences():
    # every donor moves 1 a period and the treated area too, 50 above them, and 4 more from the start on
    years = np.arange(6.0)
    donors = years[:, None] + np.array([0.0, 3.0, 8.0])
    treated = 50 + years + 4 * (years >= 4)
    found = fit_synthetic_did(treated, donors, 4)
    assert found.estimate == pytest.approx(4)
    assert found.pre_rmse == pytest.approx(0, abs=1e-9)
    np.testing.assert_allclose(found.gap[4:], 4, atol=1e-9)


def test_methods_scale_and_shift_with_the_outcome():
    random = np.random.default_rng(9)
    donors, treated = random.normal(size=(12, 8)).cumsum(axis=0), random.normal(size=12).cumsum()
    for fit in (fit_synthetic_control, fit_augmented, fit_synthetic_did):
        plain, scaled = fit(treated, donors, 8), fit(5 + 1e4 * treated, 5 + 1e4 * donors, 8)
        np.testing.assert_allclose(scaled.weights, plain.weights, atol=1e-7)
        assert scaled.estimate == pytest.approx(1e4 * plain.estimate, rel=1e-6)


@pytest.mark.parametrize("fit", [fit_synthetic_control, fit_augmented, fit_synthetic_did])
@pytest.mark.parametrize("n_donors", [6, 40])
@pytest.mark.parametrize(("level", "scale"), [(1e6, 1.0), (2.0**30, 1.0), (0.0, 1e6), (1e6, 1e6)])
def test_the_level_of_an_outcome_moves_no_weight(fit, n_donors, level, scale):
    """Values are multiples of 2⁻¹², which a level of a million, or 2³⁰, leaves as they are."""
    random = np.random.default_rng(3)
    donors = np.round(4096 * random.normal(size=(14, n_donors)).cumsum(axis=0)) / 4096
    treated = np.round(4096 * (donors[:, :4].mean(axis=1) + 0.3 * random.normal(size=14))) / 4096
    plain, moved = fit(treated, donors, 11), fit((treated + level) * scale, (donors + level) * scale, 11)
    np.testing.assert_allclose(moved.weights, plain.weights, atol=1e-11)
    np.testing.assert_allclose(moved.gap / scale, plain.gap, atol=1e-10)
    assert moved.is_unique == plain.is_unique


def test_moved_blocks_by_hand():
    # sums of two in a row of |e|, cyclically: 1+2, 2+0, 0+3, 3+1; that of the last two is 3, and three of four reach it
    assert moved_block_p(np.array([1.0, -2.0, 0.0, 3.0]), 2) == 0.75
    assert moved_block_p(np.array([0.0, 0.0, 0.0, 5.0]), 1) == 0.25


def test_the_outermost_kept_value_is_found():
    assert outermost_kept(lambda x: x < 3.3, 0.0, 1.0) == pytest.approx(3.3, abs=1e-6)
    assert outermost_kept(lambda x: x > -2.5, 1.0, -1.0) == pytest.approx(-2.5, abs=1e-6)
    assert np.isinf(outermost_kept(lambda x: True, 0.0, 1.0))
    assert np.isnan(outermost_kept(lambda x: False, 0.0, 1.0))


def test_placebo_sets_are_all_or_drawn():
    random = np.random.default_rng(1)
    sets, is_complete = placebo_sets(5, 2, 10, random)
    assert (len(sets), is_complete) == (10, True)  # 5 · 4 / 2
    sets, is_complete = placebo_sets(50, 10, 99, random)
    assert (sets.shape, is_complete) == ((99, 10), False)
    assert all(len(set(row.tolist())) == 10 for row in sets)


def test_rank_and_floor_by_hand():
    assert rank_p(3.0, np.array([1.0, 3.0, 5.0])) == 0.75  # itself, 3 and 5 of four
    # changes 1, 3 and 1, 3: their standard deviation is √(4/3)
    assert error_floor(np.array([[0.0, 5.0], [1.0, 6.0], [4.0, 9.0]])) == pytest.approx(0.1 * np.sqrt(4 / 3))


@pytest.mark.parametrize("size", [1e-200, 1.0, 1e200])
def test_the_root_mean_square_of_any_size(size):
    assert root_mean_square(size * np.array([3.0, 4.0])) == pytest.approx(size * np.sqrt(12.5))
