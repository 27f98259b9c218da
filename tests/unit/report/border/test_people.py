"""Where the units of a project are people, numbers leave beside counts of ten people or more, or not at all."""

import pytest

from evalkit.core.quantities import Interval, Unavailable
from evalkit.report.border.disclosure import release
from evalkit.report.border.parts import part_from_json
from evalkit.report.border.people import (
    is_of_groups,
    of_people,
    sentence_of_people,
    tells_number,
    tied_to_counts,
)
from evalkit.report.border.table import Column, Table

COLUMNS = (
    Column("arm", "Arm"),
    Column("n", "Schools", "school_count"),
    Column("estimate", "Effect", "estimate"),
    Column("interval", "Interval", "interval"),
)


def table(*rows, columns=COLUMNS, **how):
    return release(Table(caption="t", columns=columns, rows=rows, **how), 0)


def test_counts_of_units_become_counts_of_people_and_take_the_numbers_of_their_row_with_them():
    told = of_people(table(("A", 9, 0.5, Interval(0, 1, 0.95)), ("B", 30, 0.25, Interval(0.125, 0.445, 0.95))))
    made, found = tied_to_counts("t", told)
    first, second = made.table.rows
    assert all(isinstance(cell, Unavailable) for cell in first[1:])
    assert second[1:] == (30, 0.25, Interval(0.13, 0.45, 0.95))  # rounded half up, as they are shown
    assert [(one.row, one.why) for one in found] == [("A", "base"), ("A", "base")]


def test_a_reason_or_a_text_that_tells_a_number_is_left_out_and_a_year_is_none():
    row = ("A", 9, Unavailable("Six schools: too few for an estimate."), Unavailable("Only one area."))
    made = of_people(
        table(row, ("B", 30, 1.0, Unavailable("Not asked for in 2019."))),
    ).table
    assert [str(cell.reason) for cell in made.rows[0][2:]] == ["Not given; why would tell a number of people."] * 2
    assert made.rows[1][3] == Unavailable("Not asked for in 2019.")
    notes = of_people(table(("A", 30, 1.0, 1.0), notes=("7 were lost.", "Means of 2016 and 2017."))).table.notes
    assert notes == ("Means of 2016 and 2017.",)


@pytest.mark.parametrize(
    ("text", "tells"),
    [
        ("From 2016 to 2019.", False),
        ("2016: 3 pupils", True),
        ("Two were lost.", True),
        ("20190 pupils", True),
        ("1,998 pupils", True),
        ("19.98 points", True),
        ("Statistical neighbours (main)", False),
    ],
)
def test_years_are_no_numbers_of_people(text, tells):
    assert tells_number(text) is tells
    assert (sentence_of_people(text) == text) is not tells


def test_what_is_no_count_cannot_be_judged():
    assert of_people(table(("A", "many", 0.5, 0.5))) is None


def test_few_degrees_of_freedom_and_extremes_take_their_numbers_with_them():
    columns = (Column("what", "What"), Column("b", "Coefficient", "estimate"), Column("df", "df", "number"))
    rows = [("age", 1.0, 9.0), ("sex", 1.0, 10.0), ("Maximum", 99.0, 50.0)]
    made, found = tied_to_counts("t", table(*rows, columns=columns))
    assert [row[1] for row in made.table.rows][1] == 1.0
    assert {(one.row, one.why) for one in found} == {("age", "df"), ("Maximum", "extreme")}
    # a name that only holds the letters is none
    made, found = tied_to_counts("t", table(("minority", 1.0, 10.0), columns=columns))
    assert not found


def test_rows_without_a_count_stay_where_counts_have_hardly_changed():
    columns = (Column("year", "Year"), Column("estimate", "Effect", "estimate"))
    _, found = tied_to_counts("t", table(("2019", 0.5), columns=columns), hardly_changed=True)
    assert [one.why for one in found] == ["unknown base"]


def test_points_of_a_figure_are_groups_where_people_are_counted_or_estimates():
    points = table(("A", 1.0), columns=(Column("who", "Who"), Column("x", "x", "number")))
    assert not is_of_groups(points.table)
    assert is_of_groups(of_people(table(("A", 12, 1.0, 1.0))).table)


def test_a_mean_that_one_or_two_make_up_stays_and_comes_back_from_its_record_as_such():
    columns = (Column("covariate", "Covariate"), Column("mean", "Mean", "estimate"))
    made = table(("income", 9.0), ("age", 40.0), columns=columns, dominated=(0,))
    back = part_from_json(made.record())
    told, found = tied_to_counts("means", of_people(back))
    assert [isinstance(row[1], Unavailable) for row in told.table.rows] == [True, False]
    assert [(one.row, one.why) for one in found] == [("income", "dominated")]
