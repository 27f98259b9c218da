"""Weights of several areas found together, their placebos; sets of areas that border each other."""

import numpy as np
import pytest

from evalkit.core.errors import DesignError
from evalkit.core.quantities import Interval, Unavailable
from evalkit.data.areas.series import AreaSeries
from evalkit.design.panel.area_starts import area_starts
from evalkit.estimate.synthetic.connected_arrays import connected_sets
from evalkit.estimate.synthetic.control import synthetic_control
from evalkit.estimate.synthetic.placebos import PlaceboOptions, placebo_in_space
from evalkit.estimate.synthetic.pooled import (
    pooled_control,
    pooled_placebos,
    pooled_without_areas,
    pooled_without_donors,
)
from evalkit.estimate.synthetic.pooled_arrays import fit_pooled
from evalkit.estimate.synthetic.study import among_gaps
from tests.unit.estimate.area_tables import ROLES, design_of, factor_values, table_of

STARTS = {"A1": 2011, "A2": 2013}


def starts_of(values, starts=STARTS, **moved):
    return area_starts(AreaSeries.from_frame(table_of(values, **moved), ROLES), starts)


@pytest.fixture(scope="module")
def values():
    values = factor_values(np.random.default_rng(8), 44, 16, noise=0.1)
    values[0, 10:] += 2
    values[1, 12:] += 2
    return values


def test_the_mean_may_be_followed_where_no_area_is():
    # two areas a unit above and below two donors that differ by nothing: each is missed by one, their mean by none
    base = np.array([1.0, 3.0, 2.0, 5.0])
    treated, donors = np.array([base + 1, base - 1]), np.column_stack([base, base])
    found = fit_pooled(treated, donors, np.array([3, 3]), nu=0.5, ridge=1e-3)
    assert (found.q_separate, found.q_pooled) == (pytest.approx(1), pytest.approx(0, abs=1e-12))
    # ν by the data: ‖Σ d‖ / Σ‖d‖ = 0 / (2√3)
    assert fit_pooled(treated, donors, np.array([3, 3]), ridge=1e-3).nu == pytest.approx(0, abs=1e-12)


def test_pooled_weights_by_hand():
    # one lag, donors at 0 and 4, areas at 1 and 2; w the weight of the second donor: d1 = 1 − 4w1, d2 = 2 − 4w2.
    # ν = 1 without ridge takes any w1 + w2 = 3/4; a small ridge takes w1 = w2 = 3/8, so that d1 = −1/2 and d2 = 1/2
    treated, donors = np.array([[1.0, 7.0], [2.0, 9.0]]), np.array([[0.0, 4.0], [0.0, 8.0]])
    found = fit_pooled(treated, donors, np.array([1, 1]), nu=1.0, ridge=1e-7)
    np.testing.assert_allclose(found.weights, [[5 / 8, 3 / 8], [5 / 8, 3 / 8]], atol=1e-6)
    # afterwards the synthetic value is 8 · 3/8 = 3: gaps of 4 and 6
    assert found.estimate == pytest.approx(5, abs=1e-5)
    # ν = 0: w1 = 1/4 and w2 = 1/2, each followed exactly; gaps of 7 − 2 and 9 − 4
    alone = fit_pooled(treated, donors, np.array([1, 1]), nu=0.0, ridge=1e-9)
    np.testing.assert_allclose(alone.weights[:, 1], [1 / 4, 1 / 2], atol=1e-6)
    assert alone.estimate == pytest.approx(5, abs=1e-5)


def test_event_times_are_counted_from_each_area_s_own_start(values):
    found = pooled_control(starts_of(values))
    assert (found.fit.n_lags, found.fit.n_leads) == (10, 4)
    own = np.array([found.fit.gaps[0, 0:14], found.fit.gaps[1, 2:16]])
    np.testing.assert_allclose(found.fit.gap, own.mean(axis=0))
    assert found.estimate == pytest.approx(own[:, 10:].mean())
    assert found.estimate == pytest.approx(2, abs=0.3)
    times = {one.event_time: one for one in found.by_event_time}
    assert (times[3].n_areas, times[5].n_areas) == (2, 1)
    assert times[5].gap == pytest.approx(found.fit.gaps[0, 15])
    after = np.concatenate([found.fit.gaps[0, 10:], found.fit.gaps[1, 12:]])
    assert found.over_all == pytest.approx(after.mean())


def test_one_area_with_one_start_is_the_synthetic_control(values):
    alone = pooled_control(starts_of(np.delete(values, 1, axis=0), {"A1": 2011}))
    plain = synthetic_control(design_of(np.delete(values, 1, axis=0), 2011))
    assert alone.estimate == pytest.approx(plain.estimate, abs=1e-3)  # but for the ridge that makes weights unique
    assert alone.fit.nu == pytest.approx(1)


def test_placebos_rank_the_treated_areas(values):
    found = pooled_control(starts_of(values))
    options = PlaceboOptions(n_draws=99, seed=3)
    placebos = pooled_placebos(found, options)
    assert placebos.p_value == pytest.approx(1 / 44)  # never below one over the areas that could have been treated
    assert isinstance(placebos.among.interval, Interval)
    # 100 ranked: five of them reject at 5%, so that the fifth largest gap of the placebos ends the interval
    half = np.sort(np.abs(placebos.estimates))[-5]
    assert placebos.among.interval.upper - found.estimate == pytest.approx(half)
    again = pooled_placebos(found, options)
    np.testing.assert_array_equal(again.estimates, placebos.estimates)
    left = pooled_without_donors(found)
    assert left.lowest <= left.without_influential <= left.highest
    assert set(pooled_without_areas(found)) == {"A1", "A2"}


def test_order_labels_years_and_scale(values):
    plain = pooled_control(starts_of(values))
    order = np.random.default_rng(2).permutation(np.arange(2, 44))
    moved = pooled_control(starts_of(values[[0, 1, *order]]))
    assert moved.estimate == pytest.approx(plain.estimate, abs=1e-8)
    np.testing.assert_allclose(moved.fit.weights, plain.fit.weights[:, order - 2], atol=1e-7)
    later = pooled_control(starts_of(values, {"A1": 1911, "A2": 1913}, first=1901))
    assert later.estimate == plain.estimate
    scaled = pooled_control(starts_of(1e3 * values - 7))
    assert scaled.estimate == pytest.approx(1e3 * plain.estimate, rel=1e-6)
    assert scaled.fit.nu == pytest.approx(plain.fit.nu, rel=1e-6)
    assert pooled_placebos(scaled, PlaceboOptions(n_draws=9)).ratio == pytest.approx(
        pooled_placebos(plain, PlaceboOptions(n_draws=9)).ratio, rel=1e-6
    )


def test_areas_whose_own_weights_do_not_follow_them_have_no_effect_of_their_own():
    # donors move together about 0 and 4; areas at 1 and 3: each is followed by itself, at ν = 1 only their mean need be
    wave = np.tile([0.0, 0.1, -0.1, 0.0], 3)
    values = [1 + wave, 3 + wave, *(level + wave for level in (0, 4, 0, 4, 0, 4))]
    design = starts_of(values, {"A1": 2009, "A2": 2009})
    # w = ½ on each side for both areas: each is missed by one, their mean by none; donors' SD is 2.19 (six of 0 and 4)
    found = pooled_control(design, nu=1.0)
    assert found.pre_ratio == pytest.approx(1 / np.std([0, 4, 0, 4, 0, 4], ddof=1), rel=1e-3)
    assert (found.mean_ratio, found.alone_ratio) == (pytest.approx(0, abs=1e-4), pytest.approx(0, abs=1e-4))
    assert found.estimate == pytest.approx(0, abs=1e-3)
    alone = pooled_control(design, nu=0.0)
    assert all(isinstance(one.estimate, float) for one in alone.by_area)
    narrow = [1 + wave, 3 + wave, *(level + wave for level in (0, 4, 2, 2, 2, 2))]
    # donors' SD is 1.26: an area missed by one is missed by .79 of it, more than the half up to which it is shown
    found = pooled_control(starts_of(narrow, {"A1": 2009, "A2": 2009}), nu=1.0)
    assert isinstance(found.estimate, float)
    assert all("there for the mean of the areas" in one.estimate.reason for one in found.by_area)


def test_what_cannot_be_judged(values):
    twelve = values[:12].copy()
    twelve[0], twelve[1] = twelve[2:5].mean(axis=0), twelve[4:8].mean(axis=0)
    few = pooled_control(starts_of(twelve))
    assert "10 donors are 5 sets of 2" in pooled_placebos(few, PlaceboOptions(n_draws=9)).p_value.reason
    short = pooled_control(starts_of(values[:, 7:], first=2008))
    assert "Only 3 periods lie before the start" in pooled_placebos(short, PlaceboOptions(n_draws=9)).p_value.reason
    far = values.copy()
    far[0] += 20
    poor = pooled_control(starts_of(far))
    assert "no averages of these donors are like them" in poor.estimate.reason
    assert pooled_placebos(poor, PlaceboOptions(n_draws=9)).p_value == poor.estimate
    assert pooled_without_donors(poor) == poor.estimate
    with pytest.raises(DesignError, match="between 0 and 1"):
        pooled_control(starts_of(values), nu=1.2)
    with pytest.raises(DesignError, match="nothing of its programme can be seen yet"):
        starts_of(values, {"A1": 2011, "A2": 2019})


def test_fewer_than_forty_ranked_have_no_interval():
    found = among_gaps(3.0, np.arange(30.0), 0.95)
    assert isinstance(found.interval, Unavailable)
    # 27 placebos of 3 or more, and itself, of 31
    assert found.p_value == pytest.approx(28 / 31)


# Areas that border each other.


def grid(rows, columns):
    """Return which squares of a grid share a side."""
    places = [(row, column) for row in range(rows) for column in range(columns)]
    return np.array([[abs(a - c) + abs(b - d) == 1 for c, d in places] for a, b in places])


def hangs_together(borders):
    """Whether every area can be walked to from the first: as many steps as there are areas are enough."""
    return np.linalg.matrix_power(np.eye(len(borders), dtype=int) + borders, len(borders))[0].all()


def test_sets_border_each_other_and_those_without_an_area_in_common_are_counted():
    borders = grid(4, 6)
    found = connected_sets(borders, 4, 200, np.random.default_rng(1))
    assert found.sets.shape == (200, 4)
    assert all(hangs_together(borders[np.ix_(one, one)]) for one in found.sets)
    assert all(len(set(one)) == 4 for one in found.sets.tolist())
    # 24 squares are six sets of four (six squares of two by two)
    assert (found.n_disjoint, found.n_areas) == (6, 24)
    again = connected_sets(borders, 4, 200, np.random.default_rng(1))
    np.testing.assert_array_equal(again.sets, found.sets)


def test_a_part_of_the_map_that_is_too_small_is_in_no_set():
    borders = np.zeros((9, 9), dtype=bool)
    borders[:6, :6] = grid(1, 6)  # six in a row
    borders[6:8, 6:8] = grid(1, 2)  # an island of two, and one of one
    found = connected_sets(borders, 3, 50, np.random.default_rng(1))
    assert (found.n_disjoint, found.n_areas) == (2, 6)
    assert found.sets.max() < 6
    assert not len(connected_sets(borders, 7, 50, np.random.default_rng(1)).sets)


def test_connected_placebos_have_a_least_p_value():
    values = factor_values(np.random.default_rng(4), 27, 12, noise=0.1)
    values[:3, 9:] += 15
    found = synthetic_control(design_of(values, 2010, treated=("A1", "A2", "A3")))
    connected = connected_sets(grid(4, 6), 3, 120, np.random.default_rng(2))
    space = placebo_in_space(found, PlaceboOptions(), connected)
    assert (len(space.ratios), space.n_disjoint, space.n_as_large) == (120, 8, 0)
    # none of the 120 is as unusual, and eight sets without an area in common are nine with the treated one
    assert space.p_value == pytest.approx(1 / 9)
    assert any("no p-value is below 1/9" in note for note in space.notes)
    assert not any("anywhere" in note for note in space.notes)
    # sets are ranked as the design would have them: by the mean of their areas against the others
    first = space.gaps[0]
    rest = np.delete(found.design.donor_values, connected.sets[0], axis=0)
    assert first.shape == (12,)
    assert np.abs(first[:9]).max() <= np.abs(rest).max()
