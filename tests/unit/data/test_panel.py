"""A panel or a baseline that exists has passed every check."""

import numpy as np
import pandas as pd
import pytest

from evalkit.core.errors import DataError, DesignError, EvalkitError
from evalkit.data.flow import Flow, FlowRow
from evalkit.data.panel import Baseline, Panel, Roles

ROLES = Roles(unit="school", period="year", outcome="score", cohort="start")


def table(**columns):
    """Two schools over two years; school b is treated from 2019."""
    content = {
        "school": ["b", "b", "a", "a"], "year": [2017, 2019, 2019, 2017], "score": [1.0, 3.0, 2.0, 0.5],
        "start": [2019.0, 2019.0, np.nan, np.nan],
    }  # fmt: skip
    return pd.DataFrame(content | columns)


def test_a_table_becomes_a_panel_sorted_and_complete():
    panel = Panel.from_frame(table(), ROLES)
    assert panel.frame["unit"].tolist() == ["a", "a", "b", "b"]
    assert panel.frame["outcome"].tolist() == [0.5, 2.0, 1.0, 3.0]
    assert panel.frame["weight"].tolist() == [1.0] * 4
    assert panel.frame["cluster"].tolist() == ["a", "a", "b", "b"]
    assert panel.periods == (2017, 2019)
    assert panel.wide().loc["b"].tolist() == [1.0, 3.0]
    assert panel.by_unit()["cohort"].isna().tolist() == [True, False]


def test_one_column_may_play_two_parts():
    panel = Panel.from_frame(
        table(), Roles(unit="school", period="year", outcome="score", cohort="start", cluster="school")
    )
    assert panel.frame["cluster"].tolist() == panel.frame["unit"].tolist() == ["a", "a", "b", "b"]


def test_the_caller_s_table_is_left_alone():
    given = table()
    before = given.copy(deep=True)
    panel = Panel.from_frame(given, ROLES)
    panel.frame.loc[:, "outcome"] = 99.0
    pd.testing.assert_frame_equal(given, before)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"year": [2017, 2017, 2019, 2017]}, "'b' has two rows in period 2017"),
        ({"start": [2019.0, 2018.0, np.nan, np.nan]}, "changes cohort over time"),
        ({"start": [2019.0, np.nan, np.nan, np.nan]}, "changes cohort over time"),
        ({"score": [1.0, np.nan, 2.0, 0.5]}, "in period 2019 is missing or not finite"),
        ({"score": [1.0, np.inf, 2.0, 0.5]}, "missing or not finite"),
        ({"score": ["1.0", "SUPP", "2.0", "0.5"]}, "missing or not finite"),
        ({"school": ["b", "b", None, "a"]}, "no unit, period or cluster"),
    ],
)
def test_what_is_no_panel_is_refused(columns, said):
    with pytest.raises(DataError, match=said):
        Panel.from_frame(table(**columns), ROLES)


def test_a_unit_that_changes_cluster_is_refused():
    roles = Roles(unit="school", period="year", outcome="score", cohort="start", cluster="area")
    with pytest.raises(DataError, match="changes cluster"):
        Panel.from_frame(table(area=[1, 2, 3, 3]), roles)


@pytest.mark.parametrize("weight", [0.0, -1.0])
def test_weights_must_be_positive(weight):
    roles = Roles(unit="school", period="year", outcome="score", cohort="start", weight="pupils")
    with pytest.raises(DataError, match="weights must be positive"):
        Panel.from_frame(table(pupils=[30.0, weight, 20.0, 20.0]), roles)


def test_a_missing_column_is_named_with_its_part_and_the_nearest():
    with pytest.raises(DataError, match=r"no column 'score' \(as outcome\).*Did you mean 'scores'"):
        Panel.from_frame(table().rename(columns={"score": "scores"}), ROLES)


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


def flow(*counts):
    stages = zip(("listed", "excluded", "analysed"), counts, strict=True)
    return Flow(tuple(FlowRow("READPROG", "treated", stage, "", n) for stage, n in stages))


def test_a_flow_adds_up_or_is_refused():
    assert flow(52, 3, 49).count("READPROG", "treated", "analysed") == 49
    with pytest.raises(EvalkitError, match="READPROG, treated schools does not add up"):
        flow(52, 3, 48)
