"""Bounds hold the effect on schools that are published in either arm; imputation puts right what is missing at random.

Areas of made-up schools: a treated area whose results go missing more often among those that do badly, others whose
results go missing alike. The effect of the always published is known.
"""

import numpy as np
import pytest

from evalkit.core.draws import stream
from evalkit.estimate.areas.set_draws import Sets
from evalkit.estimate.missing.area_bounds import bounds_by_jackknife, bounds_by_permutation
from evalkit.estimate.missing.lee_arrays import lee_bounds
from evalkit.estimate.missing.predictive_arrays import ImputationOptions, imputed
from evalkit.estimate.missing.staggered_bounds import StaggeredBounds
from evalkit.estimate.staggered.relabelled_arrays import PlannedCell, RelabelledPanel

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


STARTS, N_TREATED = (2, 3), 24
"""Of 60 areas of four schools, half of the schools of so many start in either of two periods out of five."""


def staggered_draw(rng, is_missing=True):
    """Bounds of starts in different years, errors by leaving out areas: treated schools that do badly are lost."""
    area = np.repeat(np.arange(60), 4)
    treated = np.flatnonzero((area < N_TREATED) & (np.arange(240) % 4 < 2))
    cohort = np.array([STARTS[at % 2] for at in treated])
    periods = np.arange(5)
    outcome = rng.normal(size=240)[:, None] + 0.7 * rng.normal(size=(240, 5))
    outcome += SHOCK * rng.normal(size=(60, 5))[area]
    luck = outcome + 0.7 * rng.normal(size=outcome.shape)
    marks = np.full((240, 5), -np.inf if not is_missing else np.quantile(luck, 0.05))
    later = np.zeros((240, 5), dtype=bool)
    later[treated] = periods >= cohort[:, None]
    marks[later] = np.quantile(luck, 0.2) if is_missing else -np.inf
    outcome[later] += EFFECT
    outcome[(luck < marks) & (periods >= min(STARTS))] = np.nan
    is_pool = area >= N_TREATED
    used = is_pool.copy()
    used[treated] = True
    place = np.cumsum(used) - 1
    cells = tuple(PlannedCell(c, t, g - 1, (2,)) for c, g in enumerate(STARTS) for t in range(g, 5))
    panel = RelabelledPanel(
        outcome=outcome[used],
        weight=np.where(np.isnan(outcome), np.nan, 1.0)[used],
        periods=periods,
        cohorts=np.array(STARTS),
        cells=cells,
        anticipation=0,
        is_open=False,
        area=area[used],
        is_pool=is_pool[used],
    )
    own = Sets(
        members=place[treated][None],
        place=area[treated],
        areas=np.arange(N_TREATED)[None],
        start=cohort.astype(float),
    )
    members = np.where(area[treated] == np.arange(60)[:, None], -1, own.members)
    taken = np.column_stack([np.repeat(own.areas, 60, axis=0), np.arange(60)])
    rest = Sets(members=members, place=own.place, areas=taken, start=own.start)
    statistic = StaggeredBounds(panel=panel)
    found = bounds_by_jackknife(statistic.bounds(own), statistic.bounds(rest).ends, 0.95, N_TREATED - 1.0)
    return found, statistic(own)[0, 0]


def check_staggered(n_draws):
    found = [staggered_draw(stream(5, f"starts {draw}")) for draw in range(n_draws)]
    share = np.mean([one.interval.lower <= EFFECT <= one.interval.upper for one, _ in found])
    assert share >= 0.93 - 3.1 * np.sqrt(0.93 * 0.07 / n_draws)
    assert np.mean([effect for _, effect in found]) > EFFECT + 0.05  # those published did better
    assert np.mean([one.lower for one, _ in found]) < EFFECT < np.mean([one.upper for one, _ in found])


def test_the_interval_of_the_bounds_of_starts_holds_the_effect():
    check_staggered(40)


@pytest.mark.slow
def test_the_interval_of_the_bounds_of_starts_holds_the_effect_in_many_draws():
    check_staggered(1_000)


@pytest.mark.slow
def test_with_nothing_missing_the_interval_of_the_bounds_keeps_its_level():
    found = [staggered_draw(stream(6, f"whole {draw}"), is_missing=False)[0] for draw in range(1_000)]
    share = np.mean([one.interval.lower <= EFFECT <= one.interval.upper for one in found])
    assert 0.93 <= share <= 0.975


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
