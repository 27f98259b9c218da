"""How often placebos of several areas reject where there is no effect, and how far their estimates are off.

Areas with starts of their own are judged by donors that get these starts; areas that lie together by sets of areas that
border each other, where areas that lie together move together.
"""

import numpy as np
import pytest

from evalkit.data.areas.series import AreaSeries
from evalkit.design.panel.area_starts import area_starts
from evalkit.estimate.synthetic.connected_arrays import connected_sets
from evalkit.estimate.synthetic.control import synthetic_control
from evalkit.estimate.synthetic.placebos import PlaceboOptions, placebo_in_space
from evalkit.estimate.synthetic.pooled import pooled_control, pooled_placebos
from evalkit.estimate.synthetic.weights_arrays import rank_p
from tests.unit.estimate.area_tables import ROLES, design_of, factor_values, table_of
from tests.unit.estimate.synthetic.test_pooled import grid

STARTS = {"A1": 2011, "A2": 2012, "A3": 2014}
EFFECT = 1.0


def staggered(n_worlds, n_draws, seed, n_donors=24):
    """Return the error of the estimate, the p-value of the ratio and that of the mean gap, of worlds with an effect.

    The p-values are those of the effect that is there, taken off: under it nothing happened.
    """
    random, rows = np.random.default_rng(seed), []
    for world in range(n_worlds):
        values = factor_values(random, n_donors + 3, 16)
        table = table_of(values)
        found = pooled_control(area_starts(AreaSeries.from_frame(table, ROLES), STARTS))
        placebos = pooled_placebos(found, PlaceboOptions(n_draws=n_draws, seed=world))
        own = found.fit.post_rmse / max(found.fit.pre_rmse, placebos.floor)
        p = rank_p(own, placebos.ratios)
        gaps = rank_p(abs(found.fit.estimate), np.abs(placebos.estimates))
        for area, start in enumerate(STARTS.values()):
            values[area, start - 2001 :] += EFFECT
        moved = pooled_control(area_starts(AreaSeries.from_frame(table_of(values), ROLES), STARTS))
        rows.append((moved.fit.estimate - EFFECT, p, gaps, moved.fit.estimate - found.fit.estimate))
    return np.array(rows).T


def together(n_worlds, n_draws, seed, rows=6, columns=9, size=4, is_both=True):
    """Return the p-value of treated areas that lie together, by connected sets and by sets from anywhere.

    Areas that lie together move together: what happens in one year is a mean over each area and those around it.
    """
    random, found = np.random.default_rng(seed), []
    borders = grid(rows, columns)
    smooth = np.eye(rows * columns) + borders + (borders @ borders > 0)
    smooth = smooth / smooth.sum(axis=1, keepdims=True)
    for _ in range(n_worlds):
        values = factor_values(random, rows * columns, 14, noise=0.1)
        values += smooth @ (0.8 * random.normal(size=values.shape)).cumsum(axis=1)
        treated = connected_sets(borders, size, 1, random).sets[0]
        rest = np.setdiff1d(np.arange(rows * columns), treated)
        ordered = values[[*treated, *rest]]
        result = synthetic_control(design_of(ordered, 2011, treated=[f"A{at + 1}" for at in range(size)]))
        # donors stand in the order of their ids: A5, A6, …
        near = connected_sets(borders[np.ix_(rest, rest)], size, n_draws, random)
        by_border = placebo_in_space(result, PlaceboOptions(), near)
        anywhere = placebo_in_space(result, PlaceboOptions(n_draws=n_draws)) if is_both else by_border
        own = result.fit.post_rmse / max(result.fit.pre_rmse, by_border.floor)
        found.append((rank_p(own, by_border.ratios), rank_p(own, anywhere.ratios)))
    return np.array(found).T


def three_errors(n, at):
    return 3 * np.sqrt(at * (1 - at) / n)


def test_areas_with_starts_of_their_own_in_short():
    n = 20
    off, p, _, gained = staggered(n, n_draws=9, seed=1, n_donors=12)
    assert abs((p <= 0.2).mean() - 0.2) < three_errors(n, 0.2) + 0.03
    assert abs(off.mean()) < 4 * off.std() / np.sqrt(n)
    # an effect from the start on moves no weight, and is found whole
    np.testing.assert_allclose(gained, EFFECT, atol=1e-9)


@pytest.mark.slow
def test_areas_with_starts_of_their_own():
    n = 400
    off, p, gaps, _ = staggered(n, n_draws=99, seed=2)
    for level in (0.05, 0.1, 0.2):
        print(f"level {level}: ratio {(p <= level).mean():.3f} mean gap {(gaps <= level).mean():.3f}")
        assert abs((p <= level).mean() - level) < three_errors(n, level) + 0.02
        assert abs((gaps <= level).mean() - level) < three_errors(n, level) + 0.02
    print(f"bias {off.mean():.3f} ± {off.std() / np.sqrt(n):.3f}")
    assert abs(off.mean()) < 4 * off.std() / np.sqrt(n)


def test_areas_that_lie_together_in_short():
    n = 20
    p, _ = together(n, n_draws=19, seed=1, rows=5, columns=6, size=3, is_both=False)
    assert abs((p <= 0.2).mean() - 0.2) < three_errors(n, 0.2) + 0.03


@pytest.mark.slow
def test_areas_that_lie_together():
    n = 400
    by_border, anywhere = together(n, n_draws=199, seed=2)
    for level in (0.05, 0.1, 0.2):
        print(f"level {level}: connected {(by_border <= level).mean():.3f} anywhere {(anywhere <= level).mean():.3f}")
        assert (by_border <= level).mean() < level + three_errors(n, level) + 0.02
    assert (by_border <= 0.1).mean() <= (anywhere <= 0.1).mean() + 0.02
