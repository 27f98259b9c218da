"""The logit and its guards."""

import numpy as np
import pytest
from scipy.special import expit

from evalkit.design.algebra_arrays import is_collinear
from evalkit.design.matching import scores_arrays as propensity
from evalkit.design.matching.scores_arrays import fit_logit, standardised


def test_a_binary_covariate_gives_the_share_treated_in_each_stratum():
    """x = 1: 2 of 3 treated; x = 0: 1 of 4."""
    x = np.column_stack([np.ones(7), [1, 1, 1, 0, 0, 0, 0]])
    found = fit_logit(x, np.array([1, 1, 0, 1, 0, 0, 0], dtype=bool), np.ones(7))
    assert found.score == pytest.approx([2 / 3] * 3 + [1 / 4] * 4, abs=1e-12)
    information = x.T @ (x * np.repeat([2 / 9, 3 / 16], [3, 4])[:, None])
    assert found.inverse_information == pytest.approx(np.linalg.inv(information))


def test_weights_are_repetitions():
    random = np.random.default_rng(1)
    x, treated = np.column_stack([np.ones(60), random.normal(size=60)]), random.random(60) < 0.4
    weight = random.integers(1, 4, 60)
    weighted = fit_logit(x, treated, weight.astype(float))
    repeated = fit_logit(np.repeat(x, weight, axis=0), np.repeat(treated, weight), np.ones(weight.sum()))
    assert np.repeat(weighted.score, weight) == pytest.approx(repeated.score, abs=1e-10)
    assert weighted.inverse_information == pytest.approx(repeated.inverse_information, abs=1e-10)


@pytest.mark.parametrize("scale", [1e-9, 1e-3, 1.0, 1e9])
def test_the_scale_of_weights_does_not_matter(scale):
    random = np.random.default_rng(2)
    x, treated = np.column_stack([np.ones(80), random.normal(size=(80, 2))]), random.random(80) < 0.3
    plain, scaled = fit_logit(x, treated, np.ones(80)), fit_logit(x, treated, np.full(80, scale))
    assert scaled.score == pytest.approx(plain.score, abs=1e-9)


def test_the_fit_solves_its_equations():
    random = np.random.default_rng(3)
    x = np.column_stack([np.ones(500), random.normal(size=(500, 3))])
    treated = random.random(500) < expit(x @ [-0.5, 1.0, -2.0, 0.3])
    found = fit_logit(x, treated, np.ones(500))
    assert np.abs(x.T @ (treated - found.score)).max() < 1e-9


def test_a_start_near_the_end_does_not_change_the_fit(monkeypatch):
    random = np.random.default_rng(4)
    x = np.column_stack([np.ones(4000), random.normal(size=(4000, 2))])
    treated = random.random(4000) < expit(x @ [0.0, 1.0, 0.5])
    plain = fit_logit(x, treated, np.ones(4000))
    monkeypatch.setattr(propensity, "_MANY", 1000)
    assert fit_logit(x, treated, np.ones(4000)).score == pytest.approx(plain.score, abs=1e-10)
    monkeypatch.setattr(propensity, "_MANY", 10)  # every sixteenth of 20 is 2 rows: no start, but the fit
    few = np.arange(20)
    assert fit_logit(x[few], treated[few], np.ones(20)).failure == ""


def test_a_step_that_would_run_away_is_halved():
    """598 of 600 are treated at x = 1 and 10 of 40 at x = 0.

    From the common share of 95% a full step of Newton's method takes the second score from 0.25 to 10⁻⁶ and beyond.
    """
    x = np.column_stack([np.ones(640), np.repeat([1.0, 0.0], [600, 40])])
    treated = np.concatenate([np.arange(600) < 598, np.arange(40) < 10])
    found = fit_logit(x, treated, np.ones(640))
    assert found.failure == ""
    assert found.score == pytest.approx(np.repeat([598 / 600, 0.25], [600, 40]), abs=1e-9)


@pytest.mark.parametrize(
    ("column", "treated", "said"),
    [
        (np.full(10, 3.0), np.arange(10) < 5, "the covariates are collinear, or one does not vary"),
        (np.arange(10.0), np.arange(10) < 5, "score above 0.999"),
        (np.where(np.arange(10) < 3, 1.0, 0.0), np.arange(10) < 5, "score above 0.999"),  # all of x = 1 are treated
    ],
)
def test_what_cannot_be_fitted_is_refused_with_the_reason(column, treated, said):
    x = np.column_stack([np.ones(10), standardised(column[:, None], np.ones(10))[:, 1]])
    assert said in fit_logit(x, treated, np.ones(10)).failure


def test_covariates_get_mean_0_and_deviation_1():
    """2, 4, 6 with weights 1, 2, 1: mean 4, variance (4 + 0 + 4)/4 = 2."""
    found = standardised(np.array([[2.0], [4.0], [6.0]]), np.array([1.0, 2.0, 1.0]))
    assert found == pytest.approx(np.array([[1, -np.sqrt(2)], [1, 0], [1, np.sqrt(2)]]))


@pytest.mark.parametrize("scale", [1e-14, 1.0, 1e14])
def test_a_covariate_varies_or_not_whatever_its_unit(scale):
    assert standardised(scale * np.array([[1.0], [2.0]]), np.ones(2))[:, 1] == pytest.approx([-1, 1])
    assert standardised(scale * np.array([[0.1], [0.1], [0.1]]), np.ones(3))[:, 1].tolist() == [0, 0, 0]


def test_a_covariate_that_is_all_zero_is_zero():
    assert standardised(np.zeros((3, 1)), np.ones(3))[:, 1].tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("product", "expected"),
    [
        (np.eye(2), False),
        (np.diag([1e-12, 1e12]), False),  # unlike scales are no collinearity
        (np.array([[1.0, 1.0], [1.0, 1.0]]), True),
        (np.array([[1.0, 0.0], [0.0, 0.0]]), True),
        (np.array([[np.nan, 0.0], [0.0, 1.0]]), True),
    ],
)
def test_collinear_is_what_cannot_be_inverted(product, expected):
    assert is_collinear(product) is expected
