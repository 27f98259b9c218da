"""Effects from changes between two periods: by hand, and what is refused."""

import numpy as np
import pytest

from evalkit.estimate.staggered.group_time_arrays import mean_differences, two_period_effects

METHODS = ("dr", "ipw", "reg")
# x = 1: treated 6 and 8, comparison 4; x = 0: treated 3, comparison 1, 2, 3
CHANGE = np.array([6.0, 8.0, 3.0, 4.0, 1.0, 2.0, 3.0])[:, None]
TREATED = np.array([1, 1, 1, 0, 0, 0, 0], dtype=bool)
STRATUM = np.array([1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0])[:, None]
ONES = np.ones(7)


def test_mean_differences_by_hand():
    """Treated 3, 1 (mean 2), comparison 1, −1 (mean 0): 2; contributions ±(change − mean)/2."""
    found = mean_differences(np.array([[3.0], [1.0], [1.0], [-1.0]]), np.array([True, True, False, False]), np.ones(4))
    assert found.effect.tolist() == [2.0]
    assert found.contribution.ravel().tolist() == [0.5, -0.5, -0.5, 0.5]


def test_weighted_mean_differences_by_hand():
    """Treated (3 × 3 + 1 × 1)/4 = 2.5 less (1 × 1 − 1 × 1)/2 = 0; contributions w (change − mean)/Σw."""
    found = mean_differences(
        np.array([[3.0], [1.0], [1.0], [-1.0]]), np.array([True, True, False, False]), np.array([3.0, 1.0, 1.0, 1.0])
    )
    assert found.effect.tolist() == [2.5]
    assert found.contribution.ravel().tolist() == [0.375, -0.375, -0.5, 0.5]


@pytest.mark.parametrize("method", METHODS)
def test_a_binary_covariate_makes_every_method_a_comparison_within_strata(method):
    """τ₁ = 7 − 4 = 3, τ₀ = 3 − 2 = 1, two thirds of the treated in stratum 1: (2 × 3 + 1)/3 = 7/3.

    Treated: ((change − mean of stratum) + (τ_s − τ))/3, so (−1 + 2/3)/3, (1 + 2/3)/3, (0 − 4/3)/3; comparison:
    −π_s (change − mean)/n_s, so 0 in stratum 1 and ∓(1/3)/3 in stratum 0.
    """
    found = two_period_effects(CHANGE, TREATED, STRATUM, ONES, method)
    assert found.failure == ""
    assert found.effect == pytest.approx([7 / 3])
    expected = [-1 / 9, 5 / 9, -4 / 9, 0, 1 / 9, 0, -1 / 9]
    assert found.contribution.ravel() == pytest.approx(expected, abs=1e-12)


def test_outcome_regression_by_hand():
    """Comparison units on the line 1 + 2x: treated at x = 3 and 1 are expected to move by 7 and 3; 10 and 5 do."""
    change, x = np.array([10.0, 5.0, 1.0, 3.0, 5.0])[:, None], np.array([3.0, 1.0, 0.0, 1.0, 2.0])[:, None]
    treated = np.array([True, True, False, False, False])
    found = two_period_effects(change, treated, x, np.ones(5), "reg")
    assert found.effect == pytest.approx([2.5])  # (3 + 2)/2
    assert found.contribution.ravel() == pytest.approx([0.25, -0.25, 0, 0, 0], abs=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_several_changes_at_once_are_each_as_alone(method):
    random = np.random.default_rng(1)
    change, x = random.normal(size=(40, 3)), random.normal(size=(40, 2))
    treated, weight = random.random(40) < 0.4, random.uniform(0.5, 2, 40)
    together = two_period_effects(change, treated, x, weight, method)
    for at in range(3):
        alone = two_period_effects(change[:, [at]], treated, x, weight, method)
        assert together.effect[at] == pytest.approx(alone.effect[0], abs=1e-12)
        assert together.contribution[:, at] == pytest.approx(alone.contribution[:, 0], abs=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_a_unit_of_weight_two_is_two_units_in_the_estimate(method):
    random = np.random.default_rng(2)
    change, x, treated = random.normal(size=(30, 1)), random.normal(size=(30, 1)), np.arange(30) < 12
    weight = np.where(np.arange(30) % 5 == 0, 2.0, 1.0)
    twice = np.repeat(np.arange(30), weight.astype(int))
    weighted = two_period_effects(change, treated, x, weight, method)
    repeated = two_period_effects(change[twice], treated[twice], x[twice], np.ones(len(twice)), method)
    assert weighted.effect == pytest.approx(repeated.effect, abs=1e-10)
    per_unit = np.bincount(twice, repeated.contribution[:, 0])
    assert weighted.contribution[:, 0] == pytest.approx(per_unit, abs=1e-10)


@pytest.mark.parametrize("method", METHODS)
def test_contributions_add_up_to_nothing(method):
    random = np.random.default_rng(3)
    treated = random.random(50) < 0.5
    found = two_period_effects(random.normal(size=(50, 1)), treated, random.normal(size=(50, 2)), np.ones(50), method)
    assert found.contribution.sum() == pytest.approx(0, abs=1e-11)


def test_comparison_units_with_a_score_from_0_995_weigh_nothing_and_are_counted():
    """598 treated and 2 comparison units at x = 1: score 0.9967; 10 and 30 at x = 0: 0.25. Only the 30 are left."""
    x = np.repeat([1.0, 1.0, 0.0, 0.0], [598, 2, 10, 30])
    treated = np.repeat([True, False, True, False], [598, 2, 10, 30])
    change = np.repeat([5.0, 1000.0, 5.0, 2.0], [598, 2, 10, 30])
    found = two_period_effects(change[:, None], treated, x[:, None], np.ones(640), "ipw")
    assert found.n_trimmed == 2
    assert found.effect == pytest.approx([3.0])


def test_no_comparison_unit_below_0_995_leaves_no_effect():
    """997 of 1,000 are treated whatever x is: each of three comparison units has a score of 0.997."""
    x = np.concatenate([np.resize([-1.0, 0.0, 1.0], 996), [0.0], [-1.0, 0.0, 1.0]])
    found = two_period_effects(x[:, None], np.arange(1000) < 997, x[:, None], np.ones(1000), "dr")
    assert "every comparison unit has a propensity score of 0.995 or more" in found.failure
    assert found.effect.size == 0


@pytest.mark.parametrize(
    ("method", "covariates", "said"),
    [
        ("reg", np.random.default_rng(0).normal(size=(12, 6)), "6 comparison units are too few for 7 coefficients"),
        ("dr", np.where(np.arange(12) < 6, 1.0, 0.0)[:, None] + 0.01 * np.arange(12)[:, None] % 0.05, "score above"),
    ],
)
def test_what_cannot_be_fitted_is_refused_with_the_reason(method, covariates, said):
    treated = np.arange(12) < 6
    found = two_period_effects(np.arange(12.0)[:, None], treated, covariates, np.ones(12), method)
    assert said in found.failure


@pytest.mark.parametrize(
    ("method", "covariates", "dependent"),
    [
        ("reg", np.ones((12, 1)), (0,)),
        ("ipw", np.tile(np.arange(12.0)[:, None], 2), (0, 1)),
        ("dr", np.column_stack([np.arange(12.0) ** 2, np.arange(12.0), 3 * np.arange(12.0) + 1]), (1, 2)),
    ],
)
def test_covariates_that_are_collinear_are_pointed_out(method, covariates, dependent):
    found = two_period_effects(np.arange(12.0)[:, None], np.arange(12) < 6, covariates, np.ones(12), method)
    assert (found.failure, found.dependent) == ("among the comparison units", dependent)


def test_outcome_regression_needs_no_overlap():
    """Treated beyond every comparison unit: a regression extrapolates along its line, scores say no."""
    x = np.concatenate([np.arange(10.0, 16), np.arange(6.0)])[:, None]
    treated = np.arange(12) < 6
    assert two_period_effects(1 + x, treated, x, np.ones(12), "reg").effect == pytest.approx([0.0], abs=1e-9)
    assert "score above" in two_period_effects(1 + x, treated, x, np.ones(12), "dr").failure
