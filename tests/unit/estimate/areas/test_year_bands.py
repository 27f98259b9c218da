"""The band over years by hand, its properties, its refusals, and its coverage."""

import numpy as np
import pytest

from evalkit.core.quantities import Interval, Unavailable
from evalkit.design.project.areas import TREATED_GROUP
from evalkit.estimate.areas.area_effects import AreaEffects
from evalkit.estimate.areas.effect_records import FEW_AREAS, NOBODY_LEFT, NOT_STUDENTISED, PART_OF_AREA
from evalkit.estimate.areas.outcome_effects import BandOptions, stretched, year_bands

# Five areas, the first treated; 60% level, so that the reach is the least m with (m + 1)/5 > 0.4: m = 2, the second
# largest of the other four.
FIRST = [9.0, 4.0, -3.0, 2.0, 1.0]  # reach 3
SECOND = [-5.0, 1.0, 2.0, -4.0, 8.0]  # reach 4
OPTIONS = BandOptions(level=0.6)


def effects_of(values, errors=None, groups=None):
    groups = np.arange(101, 101 + len(values)) if groups is None else np.array(groups)
    n = np.full(len(values), 10)
    return AreaEffects(groups, np.array(values), np.ones(len(values)) if errors is None else np.array(errors), n, n)


def test_by_hand():
    # max over years of |effect| / reach: 4/3 and 1/4 -> 1.333; 1 and 2/4 -> 1; 2/3 and 1 -> 1; 1/3 and 2 -> 2.
    # The second largest of the others is 1.333: the band of the first year is 9 ± 4, of the second -5 ± 5.333.
    reaches, factor = stretched(np.array([FIRST, SECOND]), 0, 0.4)
    assert reaches.tolist() == [3, 4]
    assert factor == pytest.approx(4 / 3)
    found = year_bands("READPROG", {2018: effects_of(FIRST), 2019: effects_of(SECOND)}, 101, OPTIONS)
    assert [(one.outcome, one.year) for one in found] == [("READPROG", 2018), ("READPROG", 2019)]
    assert (found[0].band.lower, found[0].band.upper) == pytest.approx((5, 13))
    assert (found[1].band.lower, found[1].band.upper) == pytest.approx((-5 - 16 / 3, -5 + 16 / 3))
    assert found[0].band.level == 0.6


def test_one_year_has_its_own_interval():
    [found] = year_bands("A", {2019: effects_of(FIRST)}, 101, OPTIONS)
    assert found.band == Interval(6.0, 12.0, 0.6)


def test_a_base_of_one_year_has_no_width_and_moves_nothing():
    base = effects_of([0.0] * 5)
    found = year_bands("A", {2017: base, 2019: effects_of(FIRST)}, 101, OPTIONS)
    assert found[0].band == Interval(0.0, 0.0, 0.6)
    assert found[1].band == Interval(6.0, 12.0, 0.6)


def test_studentised_bands_are_scaled_back_by_the_treated_areas_own_error():
    # effects over errors of 2 are half of FIRST: reach 1.5 errors of the treated area's 2.
    [found] = year_bands(
        "A", {2019: effects_of(FIRST, errors=[2.0] * 5)}, 101, BandOptions(level=0.6, statistic="studentised")
    )
    assert found.band == Interval(6.0, 12.0, 0.6)


def test_only_areas_of_every_year_take_part():
    later = effects_of([*FIRST, 50.0], groups=[101, 102, 103, 104, 105, 999])
    found = year_bands("A", {2018: effects_of(FIRST), 2019: later}, 101, OPTIONS)
    assert [one.band for one in found] == [Interval(6.0, 12.0, 0.6)] * 2


@pytest.mark.parametrize(
    ("values", "own", "options", "reason"),
    [
        (FIRST, TREATED_GROUP, OPTIONS, PART_OF_AREA),
        (FIRST, 555, OPTIONS, NOBODY_LEFT),
        (FIRST, 101, BandOptions(level=0.95), FEW_AREAS.format(needed=20)),
    ],
)
def test_where_there_is_none_the_reason_stands(values, own, options, reason):
    [found] = year_bands("A", {2019: effects_of(values)}, own, options)
    assert found.band == Unavailable(reason)


def test_an_area_without_an_error_cannot_be_studentised():
    errors = [1, 1, 1, 1, np.nan]
    [found] = year_bands(
        "A", {2019: effects_of(FIRST, errors=errors)}, 101, BandOptions(level=0.6, statistic="studentised")
    )
    assert found.band == Unavailable(NOT_STUDENTISED)


def test_no_years_no_bands():
    assert year_bands("A", {}, 101, OPTIONS) == ()


def test_the_band_is_never_narrower_and_scale_and_order_do_not_matter():
    rng = np.random.default_rng(5)
    for _ in range(50):
        statistics = rng.normal(size=(4, 60)) * rng.uniform(0.2, 3, (4, 1))
        reaches, factor = stretched(statistics, 7, 0.05)
        assert factor >= 1
        scaled, same = stretched(statistics * [[2.0], [3.0], [0.5], [1.0]], 7, 0.05)
        np.testing.assert_allclose(scaled, reaches * [2.0, 3.0, 0.5, 1.0])
        assert same == pytest.approx(factor)
        order = rng.permutation(60)
        moved, again = stretched(statistics[:, order], int(np.flatnonzero(order == 7)[0]), 0.05)
        assert (moved.tolist(), again) == (reaches.tolist(), factor)


def test_coverage_of_all_years_together():
    # Under no effect the band is right where it covers zero in every year: the treated area's largest |effect|/reach
    # is at most the factor. 3,000 draws of 4 correlated years in 100 areas; Monte Carlo error of 95% is 0.4 points.
    rng = np.random.default_rng(6)
    together = alone = 0
    for _ in range(3000):
        shared = rng.normal(size=100)
        statistics = 0.6 * shared + rng.normal(size=(4, 100)) * np.array([[0.5], [0.5], [1.0], [1.5]])
        reaches, factor = stretched(statistics, 0, 0.05)
        largest = (np.abs(statistics[:, 0]) / reaches).max()
        together += largest <= factor
        alone += largest <= 1
    assert 0.935 <= together / 3000 <= 0.965
    assert alone / 3000 < 0.90  # the single intervals do not hold together
