"""What one part of a report withholds no other part tells: tables, figures, sentences, results.json."""

import json
from dataclasses import replace

import pytest

from evalkit.core.errors import EvalkitError
from evalkit.core.quantities import Unavailable
from evalkit.report.border.disclosure import UNTYPED
from evalkit.report.border.parts import Figure, Heading, Prose
from evalkit.report.border.table import Column
from evalkit.report.documents.contents import contents_from_json, contents_json
from evalkit.report.documents.leaving import (
    NO_CHAPTER,
    NO_FIGURE,
    NO_SENTENCE,
    contents_leaving,
    contents_together,
)
from evalkit.report.documents.own_notebooks import UNCHECKED
from tests.released_tables import people, shown
from tests.small_contents import contents, png

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
    assert {one.why for one in leaving.withheld} == {"last release"}


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
