"""What one part of a report withholds no other part tells: tables, figures, sentences, results.json."""

import json
from dataclasses import replace

import pytest

from evalkit.core.errors import EvalkitError
from evalkit.core.quantities import Unavailable
from evalkit.report.border.disclosure import UNTYPED, release
from evalkit.report.border.parts import Figure, Heading, Prose
from evalkit.report.border.table import Column, Table
from evalkit.report.documents.contents import contents_from_json, contents_json
from evalkit.report.documents.leaving import (
    NO_CHAPTER,
    NO_FIGURE,
    NO_SENTENCE,
    contents_leaving,
    contents_together,
)
from evalkit.report.documents.own_notebooks import UNCHECKED
from tests.released_tables import people, recovered, shown
from tests.small_contents import contents, flow_and_effects, png

SUPPRESSED = "Suppressed (a count of fewer than 6 pupils, or one that would reveal it)."


def test_a_report_with_nothing_to_withhold_is_left_as_it_is():
    made = contents()
    assert contents_together(made, 6).contents is made


def test_two_outcomes_that_differ_by_one_pupil_are_withheld_in_every_part():
    leaving = contents_together(contents(1618, maths=1617), 6)
    made = leaving.contents
    assert shown(made.tables["outcomes"]) == [[1618], [None]]
    assert made.results["outcomes"][1]["n_pupils_treated"] == {"unavailable": SUPPRESSED}
    assert made.results["outcomes"][0]["n_pupils_treated"] == 1618
    assert shown(made.document.sections[0][3]) == [[1618], [None]]


def test_one_pupil_more_than_in_the_last_release_is_told_nowhere():
    before = contents_together(contents(), 6).counted
    leaving = contents_leaving(contents(1619), are_people=False, previous=[before])
    document = leaving.contents.document
    assert shown(leaving.contents.tables["outcomes"]) == [[None], [1500]]
    assert document.sections[0][2].sentences == (NO_SENTENCE, "Nobody knows.")
    assert document.sections[0][4] == Prose((NO_FIGURE,))
    assert not leaving.contents.figures
    assert "1619" not in contents_json(leaving.contents).decode()
    assert {one.why for one in leaving.withheld} == {"earlier release"}


def test_chapters_that_nobody_checked_stay():
    own = (Heading(1, "My own"), Prose((UNCHECKED,)), Prose(("Pupil 12345 scored 7.",)))
    leaving = contents_leaving(contents(sections=(own,)), are_people=False)
    assert leaving.contents.document.sections[1] == (Heading(1, "My own"), Prose((NO_CHAPTER,)))
    assert [one.what for one in leaving.left_out] == ["Chapter “My own”"]


def test_of_people_sentences_with_numbers_and_results_stay():
    leaving = contents_leaving(contents(), are_people=True)
    assert leaving.contents.document.sections[0][2].sentences == (UNTYPED, "Nobody knows.")
    assert not leaving.contents.results
    assert [one.what for one in leaving.left_out] == ["results.json"]
    assert leaving.counted["tables/outcomes.csv"].threshold == 10


def test_what_the_next_release_is_compared_with_holds_counts_and_no_other_number():
    more = (Column("estimate", "Effect", "estimate"),)
    effects = people([("A", 30, 0.123456)], ("n",), fewest=10, more=more, notes=("Note.",))
    made = replace(contents(), tables={"effects": effects})
    counted = contents_leaving(made, are_people=True).counted["tables/effects.csv"]
    assert [column.key for column in counted.table.columns] == ["who", "n"]
    assert counted.table.rows == (("A", 30),)
    assert not counted.table.notes


def test_contents_come_back_from_their_file_as_they_were_with_pictures_of_dots():
    made = contents(maths=3)
    record = json.loads(contents_json(made))
    back = contents_from_json(record, {"pupils": png()}.get)
    assert back.document == made.document
    assert back.tables == dict(made.tables)
    assert back.results == made.results
    assert isinstance(back.tables["outcomes"].table.rows[1][1], Unavailable)
    assert isinstance(back.document.sections[0][4], Figure)


@pytest.mark.parametrize("change", [{"schema_version": 2}, {"document": {}}, {"tables": {"a": {"part": "prose"}}}])
def test_a_file_of_another_version_or_that_was_changed_is_told(change):
    record = json.loads(contents_json(contents())) | change
    with pytest.raises(EvalkitError, match="Run the project again"):
        contents_from_json(record, {"pupils": png()}.get)


def test_a_table_in_the_file_that_tells_a_small_count_does_not_come_back():
    text = contents_json(contents()).decode().replace("1500", "4")
    with pytest.raises(EvalkitError, match="Pass it through `release`"):
        contents_from_json(json.loads(text), {"pupils": png()}.get)


def test_the_same_number_of_other_things_is_no_count_of_pupils():
    leaving = contents_together(contents(1618, maths=1617), 6)
    assert people([("a", 1617)]).table.rows[0][1] == 1617
    assert leaving.contents.document.face == ("It did.",)


# Counts of the same people under different names, where units are people.


def told_counts(leaving):
    """Return every count that a reader finds in the tables of a release."""
    tables = leaving.contents.tables.values()
    return {cell for one in tables for row in one.table.rows for cell in row if isinstance(cell, int)}


@pytest.mark.parametrize(("analysed", "effect"), [(1615, 1615), (1615, 1614), (1608, 1609), (1618, 1617)])
def test_of_people_those_lost_are_not_worked_out_from_a_count_of_another_name(analysed, effect):
    made = flow_and_effects(analysed=analysed, effect=effect)
    assert recovered({1618, effect, 2100})  # what the tables tell, each released by itself
    leaving = contents_leaving(made, are_people=True)
    assert not recovered(told_counts(leaving))
    assert 2100 in told_counts(leaving)


def test_of_people_no_sentence_tells_a_count_that_a_table_withholds():
    document = contents_leaving(flow_and_effects(), are_people=True).contents.document
    assert "1,615" not in str(document.sections)
    assert document.sections[0][1] == Prose((NO_SENTENCE,))


@pytest.mark.parametrize("moved", [1, -1, 9])
def test_of_people_one_more_under_another_name_than_an_earlier_release_told_is_not_told(moved):
    first = contents_leaving(flow_and_effects(2500, 2000, 2000), are_people=True)
    assert 2000 in told_counts(first)
    renamed = flow_and_effects(2600, 2000 + moved, 2000 + moved)
    tables = {f"other_{name}": one for name, one in renamed.tables.items()}
    columns = tuple(replace(c, key=f"other_{c.key}") for c in tables["other_effects"].table.columns)
    tables["other_effects"] = release(replace(tables["other_effects"].table, columns=columns), 0)
    second = contents_leaving(replace(renamed, tables=tables), are_people=True, previous=[first.counted])
    assert not recovered(told_counts(first), told_counts(second))


def test_of_people_both_arms_are_told_and_parts_of_different_wholes():
    columns = (
        Column("row", "Row"),
        Column("n_treated", "T", "school_count"),
        Column("n_comparison", "C", "school_count"),
    )
    arms = release(Table(caption="Arms", columns=columns, rows=(("main", 200, 203),)), 0)
    by = (Column("who", "Who"), Column("n", "n", "school_count"))
    parts = [
        release(Table(caption=c, columns=by, rows=rows, row_sums=((0, 1, 2),)), 0)
        for c, rows in (
            ("Sex", (("All", 60), ("Boys", 25), ("Girls", 35))),
            ("Meals", (("All", 60), ("Free", 22), ("Paid", 38))),
        )
    ]
    tables = {"arms": arms, "sex": parts[0], "meals": parts[1]}
    document = replace(contents().document, sections=())
    made = replace(contents(), document=document, tables=tables, figures={}, results={})
    assert told_counts(contents_leaving(made, are_people=True)) == {200, 203, 60, 25, 35, 22, 38}


def test_of_people_a_withheld_count_is_not_the_sum_of_parts_of_another_name():
    # 40 less the 4 not used are 36, which men and women of those used would tell
    columns = (Column("arm", "Arm"), Column("n", "n", "school_count"))
    used = (("All", 40), ("Not used", 4), ("Used", 36))
    by_sex = (("Those used", 36), ("Men", 20), ("Women", 16))
    tables = {
        name: release(Table(caption=name, columns=columns, rows=rows, row_sums=((0, 1, 2),)), 0)
        for name, rows in (("used", used), ("sex", by_sex))
    }
    made = replace(contents(), document=replace(contents().document, sections=()), tables=tables, figures={})
    told = told_counts(contents_leaving(made, are_people=True))
    assert not (40 in told and (36 in told or {16, 20} <= told))
    assert len(told) >= 3
