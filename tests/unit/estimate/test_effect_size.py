"""Effects in standard deviations: each named, and the interval the same interval."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.core.quantities import Interval, Unavailable
from evalkit.data.published.performance import PublishedLimits
from evalkit.estimate.effect_sizes import effect_size, pupil_sd

NO_CAP = np.array([])


def limits(sigma=6.2, n=30):
    pupils = np.linspace(40, 90, n)
    return PublishedLimits(1.96 * sigma / np.sqrt(pupils), pupils, NO_CAP, "England, 2019")


def test_the_pupil_level_sd_is_recovered_from_the_limits():
    assert pupil_sd(limits().half_width, limits().pupils) == pytest.approx(6.2, rel=1e-12)


def test_small_schools_and_schools_without_limits_do_not_count():
    half_width, pupils = limits().half_width.copy(), limits().pupils.copy()
    half_width[0], half_width[1], pupils[1] = 99.0, np.nan, 80.0
    pupils[0] = 39.9  # its limits would be far off, and it is too small to count
    assert pupil_sd(half_width, pupils) == pytest.approx(6.2, rel=1e-12)


def test_too_few_schools_give_no_sd_and_then_no_effect_size_and_no_months():
    few = limits(n=19)
    assert isinstance(pupil_sd(few.half_width, few.pupils), Unavailable)
    found = effect_size(0.9, Interval(-0.1, 1.9), few, 2.7, "toolkit")
    assert isinstance(found.hedges_g, Unavailable)
    assert isinstance(found.hedges_g_interval, Unavailable)
    assert found.months is None
    assert found.hedges_g_school == pytest.approx(0.9 / 2.7)


def test_without_limits_months_are_never_taken_from_the_school_level():
    found = effect_size(0.9, Interval(-0.1, 1.9), None, 2.7, "toolkit")
    assert isinstance(found.hedges_g, Unavailable)
    assert found.months is None


def test_months_stand_at_the_estimate_and_at_both_ends():
    found = effect_size(0.93, Interval(-0.62, 1.86), limits(), 2.7, "toolkit")
    # 0.93/6.2 = 0.15: two months. −0.62/6.2 = −0.10: minus two. 1.86/6.2 = 0.30: four.
    assert (found.months.estimate, found.months.lower, found.months.upper) == (2, -2, 4)
    assert found.hedges_g == pytest.approx(0.15)
    assert "conditional on prior attainment" in found.sd_name
    assert "England, 2019" in found.sd_name


def test_an_interval_that_does_not_exist_keeps_its_reason():
    none = Unavailable("no interval")
    found = effect_size(0.93, none, limits(), 2.7, "toolkit")
    assert found.hedges_g_interval is none
    assert (found.months.lower, found.months.upper) == (None, None)


@given(st.floats(-5, 5), st.floats(0, 5), st.floats(0.5, 20))
def test_the_interval_of_g_times_sigma_is_the_interval(middle, reach, sigma):
    interval = Interval(middle - reach, middle + reach)
    found = effect_size(middle, interval, limits(sigma), 2.0, "toolkit")
    for end, original in (
        (found.hedges_g_interval.lower, interval.lower),
        (found.hedges_g_interval.upper, interval.upper),
    ):
        # One division and one multiplication, each rounded by half a unit in the last place: less than two such units
        # (and the smallest numbers there are, where rounding is coarser).
        assert abs(end * found.sd_used - original) < 2 * math.ulp(original) + 1e-300
    assert abs(found.hedges_g * found.sd_used - middle) < 2 * math.ulp(middle) + 1e-300
