"""What intervals of a survey's change hold, and whether the intraclass correlation is right on average.

Each draw is a programme of `S_all` schools whose own changes are drawn, of which some are surveyed twice, other people
answering; the interval should hold the mean change of all the programme's schools 95 times in 100. Monte Carlo error
of a share of 95% over n draws: 1.1 points with 400 and .34 with 4,000; bounds are some three of these.
"""

import numpy as np
import pytest

from evalkit.core.quantities import Unavailable
from evalkit.estimate.survey.change_arrays import Wave, change_between
from evalkit.estimate.survey.reliability_arrays import one_way_icc

SHORT, LONG = 400, 4000


def covered(n_draws, n_schools, n_all, respondents):
    """Return how often the change of all schools lies in the interval, and in that of sampled schools alone."""
    held = np.zeros(2)
    for seed in range(n_draws):
        rng = np.random.default_rng([17, seed])
        level, own = rng.normal(3, 0.5, n_all), rng.normal(0.2, 0.3, n_all)
        chosen = rng.choice(n_all, n_schools, replace=False)
        waves = []
        for shift in (0.0, 1.0):
            size = rng.poisson(respondents, n_schools) + 2
            school = np.repeat(np.arange(n_schools), size)
            truth = (level + shift * own)[chosen][school]
            waves.append(Wave(truth + rng.normal(0, 0.9, len(school)), school))
        found = change_between(*waves, n_all)
        short = change_between(*waves).std_error * (1 - n_schools / n_all) ** 0.5  # without how respondents differ
        reach = short / found.std_error * (found.interval.upper - found.estimate)
        held += found.interval.lower <= own.mean() <= found.interval.upper, abs(found.estimate - own.mean()) <= reach
    return held / n_draws


def test_the_interval_holds_the_change_and_one_without_respondents_does_not():
    ours, without = covered(SHORT, 12, 15, 8)
    assert ours > 0.93
    assert without < 0.85


@pytest.mark.slow
@pytest.mark.parametrize(("n_schools", "n_all"), [(6, 60), (12, 15), (12, 12), (30, 40)])
def test_the_interval_holds_the_change(n_schools, n_all):
    assert 0.937 < covered(LONG, n_schools, n_all, 8)[0] < 0.985


def iccs(n_draws, rho, n_schools=30):
    """Return the mean intraclass correlation over draws, and how often its interval holds the truth."""
    found, held = [], 0
    for seed in range(n_draws):
        rng = np.random.default_rng([29, seed])
        school = np.repeat(np.arange(n_schools), rng.integers(4, 21, n_schools))
        values = rho**0.5 * rng.normal(size=n_schools)[school] + (1 - rho) ** 0.5 * rng.normal(size=len(school))
        one = one_way_icc(values, school)
        assert not isinstance(one.icc, Unavailable)
        found.append(one.icc)
        held += one.interval.lower <= rho <= one.interval.upper
    return np.mean(found), np.std(found) / n_draws**0.5, held / n_draws


@pytest.mark.parametrize("rho", [0.0, 0.15])
def test_the_intraclass_correlation_is_right_on_average(rho):
    mean, error, held = iccs(SHORT, rho)
    assert abs(mean - rho) < 3 * error + 0.004  # a ratio: of order 1/S
    assert held > 0.915


@pytest.mark.slow
@pytest.mark.parametrize("rho", [0.0, 0.1, 0.3])
def test_the_interval_of_the_intraclass_correlation_holds_it(rho):
    assert 0.935 < iccs(LONG, rho)[2] < 0.965
