"""Effects in standard deviations of pupils: which one leads, each named, and the interval the same interval."""

import math
from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.core.errors import DesignError
from evalkit.core.quantities import Interval, Unavailable
from evalkit.data.measures import MEASURES, SdRule
from evalkit.data.published.performance import NationalShares, PublishedLimits
from evalkit.estimate.published_spread import (
    Spread,
    Spreads,
    conditional_spread,
    effect_size,
    pupil_sd,
    scaled_score_sd,
    share_sd,
    unconditional_spread,
)

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


def test_too_few_schools_give_no_sd():
    few = limits(n=19)
    assert isinstance(pupil_sd(few.half_width, few.pupils), Unavailable)
    assert isinstance(conditional_spread(READING, few).sd, Unavailable)


def test_the_sd_of_scaled_scores_lies_between_the_two_standards():
    # z(0.75) = 0.6744898 and z(0.25) = -0.6744898: 10 points are 1.3489795 standard deviations, one is 7.41301
    assert scaled_score_sd(0.75, 0.25) == pytest.approx(7.413011, abs=1e-6)
    # z(1 - 0.1587) is 1 and z(1 - 0.5) is 0: ten points are one standard deviation
    assert scaled_score_sd(0.5, 0.15865525393145707) == pytest.approx(10.0, rel=1e-12)


@given(st.floats(4, 15), st.floats(95, 112))
def test_shares_of_a_normal_distribution_give_its_sd_back(sd, mean):
    expected, higher = (1 - NormalDist(mean, sd).cdf(standard) for standard in (100, 110))
    assert scaled_score_sd(expected, higher) == pytest.approx(sd, rel=1e-6)


@pytest.mark.parametrize(("expected", "higher"), [(0.2, 0.7), (0.5, 0.5), (1.0, 0.5), (0.5, 0.0), (math.nan, 0.2)])
def test_shares_that_cannot_be_are_refused(expected, higher):
    with pytest.raises(DesignError, match="must fall and lie between 0 and 1"):
        scaled_score_sd(expected, higher)


def test_the_sd_of_a_share_is_that_of_yes_and_no():
    # of four pupils one reaches it: 100, 0, 0, 0 has the mean 25 and the standard deviation sqrt(75² + 3 × 25²)/2
    assert share_sd(0.25) == pytest.approx(np.std([100, 0, 0, 0]))
    with pytest.raises(DesignError, match="between 0 and 1"):
        share_sd(1.0)


READING = MEASURES["READPROG"]
SHARES = NationalShares((0.7225, 0.2486), "the shares of pupils in England's schools, 2017")


def spreads(sigma=6.2, *, conditional=None):
    return Spreads(
        unconditional=Spread(sd=sigma, name="of all pupils"),
        conditional=conditional or conditional_spread(READING, limits()),
        school_sd=2.7,
    )


def test_progress_is_standardised_by_the_scaled_score_of_all_pupils_and_the_conditional_sd_stands_beside():
    of_all, given_prior = unconditional_spread(READING, SHARES), conditional_spread(READING, limits())
    # 10/(z(0.7514) + z(0.7225)) = 10/(0.67891 + 0.59029) = 7.879
    assert of_all.sd == pytest.approx(7.879, abs=5e-4)
    assert "unconditional" in of_all.name
    assert "England's schools, 2017" in of_all.name
    found = effect_size(
        0.938, Interval(0.0, 1.876), Spreads(unconditional=of_all, conditional=given_prior, school_sd=2.7)
    )
    assert found.hedges_g == pytest.approx(0.938 / 7.879, abs=1e-5)  # 0.119
    assert found.hedges_g_conditional == pytest.approx(0.938 / 6.2)  # 0.151
    assert found.hedges_g_conditional_interval.upper == pytest.approx(1.876 / 6.2)
    assert "conditional on prior attainment" in found.sd_conditional_name
    assert found.hedges_g_school == pytest.approx(0.938 / 2.7)
    assert found.months.estimate == 2  # 0.12 by the Toolkit; 0.15 is 2 as well
    assert found.months.upper == 3  # 0.238; the conditional 0.303 would be 4


@pytest.mark.parametrize(
    ("code", "shares", "said"),
    [
        ("P8MEA", None, "no distribution of pupils' Attainment 8 scores"),
        ("WRITPROG", None, "judged by teachers"),
        ("READPROG", None, "these files lack PTREAD_EXP or PTREAD_HIGH"),
        ("READPROG", NationalShares((0.3, 0.4), "the shares printed for England, 2017"), "do not fall"),
        ("PTRWM_EXP", NationalShares((1.0,), "the shares printed for England, 2017"), "one is 0 or all"),
    ],
)
def test_where_no_unconditional_sd_can_be_had_the_reason_stands_and_no_months(code, shares, said):
    none = unconditional_spread(MEASURES[code], shares)
    assert said in none.sd.reason
    found = effect_size(
        0.9,
        Interval(-0.1, 1.9),
        Spreads(unconditional=none, conditional=conditional_spread(READING, limits()), school_sd=2.7),
    )
    assert found.hedges_g == none.sd
    assert found.hedges_g_interval == none.sd
    assert found.months is None  # never from the conditional or the school-level one
    assert found.hedges_g_conditional == pytest.approx(0.9 / 6.2)
    assert found.hedges_g_school == pytest.approx(0.9 / 2.7)


def test_a_share_and_a_stated_sd_are_named():
    share = unconditional_spread(MEASURES["PTRWM_EXP"], NationalShares((0.61,), "the shares printed for England, 2017"))
    assert share.sd == pytest.approx(100 * math.sqrt(0.61 * 0.39))
    assert "reaching it (100) or not (0)" in share.name
    own = replace(MEASURES["READPROG"], sd=SdRule(kind="stated", value=15.0))
    assert unconditional_spread(own, None) == Spread(sd=15.0, name="SD of pupils as the project file states it")


def test_without_limits_the_conditional_sd_is_a_reason():
    assert (
        "No confidence limits of this outcome are published" in conditional_spread(MEASURES["ATT8SCR"], None).sd.reason
    )
    assert "These files hold no" in conditional_spread(READING, None).sd.reason


def test_months_stand_at_the_estimate_and_at_both_ends():
    found = effect_size(0.93, Interval(-0.62, 1.86), spreads())
    # 0.93/6.2 = 0.15: two months. −0.62/6.2 = −0.10: minus two. 1.86/6.2 = 0.30: four.
    assert (found.months.estimate, found.months.lower, found.months.upper) == (2, -2, 4)
    assert found.hedges_g == pytest.approx(0.15)


def test_an_interval_that_does_not_exist_keeps_its_reason():
    none = Unavailable("no interval")
    found = effect_size(0.93, none, spreads())
    assert found.hedges_g_interval is none
    assert (found.months.lower, found.months.upper) == (None, None)


@given(st.floats(-5, 5), st.floats(0, 5), st.floats(0.5, 20))
def test_the_interval_of_g_times_sigma_is_the_interval(middle, reach, sigma):
    interval = Interval(middle - reach, middle + reach)
    found = effect_size(middle, interval, spreads(sigma))
    for end, original in (
        (found.hedges_g_interval.lower, interval.lower),
        (found.hedges_g_interval.upper, interval.upper),
    ):
        # One division and one multiplication, each rounded by half a unit in the last place: less than two such units
        # (and the smallest numbers there are, where rounding is coarser).
        assert abs(end * found.sd_used - original) < 2 * math.ulp(original) + 1e-300
    assert abs(found.hedges_g * found.sd_used - middle) < 2 * math.ulp(middle) + 1e-300
