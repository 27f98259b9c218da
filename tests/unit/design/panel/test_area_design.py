"""Treated areas, their donors, and what is refused."""

import numpy as np
import pandas as pd
import pytest

from evalkit.core.errors import DataError, DesignError
from evalkit.data.areas.series import AreaRoles, AreaSeries
from evalkit.data.measures import Break
from evalkit.design.panel.area_design import area_design

ROLES = AreaRoles(unit="area", period="year", outcome="y")


def long_table(values, areas=("A1", "A2", "A3", "A10"), first=2010):
    """A table with a row for each area and year; None leaves the row out."""
    rows = [
        (area, first + at, value)
        for area, series in zip(areas, values, strict=True)
        for at, value in enumerate(series)
        if value is not None
    ]
    return pd.DataFrame(rows, columns=["area", "year", "y"])


VALUES = [[1, 2, 3, 9], [1, 2, 3, 4], [2, 3, 4, 5], [0, 1, 2, 3]]


def series(values=VALUES, **more):
    return AreaSeries.from_frame(long_table(values, **more), ROLES)


def test_who_is_treated_and_who_is_donor():
    design = area_design(series(), ["A1"], 2012)
    assert design.treated == ("A1",)
    assert design.donors == ("A2", "A3", "A10")  # texts by length, then by letter
    assert (design.periods, design.n_pre, design.n_post) == ((2010, 2011, 2012, 2013), 2, 2)
    np.testing.assert_array_equal(design.donor_values, [[1, 2, 3, 4], [2, 3, 4, 5], [0, 1, 2, 3]])
    assert design.dropped == ()


def test_several_treated_areas_are_averaged_and_can_be_taken_each():
    design = area_design(series(), ["A2", "A1"], 2012)
    np.testing.assert_allclose(design.series, [1, 2, 3, 6.5])  # (9 + 4) / 2
    one, two = design.each()
    assert (one.treated, two.treated, one.donors) == (("A1",), ("A2",), ("A3", "A10"))
    np.testing.assert_array_equal(one.series, [1, 2, 3, 9])


def test_row_order_changes_nothing_and_the_table_is_left_alone():
    table = long_table(VALUES)
    shuffled = table.sample(frac=1, random_state=3)
    kept = shuffled.copy()
    one, two = (area_design(AreaSeries.from_frame(frame, ROLES), ["A1"], 2012) for frame in (table, shuffled))
    assert one.donors == two.donors
    np.testing.assert_array_equal(one.donor_values, two.donor_values)
    pd.testing.assert_frame_equal(shuffled, kept)


def test_donors_with_gaps_are_left_out_and_counted():
    gaps = [VALUES[0], [1, None, 3, 4], VALUES[2], [0, 1, np.nan, 3]]
    design = area_design(series(gaps), ["A1"], 2012)
    assert design.donors == ("A3",)
    assert [(lost.units, lost.n_rows) for lost in design.dropped] == [(("A2", "A10"), 6)]  # 3 values of each
    assert "lacks some of the 4 periods" in design.dropped[0].reason


def test_donors_may_be_excluded_by_name():
    design = area_design(series(), ["A1"], 2012, excluded=["A3"])
    assert design.donors == ("A2", "A10")
    assert design.dropped[0].reason == "excluded by name"


def test_a_start_may_lie_between_two_periods():
    table = long_table(VALUES)
    design = area_design(AreaSeries.from_frame(table[table["year"] != 2012], ROLES), ["A1"], 2012)
    assert (design.periods, design.n_pre) == ((2010, 2011, 2013), 2)
    assert "gap before 2013" in design.notes[0]


def test_a_period_without_any_value_is_no_period():
    found = series([[*row[:2], np.nan, row[3]] for row in VALUES])
    assert found.periods == (2010, 2011, 2013)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"treated": ["A4"]}, "There is no area 'A4' in the table. Did you mean 'A"),
        ({"treated": []}, "No treated area is named"),
        ({"treated": ["A1", "A1"]}, "named twice"),
        ({"start": 2010}, "no period before the start"),
        ({"start": 2014}, "no period from the start on"),
        ({"excluded": ["A1"]}, "treated and as excluded"),
        ({"excluded": ["A2", "A3", "A10"]}, "No donor is left: every other area is excluded by name"),
        ({"excluded": ["A9"]}, "There is no area 'A9'"),
    ],
)
def test_what_is_refused(options, said):
    given = {"treated": ["A1"], "start": 2012} | options
    with pytest.raises((DesignError, DataError), match=said):
        area_design(series(), **given)


def test_a_treated_area_with_a_gap_is_refused():
    with pytest.raises(DesignError, match="'A1' has no value in 2011"):
        area_design(series([[1, None, 3, 9], *VALUES[1:]]), ["A1"], 2012)


def test_a_break_of_level_is_refused_and_one_that_all_share_is_said():
    from dataclasses import replace

    level = Break(before=2011, after=2012, kind="level", sentence="The scale changed.")
    with pytest.raises(DesignError, match=r"The scale changed.\nTake periods up to 2011, or from 2012 on."):
        area_design(replace(series(), breaks=(level,)), ["A1"], 2012)
    after = replace(series(), breaks=(level,)).within(2012, 2013)
    assert area_design(after, ["A1"], 2013).n_pre == 1
    common = Break(before=2011, after=2012, kind="year-common", sentence="All moved alike.")
    assert area_design(replace(series(), breaks=(common,)), ["A1"], 2012).notes == ("All moved alike.",)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: pd.concat([t, t.head(1)]), "Area 'A1' has two rows in period 2010"),
        (lambda t: t.assign(y=t["y"].astype(object).where(t.index != 0, "high")), "'high' is not a number"),
        (lambda t: t.assign(year=t["year"] + 0.5), "not a whole number"),
        (lambda t: t.assign(area=t["area"].where(t.index != 0)), "has no unit or period"),
        (lambda t: t.assign(y=np.nan), "missing in every row"),
        (lambda t: t.assign(y=np.inf), "infinite"),
        (lambda t: t.head(0), "no rows"),
        (lambda t: t.rename(columns={"y": "why"}), "'y' is not in the table"),
    ],
)
def test_a_table_that_is_no_series_is_refused(change, said):
    with pytest.raises(DataError, match=said):
        AreaSeries.from_frame(change(long_table(VALUES)), ROLES)


def test_one_column_cannot_play_two_parts():
    with pytest.raises(DataError, match="named as unit and as period"):
        AreaRoles(unit="a", period="a", outcome="y")


def test_periods_outside_the_series_are_refused():
    with pytest.raises(DataError, match="No period lies between 1990 and 1991"):
        series().within(1990, 1991)


def test_a_placebo_start_lies_before_the_true_one():
    design = area_design(series(), ["A1"], 2012)
    earlier = design.before(2011)
    assert (earlier.periods, earlier.n_pre, earlier.start) == ((2010, 2011), 1, 2011)
    with pytest.raises(DesignError, match="A placebo start lies after 2010 and before 2012"):
        design.before(2012)
