"""What matching may see: units before the programme, complete, in an order fixed by their ids."""

import numpy as np
import pandas as pd
import pytest

from evalkit.core.errors import DataError, DesignError
from evalkit.data.baseline import Baseline, BaselineRoles


def units(**columns):
    content = {"group": [1, 2, 2], "region": ["N", "N", "S"], "is_treated": [True, False, False]} | columns
    return pd.DataFrame(content, index=["c", "a", "b"])


def test_a_baseline_refuses_follow_up_years():
    covariates = pd.DataFrame({"x": [1.0, 2.0, 3.0]}, index=["c", "a", "b"])
    with pytest.raises(DesignError, match="may not hold the follow-up year 2018"):
        Baseline.of(units(), covariates, [2016, 2018], 2018)
    assert Baseline.of(units(), covariates, [2016, 2017], 2018).years == (2016, 2017)


def test_a_baseline_keeps_units_whose_covariates_are_known_in_order():
    covariates = pd.DataFrame({"x": [1.0, np.nan, 3.0]}, index=["c", "a", "b"])
    baseline = Baseline.of(units(), covariates, [2016], 2018)
    assert baseline.units.index.tolist() == baseline.covariates.index.tolist() == ["b", "c"]


def test_a_baseline_with_a_gap_or_out_of_order_is_refused():
    covariates = pd.DataFrame({"x": [1.0, np.nan, 3.0]}, index=["a", "b", "c"])
    with pytest.raises(DesignError, match="covariate is missing"):
        Baseline(units().sort_index(), covariates, (2016,), 2018)
    with pytest.raises(DesignError, match="sorted"):
        Baseline(units(), covariates, (2016,), 2018)


ROLES = BaselineRoles(treated="joined", covariates=("score", "faith"), unit="school", labels=("area",))


def schools(**columns):
    content = {
        "school": ["S10", "S2", "S1"],
        "joined": [0, 1, 0],
        "score": [1.0, 2.0, 3.0],
        "faith": ["none", "CofE", "none"],
        "area": ["x", "x", "y"],
        "later": [9.0, 9.0, 9.0],
    }
    return pd.DataFrame(content | columns)


def test_units_stand_in_the_order_of_their_ids_with_shorter_ones_first():
    baseline = Baseline.from_frame(schools(), ROLES)
    assert baseline.units.index.tolist() == ["S1", "S2", "S10"]
    assert baseline.is_treated.tolist() == [False, True, False]
    assert baseline.covariates["score"].tolist() == [3.0, 2.0, 1.0]
    assert baseline.label("area").tolist() == ["y", "x", "x"]


def test_numbers_as_ids_go_by_size_and_rows_without_ids_by_place():
    numbers = Baseline.from_frame(schools(school=[10, 9, 100]), ROLES)
    assert numbers.units.index.tolist() == [9, 10, 100]
    rows = Baseline.from_frame(schools(), BaselineRoles(treated="joined", covariates=("score",)))
    assert rows.units.index.tolist() == [1, 2, 3]


def test_a_column_without_a_part_is_not_in_the_baseline():
    baseline = Baseline.from_frame(schools(), ROLES)
    assert [*baseline.units, *baseline.covariates] == ["is_treated", "area", "score", "faith"]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"school": ["a", "a", "b"]}, "'a' stands in more than one row"),
        ({"school": ["a", None, "b"]}, "no id"),
        ({"joined": [0, 2, 1]}, "with 0 and 1; it holds 2"),
        ({"joined": [0, np.nan, 1]}, "'joined' is missing for 1 row"),
        ({"score": [1.0, np.nan, 2.0]}, "covariate 'score' is missing for 1 unit, the first of them 'S2'"),
        ({"score": [1.0, np.inf, 2.0]}, "'score' of unit 'S2' is infinite"),
        ({"faith": ["none", None, "none"]}, "covariate 'faith' is missing"),
        ({"area": ["x", None, "y"]}, "'area' is missing for 1 unit"),
    ],
)
def test_what_is_no_baseline_is_refused(columns, said):
    with pytest.raises(DataError, match=said):
        Baseline.from_frame(schools(**columns), ROLES)


def test_missing_can_be_a_category_of_its_own():
    frame = schools(score=[1.0, np.nan, 3.0], faith=["none", "CofE", None])
    baseline = Baseline.from_frame(frame, ROLES, missing="category")
    # S1, S2, S10: the mean of 1 and 3 stands where the score is missing, and a column says so.
    assert baseline.covariates["score"].tolist() == [3.0, 2.0, 1.0]
    assert baseline.covariates["score is missing"].tolist() == [0.0, 1.0, 0.0]
    assert baseline.covariates["faith"].tolist() == ["missing", "CofE", "none"]


def test_a_name_that_is_not_there_is_told_with_the_nearest():
    with pytest.raises(DataError, match=r"no column 'scores'. Did you mean 'score'"):
        Baseline.from_frame(schools(), BaselineRoles(treated="joined", covariates=("scores",)))
    with pytest.raises(DesignError, match=r"no column 'areas'. Did you mean 'area'"):
        Baseline.from_frame(schools(), ROLES).label("areas")


def test_the_frame_that_was_given_stays_as_it_was():
    frame = schools()
    before = frame.copy()
    baseline = Baseline.from_frame(frame, ROLES)
    baseline.covariates.iloc[0, 0] = 99.0
    pd.testing.assert_frame_equal(frame, before)
