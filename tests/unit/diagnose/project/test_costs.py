"""Costs by hand."""

from dataclasses import replace
from datetime import date
from types import SimpleNamespace

import pandas as pd
import pytest

from evalkit.core.quantities import Interval, Unavailable
from evalkit.diagnose.project.costs import cost_band, cost_summary, length_in_years, pupils_on_roll


@pytest.mark.parametrize(
    ("pounds", "band"),
    [
        (0, "very low"),
        (79.99, "very low"),
        (80, "low"),
        (200, "low"),
        (200.01, "moderate"),
        (720, "moderate"),
        (1200, "high"),
        (1200.01, "very high"),
    ],
)
def test_bands_of_the_toolkit(pounds, band):
    assert cost_band(pounds) == band


def test_both_days_count():
    # 1 February 2018 to 31 July 2019 are 546 days
    assert length_in_years(date(2018, 2, 1), date(2019, 7, 31)) == pytest.approx(546 / 365.25)


def intake(roll, treated, is_whole_area=True):
    """Four primaries A to D, D a special school; a secondary E, and C teaches both phases."""
    groups = {
        "KS2": {"A": "Academy", "B": "Academy", "C": "Academy", "D": "Special"},
        "KS4": {"C": "Academy", "E": "Academy"},
    }
    records = {
        stage: SimpleNamespace(schools=pd.DataFrame({"minor_group": pd.Series(found)}))
        for stage, found in groups.items()
    }
    schools = SimpleNamespace(schools=treated, is_whole_area=is_whole_area)
    return SimpleNamespace(
        kind="real", records=records, treated=schools, roll=None if roll is None else pd.Series(roll, dtype=float)
    )


EVERY = {"KS2": ("A", "B", "C", "D"), "KS4": ("C", "E")}


def test_pupils_are_counted_once_and_special_schools_are_not(small_project):
    # A 210, B 420, C 900 in both phases once, E 1,200: 2,730 in four schools
    found = pupils_on_roll(small_project, intake({"A": 210, "B": 420, "C": 900, "D": 60, "E": 1200}, EVERY))
    assert found == (2730, 4)


def test_a_missing_roll_beyond_a_tenth_is_a_reason(small_project):
    n_pupils, n_schools = pupils_on_roll(small_project, intake({"A": 210, "B": 420, "C": 900}, EVERY))
    assert n_schools == 4
    assert n_pupils == Unavailable("No cost for each pupil: 1 of the 4 schools have no roll.")
    assert isinstance(pupils_on_roll(small_project, intake(None, EVERY))[0], Unavailable)


def test_a_number_of_pupils_under_the_threshold_does_not_leave(small_project):
    n_pupils, _ = pupils_on_roll(small_project, intake({"A": 5}, {"KS2": ("A",), "KS4": ()}))
    assert isinstance(n_pupils, Unavailable)


def results(project, found, interval=None, g=0.25):
    size = SimpleNamespace(hedges_g=g, hedges_g_interval=interval)
    effect = SimpleNamespace(interval=interval, effect_size=size)
    return SimpleNamespace(project=project, intake=found, primary="READPROG", main_effect=effect)


def test_a_whole_area_spreads_the_cost_over_all_its_pupils(small_project):
    asked = replace(small_project, cost=replace(small_project.cost, total_gbp=27_300.0, schools=4))
    found = cost_summary(results(asked, intake({"A": 210, "B": 420, "C": 900, "E": 1200}, EVERY)))
    # 27,300 / 4 schools; / 2,730 pupils = 10, over 546 / 365.25 years = 6.69
    assert found.per_school_gbp == 6_825
    assert found.per_pupil_gbp == 10
    assert found.per_pupil_year_gbp == pytest.approx(10 * 365.25 / 546)
    assert found.band == "very low"
    assert isinstance(found.per_tenth_sd_gbp, Unavailable)


def test_no_band_where_the_money_went_to_other_schools_than_those_counted(small_project):
    asked = replace(small_project, cost=replace(small_project.cost, total_gbp=27_300.0, schools=2))
    found = cost_summary(results(asked, intake({"A": 210, "B": 420, "C": 900, "E": 1200}, EVERY)))
    assert found.per_pupil_gbp == 10
    assert "the money went to 2 schools and the pupils are those of 4" in found.band.reason


def test_invented_pupils_carry_no_cost(small_project):
    listed = intake({"A": 210, "B": 420}, {"KS2": ("A", "B"), "KS4": ()}, is_whole_area=False)
    listed.kind = "synthetic"
    found = cost_summary(results(small_project, listed, Interval(0.1, 0.5), 0.25))
    assert found.n_pupils == Unavailable("The pupils of these data are invented, so no cost for each pupil is given.")
    assert isinstance(found.per_tenth_sd_gbp, Unavailable)


def test_listed_schools_take_their_mean_roll_for_the_schools_paid_for(small_project):
    asked = replace(small_project, cost=replace(small_project.cost, total_gbp=63_000.0, schools=4))
    listed = intake({"A": 210, "B": 420}, {"KS2": ("A", "B"), "KS4": ()}, is_whole_area=False)
    found = cost_summary(results(asked, listed, Interval(0.1, 0.5), 0.25))
    # mean roll 315, four schools 1,260 pupils: 50 each; 15,750 a school over 2.5 tenths of an SD = 6,300
    assert found.per_pupil_gbp == pytest.approx(50)
    assert found.per_tenth_sd_gbp == pytest.approx(6_300)
    # at the upper end, 5 tenths, 3,150; at the lower, 1 tenth, 15,750
    assert (found.per_tenth_sd_interval.lower, found.per_tenth_sd_interval.upper) == pytest.approx((3_150, 15_750))


def test_no_cost_is_no_summary(small_project):
    assert cost_summary(results(replace(small_project, cost=None), intake(None, EVERY))) is None
