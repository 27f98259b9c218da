"""A panel or a baseline that exists has passed every check."""

import numpy as np
import pandas as pd
import pytest

from evalkit.core.errors import DataError, EvalkitError
from evalkit.data.flow import Flow, FlowRow
from evalkit.data.panel import Panel
from evalkit.data.roles import Roles

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


def flow(*counts):
    stages = zip(("listed", "excluded", "analysed"), counts, strict=True)
    return Flow(tuple(FlowRow("READPROG", "treated", stage, "", n) for stage, n in stages))


def test_a_flow_adds_up_or_is_refused():
    assert flow(52, 3, 49).count("READPROG", "treated", "analysed") == 49
    with pytest.raises(EvalkitError, match="READPROG, treated schools does not add up"):
        flow(52, 3, 48)
