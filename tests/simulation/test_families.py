"""Step-down over areas keeps the chance of any false alarm in a family, and of the differences of subgroups."""

import numpy as np
import pytest

from evalkit.estimate.areas.area_effects import AreaEffects
from evalkit.estimate.areas.together import PlacedStatistic, Together, TogetherOptions, place_together
from evalkit.estimate.dose.dealt import DealtSlope, deal_together

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


# Slopes on doses, judged by the same dealings.


def dealt(rng, n_outcomes, slopes, n_draws, is_apart=False, lost=0.0):
    """Return a made-up family of slopes on the doses of 24 participants in three areas, or of as many each."""
    n, placed = 24, []
    area = np.repeat([301, 302, 303], 8)
    dose, shared = rng.integers(0, 12, n).astype(float), rng.normal(size=n)
    for at, slope in zip(range(n_outcomes), slopes, strict=True):
        if is_apart:
            dose = rng.integers(0, 12, n).astype(float)
        change = slope * dose + shared + rng.standard_t(5, n) * (1 + at) + rng.normal(size=3)[area - 301]
        kept = rng.random(n) >= lost
        ids = np.array([f"{at if is_apart else ''}s{k:02d}" for k in range(n)])
        placed.append(
            DealtSlope(
                ids=tuple(ids[kept]),
                change=change[kept],
                dose=dose[kept],
                area=area[kept],
                covariates=np.empty((int(kept.sum()), 0)),
                part=str(at) if is_apart else "",
            )
        )
    found = deal_together(placed, int(rng.integers(1_000_000_000)), n_draws)
    return Together(
        observed=found.judged[0],
        values=found.judged[1:],
        weights=np.ones(len(found.judged) - 1),
        n_areas=3,
        n_sets=n_draws,
        is_centred=False,
        level=0.95,
        over="dealings",
        dealt=found,
    )


def dealt_shares(n, n_draws):
    """Return the shares of false alarms of families of four, and of differences of alike slopes, none, small, large."""
    rng = np.random.default_rng(20261201)
    families = [(dealt(rng, 4, [0] * 4, n_draws, lost=0.1).adjusted() <= ALPHA).any() for _ in range(n)]
    yield np.mean(families)
    for slope, is_apart in ((0.0, True), (0.3, True), (3.0, True), (3.0, False)):
        p = [dealt(rng, 2, [slope] * 2, n_draws, is_apart=is_apart).difference(0, 1).p_value for _ in range(n)]
        yield np.mean(np.array(p) <= ALPHA)


def test_families_and_differences_of_slopes_keep_their_level():
    n = 200
    assert all(share <= ALPHA + error(n) for share in dealt_shares(n, 99))


def test_a_difference_of_slopes_is_found_where_there_is_one():
    rng = np.random.default_rng(3)
    p = [dealt(rng, 2, [0.0, 1.0], 199, is_apart=True).difference(0, 1).p_value for _ in range(60)]
    assert np.mean(np.array(p) <= ALPHA) > 0.5


@pytest.mark.slow
def test_families_and_differences_of_slopes_keep_their_level_over_many_draws():
    n = 4_000
    assert all(share <= ALPHA + error(n) for share in dealt_shares(n, 499))


@pytest.mark.slow
@pytest.mark.parametrize("n_areas", [40, 149])
@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9])
def test_any_false_alarm_keeps_its_level_over_many_draws(n_areas, correlation):
    n_draws = 10_000
    step_down, _ = shares(n_draws, n_areas=n_areas, n_outcomes=8, correlation=correlation)
    assert step_down <= ALPHA + error(n_draws)
