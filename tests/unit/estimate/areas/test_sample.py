"""Changes over time, each measured from the mean of the years before."""

import numpy as np
import pandas as pd
import pytest

from evalkit.core.project import Exposure
from evalkit.data.panel import Panel
from evalkit.data.roles import Roles
from evalkit.estimate.areas.sample import Changes, changes_before, changes_less_trend, changes_to

EXPOSURE = Exposure(pre=(2016, 2017), partial=(2018,), post=(2019,))
ROLES = Roles(unit="unit", period="period", outcome="outcome", cohort="cohort", cluster="cluster")


def panel(scores, years=(2016, 2017, 2018, 2019)):
    wide = pd.DataFrame(scores, index=years).T
    long = wide.rename_axis("unit").reset_index().melt("unit", var_name="period", value_name="outcome").dropna()
    long["period"] = long["period"].astype(int)
    return Panel.from_frame(long.assign(cluster=long["unit"].str.len(), cohort=np.nan), ROLES)


def test_the_headline_is_the_last_year_less_the_mean_of_both_before():
    found = changes_to(panel({"a": [1.0, 2.0, 5.0, 4.0], "bb": [0.0, -1.0, 0.0, 0.5]}), EXPOSURE, [2019])
    assert found.change.tolist() == [2.5, 1.0]  # 4 − 1.5; 0.5 + 0.5
    assert found.units.tolist() == ["a", "bb"]
    assert found.group.tolist() == [1, 2]
    assert found.weight.tolist() == [1.0, 1.0]


def test_the_two_years_before_are_one_free_lead():
    table = panel({"a": [1.0, 2.5, 5.0, 4.0], "bb": [0.3, -1.0, 0.0, 0.5]})
    first, second = (changes_to(table, EXPOSURE, [year]).change for year in (2016, 2017))
    assert first + second == pytest.approx([0.0, 0.0], abs=1e-15)
    assert changes_before(table, EXPOSURE).change == pytest.approx(second - first)


def test_subtracting_the_trend_by_hand():
    found = changes_less_trend(panel({"a": [1.0, 2.0, 5.0, 4.0]}), EXPOSURE)
    # 2.5 less one point a year over 2019 − 2016.5 = 2.5 years: nothing is left.
    assert found.change == pytest.approx([0.0])


def test_a_straight_line_leaves_nothing_whatever_the_years():
    exposure = Exposure(pre=(2014, 2015, 2017), partial=(), post=(2018, 2019))
    years = (2014, 2015, 2017, 2018, 2019)
    table = panel({"a": [3 + 0.7 * (year - 2014) for year in years]}, years)
    assert changes_less_trend(table, exposure).change == pytest.approx([0.0], abs=1e-12)


def test_a_unit_without_a_year_after_has_no_change_and_one_before_is_enough():
    table = panel({"a": [1.0, 2.0, 5.0, np.nan], "bb": [np.nan, 2.0, 1.0, 3.0]})
    assert changes_to(table, EXPOSURE, [2019]).units.tolist() == ["bb"]
    assert changes_to(table, EXPOSURE, [2019]).change.tolist() == [1.0]
    assert changes_to(table, EXPOSURE, [2018, 2019]).units.tolist() == ["bb"]
    assert changes_before(table, EXPOSURE).units.tolist() == ["a"]
    assert changes_less_trend(table, EXPOSURE).units.tolist() == []


def test_units_without_a_weight_are_left_out_and_the_original_stays():
    changes = Changes(pd.Index(["a", "b", "c"]), np.array([1, 1, 2]), np.array([1.0, 2.0, 3.0]), np.ones(3))
    found = changes.scaled(pd.Series({"a": 30.0, "b": 0.0, "x": 9.0}))
    assert found.units.tolist() == ["a"]
    assert found.weight.tolist() == [30.0]
    assert changes.weight.tolist() == [1.0, 1.0, 1.0]
    assert changes.keep(pd.Index(["c", "a"])).change.tolist() == [1.0, 3.0]
