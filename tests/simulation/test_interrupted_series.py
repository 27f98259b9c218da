"""What ranking an area's interrupted series among all others promises, and what a t-test of one series does not.

Each draw is 120 areas over nine years (five before, four from the start on): a level, a course shared by all, and
errors that follow on one another (AR(1)) with correlation 0 or .6; each area is compared with the ten after it on a
fixed list, and one area, or three with other starts, is treated at random. Errors are alike in all areas, or have an SD
between a half and two. Rank tests at 120 areas reject at rank 6 or better, 6/120 = 5.0%; the interval covers 95.0%.
Monte Carlo error of a share q over n draws: √(q(1 − q)/n), so at 5% 1.1 points with 400 draws and .3 with 4,000. Bounds
are four such errors. Seeds are fixed.
"""

from functools import cache

import numpy as np
import pytest
from scipy import stats

from evalkit.core.quantities import Interval
from evalkit.estimate.areas.gap_series import GapSeries, by_start, placed, places_of
from evalkit.estimate.areas.gap_series_arrays import terms

AREAS, YEARS, START, EFFECT = 120, np.arange(2011, 2020), 2016, 0.8
SHORT, LONG = 400, 4_000
ORDER = np.random.default_rng(7).permutation(AREAS)


@cache
def listed():
    """Whether the area of a row has that of a column on its list: the ten after it."""
    found = np.zeros((AREAS, AREAS), dtype=bool)
    for at, area in enumerate(ORDER):
        found[area, np.roll(ORDER, -at - 1)[:10]] = True
    return found


def errors(rng, rho, spread):
    """Return errors of every area and year, stationary, SD 1 or between 1/2 and 2."""
    shocks = rng.normal(size=(AREAS, len(YEARS)))
    made = np.empty_like(shocks)
    made[:, 0] = shocks[:, 0]
    for t in range(1, len(YEARS)):
        made[:, t] = rho * made[:, t - 1] + np.sqrt(1 - rho**2) * shocks[:, t]
    return made * (np.exp(rng.uniform(np.log(0.5), np.log(2), AREAS))[:, None] if spread else 1)


def draw(seed, rho, has_slope, starts=(START,), spread=False):
    """Return one draw's series, with the effect in the treated areas."""
    rng = np.random.default_rng(seed)
    values = errors(rng, rho, spread) + rng.normal(size=AREAS)[:, None] + np.linspace(0, 5, len(YEARS))
    treated = rng.choice(AREAS, len(starts), replace=False)
    for at, start in zip(treated, starts, strict=True):
        values[at] += EFFECT * (start <= YEARS)
    is_treated = np.isin(np.arange(AREAS), treated)
    compared = listed() & ~is_treated[None, :]
    return GapSeries(
        values=values,
        years=YEARS,
        compared=compared,
        treated=treated.astype(np.int64),
        starts=np.array(starts),
        stands_in=~is_treated & compared.any(axis=1),
        weight=np.ones(AREAS),
        has_slope=has_slope,
    )


def judged(n, rho, has_slope, **other):
    """Return the mean estimate, and the share of draws whose interval leaves out the effect that there is.

    That is the size of the test as well: an effect is rejected where the interval does not hold it.
    """
    n_draws = other.pop("n_draws", 9_999)
    found = []
    for seed in range(n):
        series = draw(seed, rho, has_slope, **other)
        ranked = placed(series, places_of(series, 1, n_draws), by_start(series, GapSeries.effects)).ranked()
        assert isinstance(ranked.interval, Interval)
        found.append((ranked.estimate, EFFECT not in ranked.interval))
    estimates, missed = np.array(found, dtype=float).T
    return estimates, missed.mean()


def within(share, expected, n):
    return abs(share - expected) <= 4 * np.sqrt(expected * (1 - expected) / n)


@pytest.mark.parametrize("rho", [0.0, 0.6])
@pytest.mark.parametrize("has_slope", [True, False])
def test_one_area_keeps_level_and_is_not_biased(rho, has_slope):
    estimates, missed = judged(SHORT, rho, has_slope)
    assert within(missed, 0.05, SHORT)
    assert abs(estimates.mean() - EFFECT) <= 4 * estimates.std() / np.sqrt(SHORT)


def test_areas_of_unlike_errors_keep_level_where_any_may_be_treated():
    _, missed = judged(SHORT, 0.6, True, spread=True)
    assert within(missed, 0.05, SHORT)


def test_several_areas_keep_level():
    estimates, missed = judged(SHORT // 2, 0.6, False, starts=(2015, 2016, 2017), n_draws=499)
    assert within(missed, 0.05, SHORT // 2)
    assert abs(estimates.mean() - EFFECT) <= 4 * estimates.std() / np.sqrt(SHORT // 2)


def t_test_rejects(n, rho):
    """Return how often Student's t of the change of level, from one series' own residuals, rejects no change."""
    rng = np.random.default_rng(11)
    design = terms(YEARS, START, True)
    bread = np.linalg.inv(design.T @ design)
    series = np.concatenate([errors(rng, rho, False) for _ in range(-(-n // AREAS))])[:n]
    coefficients = series @ design @ bread
    left = series - coefficients @ design.T
    df = len(YEARS) - 4
    error = np.sqrt((left**2).sum(axis=1) / df * bread[1, 1])
    return float((np.abs(coefficients[:, 1] / error) > stats.t.ppf(0.975, df)).mean())


def test_a_t_test_of_one_short_series_rejects_too_often():
    assert t_test_rejects(20_000, 0.0) == pytest.approx(0.05, abs=0.006)
    assert t_test_rejects(20_000, 0.6) > 0.09


@pytest.mark.slow
@pytest.mark.parametrize("rho", [0.0, 0.3, 0.6])
@pytest.mark.parametrize("has_slope", [True, False])
@pytest.mark.parametrize("spread", [False, True])
def test_one_area_keeps_level_over_many_draws(rho, has_slope, spread):
    estimates, missed = judged(LONG, rho, has_slope, spread=spread)
    assert within(missed, 0.05, LONG)
    assert abs(estimates.mean() - EFFECT) <= 4 * estimates.std() / np.sqrt(LONG)


@pytest.mark.slow
@pytest.mark.parametrize("rho", [0.0, 0.6])
def test_several_areas_keep_level_over_many_draws(rho):
    _, missed = judged(LONG // 2, rho, True, starts=(2015, 2016, 2016), n_draws=999)
    assert within(missed, 0.05, LONG // 2)
