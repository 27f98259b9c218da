"""Participants are matched to published schools, and every one that cannot be is named or counted."""

import pandas as pd
import pytest

from evalkit.core.errors import DataError, DesignError
from evalkit.data.links import Links
from evalkit.data.participants import read_participants, whole_area
from evalkit.data.records import SchoolRecords

# 100001 became the academy 100009 in 2018; 100002 (the oldest URN) became 100011 in 2014, before any table, and 100012
# in 2021, after every table; 200001 is a secondary; 300001 is an infant school, in the school list without results.
LINKS = Links({"100009": "100001", "100011": "100002", "100012": "100011"}, ())
SPINE = pd.DataFrame(
    {
        "area": 340, "laestab": ["3402001", "3402002", "3404001", "3402009"],
        "name": ["Plover Primary School", "St Anne's", "Harbour High School", "Wren Infant School"],
        "minor_group": "Maintained School", "is_primary": [True, True, False, True],
        "is_secondary": [False, False, True, False],
    },
    index=["100001", "100011", "200001", "300001"],
)  # fmt: skip


def school_records(stage, urns, names, laestabs):
    ids = sorted(set(urns.values()))
    schools = pd.DataFrame({"name": names, "laestab": laestabs, "area": 340, "minor_group": "Academy"}, index=ids)
    known = {school: school for school in ids} | urns
    return SchoolRecords(stage, schools, {}, {}, pd.DataFrame(index=ids), (2016,), known, ())


@pytest.fixture
def records():
    ks2 = school_records(
        "KS2", {"100001": "100001", "100009": "100001", "100011": "100002", "100003": "100003"},
        ["Plover Primary School", "St Anne's Catholic Primary School", "Robin Lane Primary School"],
        ["3402001", "3402002", "3402003"],
    )  # fmt: skip
    return {"KS2": ks2}


def read(tmp_path, text, records):
    path = tmp_path / "participants.csv"
    path.write_text(text, encoding="utf-8")
    return read_participants(path, records, SPINE, LINKS)


def refusal(tmp_path, text, records):
    with pytest.raises(DataError) as refused:
        read(tmp_path, text, records)
    return str(refused.value)


def test_urns_are_matched(tmp_path, records):
    found = read(tmp_path, "URN\n100001\n100003\n", records)
    assert found.schools == {"KS2": ("100001", "100003")}
    assert not found.is_whole_area
    # listed 2, by URN 2, by LAESTAB 0, with KS2 results 2
    assert [case.n for case in found.cases] == [2, 2, 0, 2]


@pytest.mark.parametrize("urn", ["100001", "100009"])
def test_a_converted_school_is_found_by_either_urn(tmp_path, records, urn):
    assert read(tmp_path, f"URN\n{urn}\n", records).schools == {"KS2": ("100001",)}


@pytest.mark.parametrize("urn", ["100002", "100011", "100012"])
def test_a_urn_from_before_or_after_the_tables_is_resolved_through_links(tmp_path, records, urn):
    assert read(tmp_path, f"URN\n{urn}\n", records).schools == {"KS2": ("100002",)}


@pytest.mark.parametrize("laestab", ["3402003", "340/2003"])
def test_laestab_is_matched_where_the_name_agrees(tmp_path, records, laestab):
    found = read(tmp_path, f"LAESTAB,name\n{laestab},Robin Lane\n", records)
    assert found.schools == {"KS2": ("100003",)}
    assert [case.n for case in found.cases] == [1, 0, 1, 1]


def test_laestab_is_matched_to_a_school_whose_oldest_urn_no_table_lists(tmp_path, records):
    found = read(tmp_path, "LAESTAB,name\n3402002,St Anne's Catholic Primary\n", records)
    assert found.schools == {"KS2": ("100002",)}


def test_laestab_with_quite_another_name_is_unknown(tmp_path, records):
    message = refusal(tmp_path, "LAESTAB,name\n3402003,Kingfisher Academy\n", records)
    assert "LAESTAB 3402003 with the name 'Kingfisher Academy'" in message


def test_both_ways_may_stand_in_one_file(tmp_path, records):
    text = "URN,LAESTAB,name\n100001,,\n,3402003,Robin Lane Primary School\n,,\n"
    assert read(tmp_path, text, records).schools == {"KS2": ("100001", "100003")}


def test_every_unknown_urn_is_listed_with_the_nearest(tmp_path, records):
    message = refusal(tmp_path, "URN\n100001\n100004\n999999\n", records)
    assert "2 participants no file knows" in message
    assert "URN 100004 (nearest known: 10000" in message
    assert "URN 999999 (nearest known: 300001)" in message


def test_a_secondary_has_no_key_stage_2_outcome_and_is_not_unknown(tmp_path, records):
    found = read(tmp_path, "URN\n100001\n200001\n", records)
    assert found.schools == {"KS2": ("100001",)}
    assert found.without_outcome == {"KS2": {"no KS2 outcome (a secondary school)": 1}}


def test_a_secondary_counts_where_there_is_a_key_stage_4_outcome(tmp_path, records):
    both = records | {"KS4": school_records("KS4", {"200001": "200001"}, ["Harbour High School"], ["3404001"])}
    found = read(tmp_path, "URN\n100001\n200001\n", both)
    assert found.schools == {"KS2": ("100001",), "KS4": ("200001",)}
    assert found.without_outcome["KS4"] == {"no KS4 outcome (a primary school)": 1}


def test_a_listed_school_without_results_is_counted(tmp_path, records):
    found = read(tmp_path, "URN\n100001\n300001\n", records)
    assert found.without_outcome == {"KS2": {"no KS2 outcome (in the school list, without KS2 results)": 1}}


@pytest.mark.parametrize("text", ["URN\n100001\n100001\n", "URN\n100001\n100009\n", "URN\n100002\n100012\n"])
def test_the_same_school_twice_is_refused_under_whatever_urn(tmp_path, records, text):
    assert "the same school is listed twice" in refusal(tmp_path, text, records)


def test_the_same_school_by_urn_and_by_laestab_is_refused(tmp_path, records):
    text = "URN,LAESTAB,name\n100011,,\n,3402002,St Anne's Catholic Primary School\n"
    assert "listed twice" in refusal(tmp_path, text, records)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("school\nPlover\n", "neither a column URN nor the columns LAESTAB and name"),
        ("LAESTAB\n3402001\n", "neither a column URN nor the columns LAESTAB and name"),
        ("URN\n", "lists no school"),
        ("URN\n10001\n", "row 2: '10001' is not a URN"),
        ("URN\n100001\nPlover\n", "row 3: 'Plover' is not a URN"),
        ("LAESTAB,name\n3402001,\n", "row 2: neither a URN nor a LAESTAB with a name"),
        ("", "the file is empty"),
    ],
)
def test_a_file_that_lists_no_schools_says_how_to_write_one(tmp_path, records, text, said):
    assert said in refusal(tmp_path, text, records)


def test_a_row_is_named_by_its_place_in_the_file_even_after_blank_rows(tmp_path, records):
    assert "row 4: '12' is not a URN" in refusal(tmp_path, "URN,name\n100001,a\n,\n12,b\n", records)


def test_a_whole_area_is_treated(records):
    found = whole_area(340, records)
    assert found.schools == {"KS2": ("100001", "100002", "100003")}
    assert found.is_whole_area


def test_an_area_without_schools_is_refused():
    schools = {"KS2": school_records("KS2", {"100001": "100001"}, ["Plover"], ["3402001"])}
    with pytest.raises(DesignError, match=r"No school lies in local authority 341.*near codes: 340"):
        whole_area(341, schools)


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("St Aidan's Catholic Primary School", "St Luke's Catholic Primary School", False),
        ("St", "St Aidan's Catholic Primary School", False),
        ("St Aidan's Catholic Primary", "St Aidan's Catholic Primary School", True),
        ("Huyton with Roby CofE", "Huyton With Roby Church of England Primary School", True),
        ("The Academy", "The Academy", True),
    ],
)
def test_names_are_alike_by_their_telling_words(one, other, alike):
    from evalkit.data.participants import _alike

    assert _alike(one, other) == alike
