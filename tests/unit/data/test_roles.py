"""What every table of observations is checked for, and what a refusal says."""

import numpy as np
import pandas as pd
import pytest

from evalkit.core.errors import DataError, DesignError
from evalkit.data.panel import CrossSections, Panel
from evalkit.data.roles import Roles, as_numbers, codes_of, cohorts, whole_numbers
from evalkit.design.panel.staggered import staggered_design

ROLES = Roles(unit="school", period="year", outcome="score", cohort="start")


def table(**columns):
    content = {
        "school": ["a", "a", "b", "b"], "year": [2018, 2019, 2018, 2019], "score": [1.0, 2.0, 3.0, 5.0],
        "start": [np.nan, np.nan, 2019.0, 2019.0], "area": [1, 1, 2, 2], "pupils": [10, 10, 30, 30],
        "prior": [0.1, 0.1, 0.2, 0.2],
    }  # fmt: skip
    return pd.DataFrame(content | columns)


def roles(**changed):
    parts = {"unit": "school", "period": "year", "outcome": "score", "cohort": "start"}
    return Roles(**(parts | changed))


def test_parts_not_played_have_no_column():
    assert ROLES.columns() == {"unit": "school", "period": "year", "outcome": "score", "cohort": "start"}
    full = roles(cluster="area", weight="pupils", covariates=("prior",)).columns()
    assert full["cluster"] == "area"
    assert full["weight"] == "pupils"
    assert full["prior"] == "prior"


@pytest.mark.parametrize("source", [Panel, CrossSections])
@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        (roles(outcome="scor"), "no column 'scor' (as outcome). Did you mean 'score'?"),
        (roles(cluster="region"), "'region' (as cluster)"),
        (roles(covariates=("priors",)), "'priors' (as covariate). Did you mean 'prior'?"),
        (roles(covariates=("prior", "prior")), "'prior' is named twice"),
        (roles(covariates=("score",)), "'score' is the outcome or the cohort"),
        (roles(covariates=("start",)), "'start' is the outcome or the cohort"),
    ],
)
def test_columns_that_cannot_play_their_part_are_refused(source, chosen, said):
    with pytest.raises(DataError) as refused:
        source.from_frame(table(), chosen)
    assert said in str(refused.value)


def test_a_missing_column_is_answered_with_those_there_are():
    with pytest.raises(DataError, match="It has: school, year, score, start, area, pupils and prior"):
        Panel.from_frame(table(), roles(unit="nobody"))


def test_a_covariate_may_not_take_a_name_the_kit_uses():
    with pytest.raises(DataError, match="cannot be called 'weight'"):
        Panel.from_frame(table(weight=1.0), roles(covariates=("weight",)))
    panel = Panel.from_frame(table(weight=[2.0, 2.0, 3.0, 3.0]), roles(weight="weight", covariates=("weight",)))
    assert panel.frame["weight"].tolist() == [2.0, 2.0, 3.0, 3.0]  # it is the weight as well


@pytest.mark.parametrize("source", [Panel, CrossSections])
@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"score": [1.0, np.nan, 3.0, 5.0]}, "The outcome of"),
        ({"score": [1.0, -np.inf, 3.0, 5.0]}, "missing or not finite"),
        ({"score": ["1", "SUPP", "3", "5"]}, "missing or not finite"),
        ({"prior": [0.1, np.nan, 0.2, 0.2]}, "The covariate 'prior' of"),
        ({"pupils": [10, 10, 0, 30]}, "weight is zero or negative"),
        ({"pupils": [10, 10, -1, 30]}, "weight is zero or negative"),
        ({"pupils": [10, 10, np.nan, 30]}, "The weight of"),
        ({"year": [2018.5, 2019, 2018, 2019]}, "2018.5 is not a whole number"),
        ({"year": ["2018/19", "2019", "2018", "2019"]}, "'2018/19' is not a whole number"),
        ({"school": ["a", "a", None, "b"]}, "no unit, period or cluster"),
        ({"area": [1, 1, None, 2]}, "no unit, period or cluster"),
        ({"start": [np.nan, np.nan, 2019.5, 2019.5]}, "2019.5 is not a period"),
        ({"start": [np.nan, np.nan, np.inf, np.inf]}, "inf is not a period"),
        ({"start": ["never", "never", "2019", "2019"]}, "'never' is not a period"),
        ({"start": [0, 0, 2019, 2019]}, "2 rows have the cohort 0, which is no period of the table (2018 to 2019)"),
        ({"start": [-1, -1, 2019, 2019]}, "2 rows have the cohort -1, which is no period of the table (2018 to 2019)"),
        ({"start": [99, 99, 2019, 2019]}, "99, which is no period of the table (2018 to 2019). If it stands for never"),
        ({"start": [1900, 1900, 2019, 2019]}, "treated, leave the cohort empty there. If it is a start from before"),
        ({"start": [9999, 9999, 2019, 2019]}, "If it stands for never treated, leave the cohort empty there."),
    ],
)
def test_values_that_cannot_be_are_refused(source, columns, said):
    with pytest.raises(DataError) as refused:
        source.from_frame(table(**columns), roles(cluster="area", weight="pupils", covariates=("prior",)))
    assert said in str(refused.value)


def test_the_cohort_0_is_refused_where_periods_count_from_1_and_is_a_period_where_they_count_from_0():
    """Other programs write 0 for never treated; taken for a period it would be one before the first."""
    with pytest.raises(DataError, match="which is no period of the table"):
        cohorts(pd.Series([0.0, 2.0]), np.array([1, 2]))
    assert cohorts(pd.Series([0.0, 2.0]), np.array([0, 1])).tolist() == [0.0, 2.0]


@pytest.mark.parametrize(
    ("start", "periods", "is_code"),
    [
        (1968, (2018, 2019), False),  # 50 before the first: a start that long ago
        (1967, (2018, 2019), True),
        (2069, (2018, 2019), False),
        (2070, (2018, 2019), True),
        (201612, (201701, 201912), False),  # 89 before the first, where periods themselves lie 211 apart
        (-3, (-5, 5), False),  # periods counted from a start of their own
        (-1, (0, 5), True),
        (-60, (-5, 5), True),
    ],
)
def test_cohorts_far_from_every_period_and_negative_ones_are_codes(start, periods, is_code):
    values = pd.Series([float(start), float(periods[1])])
    if is_code:
        with pytest.raises(DataError, match=f"1 row has the cohort {start}, which is no period of the table"):
            cohorts(values, np.array(periods))
    else:
        assert cohorts(values, np.array(periods)).tolist() == values.tolist()


def test_numbers_are_read_from_texts_and_nullable_columns():
    assert as_numbers(pd.Series(["1.5", "x"])).tolist()[0] == 1.5
    assert np.isnan(as_numbers(pd.Series(["1.5", "x"]))[1])
    nullable = pd.Series([2019, None], dtype="Int64")
    assert cohorts(nullable, np.array([2018])).tolist()[0] == 2019
    assert np.isnan(cohorts(nullable, np.array([2018]))[1])
    assert whole_numbers(pd.Series(["2018", "2019"]), "period").tolist() == [2018, 2019]


def test_numbers_are_a_copy():
    given = pd.Series([1.0, 2.0])
    as_numbers(given)[0] = 9.0
    whole = pd.Series([1, 2])
    whole_numbers(whole, "period")[0] = 9
    assert given.tolist() == [1.0, 2.0]
    assert whole.tolist() == [1, 2]


def test_codes_are_positions_among_sorted_values():
    codes, distinct = codes_of(pd.Series(["b", "a", "b"]), "unit")
    assert codes.tolist() == [1, 0, 1]
    assert distinct.tolist() == ["a", "b"]
    assert distinct.name == "unit"


@pytest.mark.parametrize("source", [Panel, CrossSections])
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"year": pd.to_datetime(["2018", "2019"] * 2)}, "'year' holds datetime64 values, not numbers"),
        ({"year": pd.PeriodIndex(["2018", "2019"] * 2, freq="Y")}, "'year' holds period values"),
        ({"start": pd.to_datetime([None, None, "2019", "2019"])}, "'start' holds datetime64 values"),
        ({"score": pd.to_timedelta([1, 2, 3, 5], "D")}, "'score' holds timedelta64 values"),
        ({"score": [1j, 2, 3, 5]}, "'score' holds complex values"),
        ({"year": [2018.0, 1e20, 2018.0, 1e20]}, "The period 1e+20 is too large"),
        ({"score": [1e150, 2.0, 3.0, -2e150]}, "period 2019 is 2e+150, the largest there is: too large"),
        ({"score": [1e-150, 0.0, 0.0, 2e-150]}, "is 2e-150, the largest there is: too small"),
    ],
)
def test_what_would_become_wrong_numbers_is_refused(source, changed, said):
    with pytest.raises(DataError) as refused:
        source.from_frame(table(**changed), roles())
    assert said in str(refused.value)


@pytest.mark.parametrize("source", [Panel, CrossSections])
def test_a_column_that_stands_twice_is_refused(source):
    content = table()
    with pytest.raises(DataError, match="'score' stands in the table twice"):
        source.from_frame(pd.concat([content, content[["score"]]], axis=1), roles())


@pytest.mark.parametrize("source", [Panel, CrossSections])
def test_a_table_without_rows_is_refused(source):
    with pytest.raises(DesignError, match="The table has no rows"):
        staggered_design(source.from_frame(table().iloc[:0], roles()))
