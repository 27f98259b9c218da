"""Bounds hold the effect on schools that are published in either arm; imputation puts right what is missing at random.

Areas of made-up schools: a treated area whose results go missing more often among those that do badly, others whose
results go missing alike. The effect of the always published is known.
"""

import numpy as np
import pytest

from evalkit.core.draws import stream
from evalkit.estimate.missing.area_bounds import bounds_by_permutation
from evalkit.estimate.missing.lee_arrays import lee_bounds
from evalkit.estimate.missing.predictive_arrays import ImputationOptions, imputed

EFFECT, N_AREAS, N_SCHOOLS = 0.8, 60, 40
SHOCK = 0.2


def one_draw(rng, is_selective=True):
    """Changes of all areas with gaps, (J, n), the last treated; and whether its schools are always published."""
    change = rng.normal(size=(N_AREAS, N_SCHOOLS)) + SHOCK * rng.normal(size=(N_AREAS, 1))
    luck = 0.7 * (change if is_selective else 0.0) + rng.normal(size=change.shape)
    cut = np.quantile(luck, 0.2)
    lost = luck < cut
    always = luck[-1] >= np.quantile(luck, 0.35)
    change[-1] += EFFECT
    lost[-1] = ~always  # the programme loses some more of those that do badly, and saves none
    change[lost] = np.nan
    return change


def judged(change):
    """Bounds of every area against all others but the treated one."""
    rows = []
    for area in range(N_AREAS):
        others = np.delete(np.arange(N_AREAS), [area, N_AREAS - 1] if area < N_AREAS - 1 else [area])
        compared = change[others].reshape(1, -1)
        rows.append(lee_bounds(change[area][None, :], np.ones((1, N_SCHOOLS)), compared, np.ones_like(compared)))
    return bounds_by_permutation(type(rows[0])(*map(np.concatenate, zip(*rows, strict=True))), N_AREAS - 1, 0.95)


def coverage(n_draws, seed):
    inside = naive = 0
    for draw in range(n_draws):
        rng = stream(seed, f"bounds {draw}")
        change = one_draw(rng)
        found = judged(change)
        inside += found.interval.lower <= EFFECT <= found.interval.upper
        naive += np.nanmean(change[-1]) - np.nanmean(change[:-1])
    return inside / n_draws, naive / n_draws


def check_coverage(n_draws):
    share, naive = coverage(n_draws, 7)
    # at 93% of true coverage, chance alone would show less than this in one of a thousand runs
    assert share >= 0.93 - 3.1 * np.sqrt(0.93 * 0.07 / n_draws)
    assert naive > EFFECT + 0.05  # leaving out what is missing overstates the effect: there is something to bound


def test_the_interval_of_the_bounds_holds_the_effect_on_those_always_published():
    check_coverage(60)


@pytest.mark.slow
def test_the_interval_of_the_bounds_holds_that_effect_in_many_draws():
    check_coverage(2_000)


def bias(n_draws, seed, n=300):
    """Mean error of the last year's mean, complete cases and imputed, where gaps depend on the years before alone."""
    errors = []
    for draw in range(n_draws):
        rng = stream(seed, f"imputed {draw}")
        level = rng.normal(size=n)
        size, group = rng.normal(size=(n, 1)), np.arange(n) % 15
        values = level[:, None] + 0.6 * rng.normal(size=(n, 3)) + 0.3 * size + 0.3 * rng.normal(size=15)[group, None]
        gaps = values.copy()
        gaps[rng.random(n) < 1 / (1 + np.exp(1.5 + 0.5 * (values[:, 0] + values[:, 1]))), 2] = np.nan
        tables = [imputed(gaps, size, group, stream(draw, f"table {m}"), ImputationOptions()) for m in range(5)]
        errors.append((np.nanmean(gaps[:, 2]), np.mean(tables, axis=0)[:, 2].mean()) - values[:, 2].mean())
    return np.array(errors)


def check_bias(n_draws):
    errors = bias(n_draws, 3)
    mean, error = errors.mean(axis=0), errors.std(axis=0, ddof=1) / np.sqrt(n_draws)
    assert mean[0] > 0.1  # those with low years before are missing, so that the rest do better
    # a donor is never further out than who is observed, which leaves some of it (a fifteenth, over 150 draws)
    assert abs(mean[1]) < 3.3 * error[1] + mean[0] / 10


def test_imputation_puts_right_what_is_missing_at_random():
    check_bias(40)


@pytest.mark.slow
def test_imputation_puts_right_what_is_missing_at_random_in_many_draws():
    check_bias(1_000)
