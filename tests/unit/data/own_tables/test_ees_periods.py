"""Periods of Explore Education Statistics in all their forms, each with the summer that it is of."""

import pandas as pd
import pytest

from evalkit.core.errors import DataError
from evalkit.data.own_tables.ees_periods import ees_period, ees_periods, period_numbers


@pytest.mark.parametrize(
    ("label", "kind", "year", "summer", "shown"),
    [
        ("201819", "Academic year", 2019, 2019, "2018/19"),
        ("199900", "Academic year", 2000, 2000, "1999/00"),
        ("2018/19", "Academic year", 2019, 2019, "2018/19"),
        ("2018/2019", "Academic year", 2019, 2019, "2018/19"),
        ("202324", "Autumn term", 2024, 2024, "2023/24 Autumn term"),
        ("202324", "Autumn and spring term", 2024, 2024, "2023/24 Autumn and spring term"),
        ("202324", "Spring term", 2024, 2024, "2023/24 Spring term"),
        ("201819", "Financial year", 2019, None, "2018/19 Financial year"),
        ("201819", "Financial year Q1-2", 2019, None, "2018/19 Financial year Q1-2"),
        ("201819", "Tax year", 2019, None, "2018/19 Tax year"),
        ("2019", "Calendar year", 2019, None, "2019 Calendar year"),
        ("2024", "Reporting year", 2024, None, "2024 Reporting year"),
        ("2023", "Week 37", 2023, 2024, "2023 Week 37"),
        ("2023", "Week 29", 2023, 2023, "2023 Week 29"),
        ("2021", "September", 2021, 2022, "2021 September"),
        ("2021", "August", 2021, 2021, "2021 August"),
        ("201819", "", 2019, 2019, "2018/19"),
    ],
)
def test_a_label_and_its_kind(label, kind, year, summer, shown):
    period = ees_period(label, kind)
    assert (period.year, period.summer, period.label) == (year, summer, shown)


@pytest.mark.parametrize(
    ("label", "kind", "said"),
    [
        ("2019", "Academic year", "a year and the one after it, such as 201819"),
        ("201819", "Calendar year", "a year, such as 2019"),
        ("201820", "Academic year", "not of two years that follow each other"),
        ("2019", "Autumn term", "a year and the one after it"),
        ("2019", "Week 60", "'Week 60' is no week"),
        ("Total", "Academic year", "The period 'Total' is not what 'Academic year' goes with"),
        ("", "", "The period ''"),
    ],
)
def test_what_does_not_go_together_is_refused(label, kind, said):
    with pytest.raises(DataError, match=said):
        ees_period(label, kind)


def test_a_row_that_is_of_no_period_is_told_with_its_line():
    labels = pd.Series(["201819", "201920", "2020"], index=[0, 5, 9])
    with pytest.raises(DataError, match=r"a\.csv: line 11: The period '2020' is not what"):
        ees_periods(labels, pd.Series("Academic year", index=labels.index), "a.csv")


def test_weeks_are_numbered_one_after_another_over_the_end_of_a_year():
    weeks = [ees_period("2020", "Week 53"), ees_period("2020", "Week 52"), ees_period("2021", "Week 1")]
    numbers, note = period_numbers(weeks, "a.csv")
    assert [numbers[week] for week in weeks] == [2, 1, 3]
    assert note == "Weeks are numbered one after another: 2020 Week 52 is 1."
    with pytest.raises(DataError, match="2021 has 52"):
        period_numbers([ees_period("2021", "Week 53"), weeks[1]], "a.csv")


def test_months_are_numbered_and_terms_beside_years_are_refused():
    numbers, _ = period_numbers([ees_period("2020", "December"), ees_period("2021", "February")], "a.csv")
    assert sorted(numbers.values()) == [1, 3]
    both = [ees_period("202324", "Autumn term"), ees_period("202324", "Academic year")]
    with pytest.raises(DataError, match="periods are of several kinds: Academic year and Autumn term"):
        period_numbers(both, "a.csv")
