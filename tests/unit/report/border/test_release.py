"""What tables tell together, and beside earlier releases, is withheld."""

import pytest

from evalkit.report.border.disclosure import release
from evalkit.report.border.release import hidden_already, released_together
from evalkit.report.border.table import Column, Table
from tests.released_tables import people, shown


def together(fewest=6, previous=(), **tables):
    return released_together(tables, fewest, previous)


def reasons(found):
    return [(one.table, one.row, one.why) for one in found.withheld]


def test_a_count_hidden_in_one_table_is_hidden_in_the_other():
    # 3 of 43 boys stay hidden behind 40 girls, which the second table would tell.
    by_sex = people([("A", 3, 40, 43), ("B", 50, 60, 110)], ("boys", "girls", "all"))
    girls = people([("A", 40), ("B", 60)], ("girls",))
    found = together(by_sex=by_sex, girls=girls)
    assert shown(found.tables["girls"]) == [[None], [60]]
    assert shown(found.tables["by_sex"]) == [[None, None, 43], [50, 60, 110]]
    assert reasons(found) == [("girls", "A", "sum")]


def test_tables_without_counts_of_people_are_left_as_they_are():
    columns = (Column("arm", "Arm"), Column("n", "Schools", "school_count"))
    schools = release(Table(caption="Flow", columns=columns, rows=(("listed", 49), ("lost", 3))), 6)
    found = together(flow=schools)
    assert found.tables["flow"] is schools
    assert not found.withheld


def test_sums_of_rows_are_known_where_a_table_says_so():
    # 49 listed = 46 analysed + 3 lost: of people the 3 would be known by the others.
    rows = [("listed", 49), ("lost", 3), ("analysed", 46)]
    told = people(rows, fewest=10, row_sums=((0, 1, 2),))
    assert shown(told) == [[49], [None], [None]]


def test_groups_within_each_other_that_differ_by_few_are_not_both_told():
    rows = [("reading", 1618), ("maths", 1615), ("writing", 1500)]
    found = together(outcomes=people(rows, is_nested=True))
    assert shown(found.tables["outcomes"]) == [[1618], [None], [1500]]
    assert reasons(found) == [("outcomes", "maths", "difference")]
    apart = together(outcomes=people(rows))
    assert shown(apart.tables["outcomes"]) == [[1618], [1615], [1500]]


def test_two_counts_of_one_name_that_differ_by_few_are_not_both_told():
    found = together(one=people([("A", 100)]), other=people([("A", 98)]))
    assert sorted([*shown(found.tables["one"]), *shown(found.tables["other"])], key=str) == [[100], [None]]


@pytest.mark.parametrize("by", [1, -1, 5])
def test_two_releases_that_differ_by_one_pupil_are_caught(by):
    before = {"outcomes": people([("reading", 1618), ("maths", 1500)])}
    found = together(previous=[before], outcomes=people([("reading", 1618 + by), ("maths", 1500)]))
    assert shown(found.tables["outcomes"]) == [[None], [1500]]
    assert reasons(found) == [("outcomes", "reading", "earlier release")]


@pytest.mark.parametrize("by", [0, 6, -6, 300])
def test_two_releases_that_differ_by_nobody_or_by_enough_are_not_held_back(by):
    before = {"outcomes": people([("reading", 1618)])}
    found = together(previous=[before], outcomes=people([("reading", 1618 + by)]))
    assert shown(found.tables["outcomes"]) == [[1618 + by]]


def test_one_pupil_more_in_a_total_is_caught_where_the_parts_would_tell_it():
    # 51 = 21 + 30 after 50 = 20 + 30: without the total 51 its parts tell it, so one of them goes as well.
    before = {"t": people([("A", 20, 30, 50)], ("boys", "girls", "all"))}
    found = together(previous=[before], t=people([("A", 21, 30, 51)], ("boys", "girls", "all")))
    assert shown(found.tables["t"]) == [[None, 30, None]]


def test_what_was_withheld_for_the_release_before_last_is_not_told_by_the_next():
    first = {"outcomes": people([("reading", 1618)])}
    changed = people([("reading", 1619)])
    second = together(previous=[first], outcomes=changed)
    third = together(previous=[first, second.tables], outcomes=changed)
    assert shown(third.tables["outcomes"]) == [[None]]
    forgetful = together(previous=[second.tables], outcomes=changed)
    assert shown(forgetful.tables["outcomes"]) == [[1619]]


def test_a_total_that_was_told_before_does_not_tell_a_count_beside_a_part_told_now():
    # First 3 + 37 = 40 with 3 and 37 hidden, then a table that would tell 37 alone: 40 - 37 = 3.
    first = {"t": people([("A", 3, 37, 40)], ("boys", "girls", "all"))}
    found = together(previous=[first], girls=people([("A", 37)], ("girls",)))
    assert shown(found.tables["girls"]) == [[None]]


def test_data_that_changed_in_between_do_not_stand_in_the_way():
    # 40 less 37 is 3, 60 less 37 is 23: the hidden count cannot have been the same in both.
    first = {"t": people([("A", 3, 37, 40)], ("boys", "girls", "all"))}
    found = together(previous=[first], t=people([("A", 23, 37, 60)], ("boys", "girls", "all")))
    assert found.tables["t"].table.rows[0][3] == 60


def test_what_an_earlier_release_gave_away_is_reported():
    # The total and both parts of a table that said nothing of its sums were told; now 4 would be 44 - 40.
    first = {"t": people([("all", 44), ("girls", 40)])}
    now = people([("all", 44), ("girls", 40), ("boys", 4)], row_sums=((0, 1, 2),))
    found = together(previous=[first], t=now)
    assert [(one.row, one.why) for one in found.lost] == [("boys", "earlier release")]


def test_a_count_told_under_another_name_goes_with_the_one_that_is_withheld():
    before = {"outcomes": people([("reading", 1618)])}
    now = {"outcomes": people([("reading", 1619)]), "effects": people([("main design", 1619), ("other", 1300)])}
    found = released_together(now, 6, [before])
    assert shown(found.tables["effects"]) == [[None], [1300]]


def test_what_a_table_withheld_by_itself_is_listed():
    found = hidden_already({"t": people([("A", 3, 40, 43)], ("boys", "girls", "all"))})
    assert [(one.row, one.column, one.why) for one in found] == [("A", "boys", "small"), ("A", "girls", "small")]
