"""Repeated cross-sections: what a row is, and what errors are clustered by."""

import numpy as np
import pandas as pd
import pytest

from evalkit.core.errors import DataError
from evalkit.data.panel import CrossSections
from evalkit.data.roles import Roles

ROLES = Roles(unit="school", period="year", outcome="score", cohort="start")


def pupils(**columns):
    """Two pupils of each of two schools in 2019 and one in 2018; school b starts in 2019."""
    content = {
        "school": ["b", "a", "a", "b", "b", "a"], "year": [2019, 2018, 2019, 2019, 2018, 2019],
        "score": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], "start": [2019, np.nan, np.nan, 2019, 2019, np.nan],
        "area": [1, 2, 2, 1, 1, 2],
    }  # fmt: skip
    return pd.DataFrame(content | columns)


def test_rows_are_sorted_by_period_and_otherwise_as_given():
    found = CrossSections.from_frame(pupils(), ROLES)
    assert found.frame["period"].tolist() == [2018, 2018, 2019, 2019, 2019, 2019]
    assert found.frame["outcome"].tolist() == [2.0, 5.0, 1.0, 3.0, 4.0, 6.0]
    assert found.periods == (2018, 2019)
    assert found.period_codes.tolist() == [0, 0, 1, 1, 1, 1]
    assert found.frame["weight"].tolist() == [1.0] * 6


def test_a_unit_with_two_rows_of_one_period_is_a_cluster():
    found = CrossSections.from_frame(pupils(), ROLES)
    assert found.clustered_by == "unit"
    assert found.frame["cluster"].tolist() == ["a", "b", "b", "a", "b", "a"]


def test_rows_are_independent_where_no_unit_has_two_in_a_period():
    """A unit that has one row in each period names the row, not a group: the data say nothing of pupils seen twice."""
    found = CrossSections.from_frame(pupils(school=["p1", "p2", "p3", "p4", "p1", "p2"]), ROLES)
    assert found.clustered_by == "row"
    assert found.frame["cluster"].nunique() == 6


def test_a_named_cluster_is_used():
    named = Roles(unit="school", period="year", outcome="score", cohort="start", cluster="area")
    found = CrossSections.from_frame(pupils(), named)
    assert found.clustered_by == "cluster"
    assert found.frame["cluster"].tolist() == [2, 1, 1, 2, 1, 2]


def test_a_unit_that_is_a_group_has_one_cohort():
    with pytest.raises(DataError, match="Unit 'a' holds rows of different cohorts"):
        CrossSections.from_frame(pupils(start=[2019, np.nan, 2019, 2019, 2019, np.nan]), ROLES)
    with pytest.raises(DataError, match="Unit 'b' holds rows of different cohorts"):
        CrossSections.from_frame(pupils(start=[2018, np.nan, np.nan, 2019, 2019, np.nan]), ROLES)


def test_a_restriction_keeps_what_rows_are_clustered_by():
    found = CrossSections.from_frame(pupils(), ROLES)
    later = found.restricted(found.frame["period"].to_numpy() == 2019)
    assert later.periods == (2019,)
    assert later.period_codes.tolist() == [0] * 4
    assert later.clustered_by == "unit"
    assert later.frame.index.tolist() == [0, 1, 2, 3]


def test_the_caller_s_table_is_left_alone():
    given = pupils()
    before = given.copy(deep=True)
    found = CrossSections.from_frame(given, ROLES)
    found.frame.loc[:, "outcome"] = 99.0
    pd.testing.assert_frame_equal(given, before)


def test_an_empty_place_is_named():
    with pytest.raises(DataError, match="The outcome of an observation of 'a' in period 2018 is missing"):
        CrossSections.from_frame(pupils(score=[1.0, np.nan, 3.0, 4.0, 5.0, 6.0]), ROLES)
