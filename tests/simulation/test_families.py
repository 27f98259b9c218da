"""Step-down over areas keeps the chance of any false alarm in a family, and of the differences of subgroups."""

import numpy as np
import pytest

from evalkit.estimate.areas.area_effects import AreaEffects
from evalkit.estimate.areas.together import PlacedStatistic, TogetherOptions, place_together

ALPHA = 0.05


def rejected(rng, n_areas, n_outcomes, correlation, shift=0.0):
    """Return whether any true null is rejected, by step-down and by single p-values, in one made-up family."""
    common = rng.standard_normal((n_areas, 1))
    own = rng.standard_t(5, (n_areas, n_outcomes)) * np.linspace(0.5, 2, n_outcomes)
    effects = np.sqrt(correlation) * common + np.sqrt(1 - correlation) * own
    effects[0, 0] += shift  # the first outcome alone has an effect, where there is one
    groups, ones = np.arange(101, 101 + n_areas), np.full(n_areas, 10)
    placed = [
        PlacedStatistic.of_areas(AreaEffects(groups, column, np.ones(n_areas), ones, ones), 101) for column in effects.T
    ]
    together = place_together(placed, TogetherOptions())
    first = 1 if shift else 0
    adjusted = together.adjusted()[first:]
    return (adjusted <= ALPHA).any(), (together.p_values()[first:] <= ALPHA).any(), together


def shares(n_draws, **family):
    rng = np.random.default_rng(20261130)
    found = [rejected(rng, **family)[:2] for _ in range(n_draws)]
    return np.mean(found, axis=0)


def error(n_draws):
    """Return two and a half Monte Carlo errors of a share of 5%."""
    return 2.5 * np.sqrt(ALPHA * (1 - ALPHA) / n_draws)


@pytest.mark.parametrize("correlation", [0.0, 0.7])
def test_any_false_alarm_in_a_family_of_five_keeps_its_level(correlation):
    n_draws = 600
    step_down, single = shares(n_draws, n_areas=100, n_outcomes=5, correlation=correlation)
    assert step_down <= ALPHA + error(n_draws)
    assert single > step_down  # five tests each at 5% are not one at 5%


def test_it_does_where_one_outcome_has_an_effect():
    n_draws = 600
    step_down, _ = shares(n_draws, n_areas=100, n_outcomes=4, correlation=0.5, shift=20.0)
    assert step_down <= ALPHA + error(n_draws)


def test_a_difference_of_two_subgroups_keeps_its_level():
    rng, n_draws = np.random.default_rng(7), 600
    found = [rejected(rng, 100, 2, 0.6)[2].difference(0, 1).p_value <= ALPHA for _ in range(n_draws)]
    assert np.mean(found) <= ALPHA + error(n_draws)
    assert np.mean(found) >= ALPHA - error(n_draws)


@pytest.mark.slow
@pytest.mark.parametrize("n_areas", [40, 149])
@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9])
def test_any_false_alarm_keeps_its_level_over_many_draws(n_areas, correlation):
    n_draws = 10_000
    step_down, _ = shares(n_draws, n_areas=n_areas, n_outcomes=8, correlation=correlation)
    assert step_down <= ALPHA + error(n_draws)
