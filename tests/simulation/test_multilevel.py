"""Two-level models on simulated pupils: bias, coverage of the effect and of the intraclass correlation.

Monte Carlo error of a share q over n draws is √(q(1 − q)/n): at 95%, 2.2 points over 100 draws, 0.7 over 1,000.
"""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from evalkit.core.draws import stream
from evalkit.data.panel import CrossSections
from evalkit.data.roles import Roles
from evalkit.estimate.pupils.random_intercept_arrays import fit, group_sums, icc_limits
from evalkit.estimate.pupils.sections import two_level_did

SHORT, LONG = 100, 1000
EFFECT = 0.3
LEAST = 0.93 - 2 * (0.95 * 0.05 / SHORT) ** 0.5


@cache
def trials(n_treated: int, n_comparison: int, icc: float, n: int) -> np.ndarray:
    """Return estimate, error, and whether the interval of the icc covers, of n trials with a covariate."""
    rng = stream(8, f"two-level {n_treated} {n_comparison} {icc}")
    found = []
    for _ in range(n):
        size = rng.poisson(20, n_treated + n_comparison) + 5
        school = np.repeat(np.arange(len(size)), size)
        treated = (school < n_treated).astype(float)
        prior = rng.normal(size=len(school)) + 0.3 * rng.normal(size=len(size))[school]
        outcome = EFFECT * treated + 0.5 * prior + np.sqrt(icc) * rng.normal(size=len(size))[school]
        outcome += np.sqrt(1 - icc) * rng.normal(size=len(school))
        sums = group_sums(outcome, np.column_stack([treated, prior]), school)
        fitted = fit(sums)
        lower, upper = icc_limits(sums, 0.95, best=fitted.ratio)
        found.append((fitted.beta[1], np.sqrt(fitted.covariance[1, 1]), lower <= icc <= upper))
    return np.array(found)


def check(n_treated: int, n_comparison: int, icc: float, n: int, least: float) -> None:
    estimate, error, covers = trials(n_treated, n_comparison, icc, n).T
    assert abs(estimate.mean() - EFFECT) < 3 * estimate.std(ddof=1) / np.sqrt(n)
    reach = stats.t.ppf(0.975, n_treated + n_comparison - 2) * error
    assert (np.abs(estimate - EFFECT) <= reach).mean() >= least
    assert covers.mean() >= least


@pytest.mark.parametrize("icc", [0.05, 0.15])
def test_many_schools(icc):
    check(20, 30, icc, SHORT, LEAST)


def test_the_fewest_schools_that_give_an_error():
    # 3 + 3 schools, four degrees of freedom: the rule `schools less school-level coefficients` still holds
    check(3, 3, 0.15, SHORT, LEAST)


@pytest.mark.slow
@pytest.mark.parametrize("schools", [(3, 3), (2, 30), (10, 10), (20, 30), (29, 145)])
@pytest.mark.parametrize("icc", [0.05, 0.15])
def test_coverage_over_1000_trials(schools, icc):
    check(*schools, icc, LONG, 0.93)


def sections(rng: np.random.Generator, persistence: float) -> pd.DataFrame:
    """Return pupils of 30 schools in four years, 12 treated from the third, shocks by school and year."""
    schools, years = 30, 4
    shock = np.empty((schools, years))
    shock[:, 0] = rng.normal(size=schools)
    for year in range(1, years):
        fresh = np.sqrt(1 - persistence**2) * rng.normal(size=schools)
        shock[:, year] = persistence * shock[:, year - 1] + fresh
    size = rng.poisson(12, schools * years) + 3
    cell = np.repeat(np.arange(schools * years), size)
    frame = pd.DataFrame({"school": cell // years, "year": 2016 + cell % years})
    frame["start"] = np.where(frame["school"] < 12, 2018.0, np.nan)
    after = (frame["year"] >= 2018) & frame["start"].notna()
    frame["score"] = EFFECT * after + 0.4 * shock.ravel()[cell] + rng.normal(size=len(cell))
    return frame


@cache
def changes(persistence: float, shock: str, n: int) -> np.ndarray:
    rng = stream(9, f"sections {persistence} {shock}")
    roles = Roles(unit="school", period="year", outcome="score", cohort="start")
    found = [two_level_did(CrossSections.from_frame(sections(rng, persistence), roles), shock) for _ in range(n)]
    return np.array([(f.effect.value, f.effect.std_error, EFFECT in f.effect_interval) for f in found])


def test_years_with_shocks_of_their_own():
    estimate, error, covers = changes(0.0, "period", SHORT).T
    assert abs(estimate.mean() - EFFECT) < 3 * estimate.std(ddof=1) / np.sqrt(len(estimate))
    assert covers.mean() >= 0.93 - 2 * 0.022
    # (0.16 + E(1/n))·(1/2 + 1/2)·(1/12 + 1/18), E(1/n) = 0.0702 pupils of a school and year: an error of 0.179
    assert error.mean() == pytest.approx(0.179, rel=0.05)


@pytest.mark.slow
def test_shocks_that_last_need_the_span():
    # shocks correlated 0.6 from year to year: taking years as independent covers too little, spans nearly enough
    by_year, by_span = (changes(0.6, shock, LONG)[:, 2].mean() for shock in ("period", "span"))
    assert by_year < 0.93
    assert by_span > by_year
    assert by_span >= 0.93
