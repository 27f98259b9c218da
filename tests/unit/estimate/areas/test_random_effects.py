"""Random-effects pooling against arithmetic, published results and statsmodels."""

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects

from evalkit.core.errors import InputError
from evalkit.core.quantities import Interval, Unavailable
from evalkit.estimate.areas.pooling_arrays import (
    pooled_mean,
    profile_root,
    restricted_likelihood,
    restricted_score,
    restricted_tau2,
)
from evalkit.estimate.areas.random_effects import random_effects

# Colditz and others (1994): vaccinated with and without tuberculosis, not vaccinated with and without.
BCG = (
    (4, 119, 11, 128), (6, 300, 29, 274), (3, 228, 11, 209), (62, 13536, 248, 12619), (33, 5036, 47, 5761),
    (180, 1361, 372, 1079), (8, 2537, 10, 619), (505, 87886, 499, 87892), (29, 7470, 45, 7232), (17, 1699, 65, 1600),
    (186, 50448, 141, 27197), (5, 2493, 3, 2338), (27, 16886, 29, 17825),
)  # fmt: skip


def log_risk_ratios():
    a, b, c, d = np.array(BCG, dtype=float).T
    return np.log(a / (a + b) * (c + d) / c), np.sqrt(1 / a - 1 / (a + b) + 1 / c - 1 / (c + d))


def log_odds_ratios():
    a, b, c, d = np.array(BCG, dtype=float).T
    return np.log(a * d / b / c), np.sqrt(1 / a + 1 / b + 1 / c + 1 / d)


def test_equal_errors_by_hand():
    # y = 1, 3, 8 with v = 1: ȳ = 4, s² = (9 + 1 + 16) / 2 = 13, REML τ² = s² − v = 12.
    # w = 1/13, Σw(y − μ)² = 26/13 = 2, 1/Σw = 13/3: HK = √(2/2 · 13/3); fixed √(1/3). Q = 26, p = e^{−13} on 2 df.
    # typical v = 1, I² = 12/13. t on 2 df at 0.975: 4.302653; on 1 df: 12.706205.
    found = random_effects([1, 3, 8], [1, 1, 1])
    assert found.tau2 == pytest.approx(12, rel=1e-12)
    assert found.estimate == pytest.approx(4, rel=1e-12)
    assert found.hartung_knapp == pytest.approx(math.sqrt(13 / 3), rel=1e-12)
    assert found.fixed_std_error == pytest.approx(math.sqrt(1 / 3), rel=1e-12)
    assert found.std_error == found.hartung_knapp
    assert found.error_kind == "Hartung–Knapp"
    assert (found.df, found.prediction_df, found.q_df, found.n) == (2, 1, 2, 3)
    assert found.q == pytest.approx(26, rel=1e-12)
    assert found.q_p == pytest.approx(math.exp(-13), rel=1e-9)
    assert found.i2 == pytest.approx(12 / 13, rel=1e-12)
    assert found.weights == pytest.approx((1 / 3,) * 3)
    assert found.interval.upper - 4 == pytest.approx(4.302653 * math.sqrt(13 / 3), rel=1e-6)
    assert found.prediction.upper - 4 == pytest.approx(12.706205 * math.sqrt(12 + 13 / 3), rel=1e-6)
    # t = 4 / √(13/3) on 2 df: p = 1 − t / √(2 + t²)
    t = 4 / math.sqrt(13 / 3)
    assert found.p_value == pytest.approx(1 - t / math.sqrt(2 + t * t), rel=1e-9)
    # Q(τ²) = 26 / (1 + τ²) = χ²: τ² = 26/χ² − 1 with χ²(2) at 0.975 = −2 ln 0.025 and at 0.025 = −2 ln 0.975
    assert found.tau2_interval.lower == pytest.approx(26 / (-2 * math.log(0.025)) - 1, rel=1e-9)
    assert found.tau2_interval.upper == pytest.approx(26 / (-2 * math.log(0.975)) - 1, rel=1e-9)


def test_no_variance_between_and_the_larger_error():
    # y = 0, 1, 2 with v = 4: s² = 1 < 4, so τ² = 0; Σw(y − μ)² = 2/4: HK = √(0.5/2 · 4/3) = 0.577, fixed √(4/3) = 1.155
    found = random_effects([0, 1, 2], [2, 2, 2])
    assert found.tau2 == 0.0
    assert found.i2 == 0.0
    assert found.hartung_knapp == pytest.approx(math.sqrt(1 / 3))
    assert found.std_error == pytest.approx(math.sqrt(4 / 3))
    assert found.error_kind == "fixed-effect"
    assert found.interval.upper - 1 == pytest.approx(4.302653 * math.sqrt(4 / 3), rel=1e-6)


def test_risk_ratios_of_the_bcg_trials_as_published():
    # Viechtbauer (2010), section 3: τ² = 0.3132, estimate −0.7145; Knapp and Hartung's error 0.1807 and interval
    # (−1.1084, −0.3206); Q = 152.23; I² = 92.22%; Q-profile interval of τ² 0.1197 to 1.1115.
    found = random_effects(*log_risk_ratios())
    assert found.tau2 == pytest.approx(0.3132, abs=5e-5)
    assert found.estimate == pytest.approx(-0.7145, abs=5e-5)
    assert found.std_error == pytest.approx(0.1807, abs=1.1e-4)
    assert (found.interval.lower, found.interval.upper) == pytest.approx((-1.1084, -0.3206), abs=5e-5)
    assert found.q == pytest.approx(152.2330, abs=5e-5)
    assert 100 * found.i2 == pytest.approx(92.22, abs=5e-3)
    assert (found.tau2_interval.lower, found.tau2_interval.upper) == pytest.approx((0.1197, 1.1115), abs=5e-5)
    # the model error 1/√Σw that is published beside it: 0.1798
    estimate, error = log_risk_ratios()
    assert math.sqrt(pooled_mean(estimate, error**2, found.tau2).variance) == pytest.approx(0.1798, abs=5e-5)


def test_odds_ratios_of_the_bcg_trials_as_published():
    # van Houwelingen, Arends and Stijnen (2002), as metafor repeats them: estimate −0.7452, τ² = 0.3378, Q-profile
    # interval 0.1302 to 1.1812.
    found = random_effects(*log_odds_ratios())
    assert found.estimate == pytest.approx(-0.7452, abs=5e-5)
    assert found.tau2 == pytest.approx(0.3378, abs=5e-5)
    assert (found.tau2_interval.lower, found.tau2_interval.upper) == pytest.approx((0.1302, 1.1812), abs=7e-5)


def some_studies(seed: int, number: int, tau: float | None = None):
    """Return estimates and errors of studies that differ by `tau`, or not at all, a little or much where it is None."""
    rng = np.random.default_rng(seed)
    error = rng.uniform(0.2, 1.5, number)
    between = rng.choice([0.0, 0.3, 2.0]) if tau is None else tau
    return rng.normal(0.3, between, number) + rng.normal(size=number) * error, error


@pytest.mark.parametrize("seed", range(12))
def test_what_statsmodels_has_agrees(seed):
    estimate, error = some_studies(seed, 4 + seed, tau=3.0)  # statsmodels warns where its τ² is negative
    found = random_effects(estimate, error)
    peer = combine_effects(estimate, error**2, method_re="dl")
    assert found.q == pytest.approx(peer.q, rel=1e-12)
    assert found.fixed == pytest.approx(peer.mean_effect_fe, rel=1e-12)
    assert found.fixed_std_error == pytest.approx(peer.sd_eff_w_fe, rel=1e-12)
    assert found.q_p == pytest.approx(stats.chi2.sf(peer.q, len(estimate) - 1), rel=1e-9)


@pytest.mark.parametrize("seed", range(8))
def test_hartung_knapp_agrees_with_statsmodels_at_its_own_tau2(seed):
    estimate, error = some_studies(seed, 6, tau=3.0)
    peer = combine_effects(estimate, error**2, method_re="dl")
    ours = pooled_mean(estimate, error**2, peer.tau2)
    assert ours.mean == pytest.approx(peer.mean_effect_re, rel=1e-9)
    assert math.sqrt(ours.dispersion / 5 * ours.variance) == pytest.approx(peer.sd_eff_w_re_hksj, rel=1e-9)


def test_the_root_of_q_is_one():
    estimate, error = log_risk_ratios()
    root = profile_root(estimate, error**2, 12.0)
    assert pooled_mean(estimate, error**2, root).dispersion == pytest.approx(12.0, rel=1e-12)
    assert profile_root(estimate, error**2, 152.3) is None  # Q(0) is 152.23


@pytest.mark.parametrize("seed", range(40))
def test_no_tau2_has_a_higher_restricted_likelihood(seed):
    estimate, error = some_studies(seed, 3 + seed % 9)
    best = restricted_tau2(estimate, error**2)
    others = np.concatenate([np.linspace(0, 30, 20001), best * np.linspace(0.9, 1.1, 2001)])
    at_best = restricted_likelihood(estimate, error**2, np.array([best]))[0]
    assert at_best >= restricted_likelihood(estimate, error**2, others).max() - 1e-11
    score = restricted_score(estimate, error**2, best)
    assert score == pytest.approx(0, abs=1e-9) if best > 0 else score <= 0


def test_the_higher_of_two_peaks_is_found():
    # Two groups: precise studies that agree, imprecise ones that do not. The likelihood has a peak at zero and another
    # far from it; each of the two is the higher one for some spread.
    for spread, is_far in ((3.0, False), (60.0, True)):
        estimate = np.array([0, 0.01, -0.01, 0.005, spread, -spread])
        variance = np.array([0.01, 0.01, 0.01, 0.01, 4.0, 4.0]) ** 2
        best = restricted_tau2(estimate, variance)
        grid = np.concatenate([[0.0], np.geomspace(1e-8, 1e5, 200001)])
        likelihood = restricted_likelihood(estimate, variance, grid)
        assert best == pytest.approx(grid[likelihood.argmax()], rel=1e-3, abs=1e-9)
        assert (best > 1) is is_far


def test_the_score_is_the_derivative_of_the_likelihood():
    estimate, error = some_studies(3, 7)
    low, high = 0.7 - 1e-5, 0.7 + 1e-5
    ends = restricted_likelihood(estimate, error**2, np.array([low, high]))
    slope = (ends[1] - ends[0]) / (high - low)
    assert restricted_score(estimate, error**2, 0.7) == pytest.approx(slope, rel=1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_order_scale_and_shift(seed):
    estimate, error = some_studies(seed, 8)
    base = random_effects(estimate, error)
    order = np.random.default_rng(seed).permutation(8)
    moved = random_effects(estimate[order], error[order])
    assert moved.estimate == pytest.approx(base.estimate, rel=1e-9)
    assert moved.tau2 == pytest.approx(base.tau2, rel=1e-7, abs=1e-10)
    assert moved.weights == pytest.approx(tuple(np.array(base.weights)[order]), rel=1e-7)
    scaled = random_effects(-10 * estimate, 10 * error)
    assert scaled.estimate == pytest.approx(-10 * base.estimate, rel=1e-9)
    assert scaled.tau2 == pytest.approx(100 * base.tau2, rel=1e-7, abs=1e-8)
    assert (scaled.i2, scaled.q) == pytest.approx((base.i2, base.q), rel=1e-7, abs=1e-9)
    assert scaled.std_error == pytest.approx(10 * base.std_error, rel=1e-7)
    shifted = random_effects(estimate + 5, error)
    assert shifted.estimate == pytest.approx(base.estimate + 5, rel=1e-9)
    assert shifted.std_error == pytest.approx(base.std_error, rel=1e-7)


def test_the_prediction_interval_holds_the_mean_and_the_weights_sum_to_one():
    for seed in range(20):
        found = random_effects(*some_studies(seed, 5))
        assert found.prediction.lower <= found.interval.lower <= found.estimate <= found.interval.upper
        assert sum(found.weights) == pytest.approx(1)
        assert found.std_error >= found.fixed_std_error


def test_two_estimates_have_no_prediction_interval():
    found = random_effects([1, 3], [1, 1])
    assert isinstance(found.prediction, Unavailable)
    assert isinstance(found.interval, Interval)


def test_estimates_too_alike_leave_no_interval_of_tau2():
    found = random_effects([1.0, 1.0, 1.0], [1, 2, 3])
    assert found.tau2 == 0.0
    assert isinstance(found.tau2_interval, Unavailable)
    assert "not even zero" in found.tau2_interval.reason
    assert found.interval.upper > 1


def test_a_higher_level_gives_wider_intervals():
    estimate, error = some_studies(2, 6)
    widths = [
        (found.interval.upper - found.interval.lower, found.prediction.upper - found.prediction.lower)
        for found in (random_effects(estimate, error, level) for level in (0.8, 0.9, 0.95, 0.99))
    ]
    assert all(one[0] < other[0] and one[1] < other[1] for one, other in pairwise(widths))


@pytest.mark.parametrize(
    ("estimates", "errors", "level", "said"),
    [
        ([1.0], [1.0], 0.95, "at least two"),
        ([1.0, 2.0], [1.0], 0.95, "each with its standard error"),
        ([1.0, math.nan], [1.0, 1.0], 0.95, "finite"),
        ([1.0, 2.0], [1.0, 0.0], 0.95, "positive"),
        ([1.0, 2.0], [1.0, -1.0], 0.95, "positive"),
        ([1.0, 2.0], [1.0, math.inf], 0.95, "finite"),
        ([1.0, 2.0], [1.0, 1.0], 95, "between 0 and 1"),
    ],
)
def test_what_cannot_be_pooled_is_refused(estimates, errors, level, said):
    with pytest.raises(InputError, match=said):
        random_effects(estimates, errors, level)


def coverage(number: int, tau: float, draws: int, seed: int) -> tuple[float, float]:
    """Return how often the interval holds the mean, and the prediction interval a new effect."""
    rng = np.random.default_rng(seed)
    held = predicted = 0
    for _ in range(draws):
        error = rng.uniform(0.3, 0.9, number)
        effect = rng.normal(0.4, tau, number) + rng.normal(size=number) * error
        found = random_effects(effect, error)
        held += 0.4 in found.interval
        predicted += rng.normal(0.4, tau) in found.prediction
    return held / draws, predicted / draws


@pytest.mark.parametrize("number", [5, 10])
def test_intervals_hold_the_truth_about_as_often_as_they_say(number):
    # 400 draws: two standard errors of a coverage of 0.95 are 0.022. Where effects differ no more than errors do, τ² is
    # often estimated as zero and the prediction interval holds less than it says: the card gives the figures.
    held, predicted = coverage(number, 0.5, 400, seed=number)
    assert 0.925 <= held <= 0.985
    assert 0.83 <= predicted <= 0.995


@pytest.mark.slow
@pytest.mark.parametrize("number", [3, 5, 10, 20])
@pytest.mark.parametrize("tau", [0.0, 0.3, 1.0])
def test_coverage(number, tau):
    # 4,000 draws: two standard errors of 0.95 are 0.007. Without variance between projects the error is never less than
    # the fixed-effect one and t has k − 1 degrees of freedom: too wide rather than too narrow.
    held, predicted = coverage(number, tau, 4000, seed=100 * number + int(10 * tau))
    assert held >= 0.935
    assert held <= (0.965 if tau == 1.0 and number >= 5 else 1.0)
    assert predicted >= (0.9 if number < 10 or tau == 1.0 else 0.82)
