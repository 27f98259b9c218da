"""Participants are matched to published schools, and every one that cannot be is named or counted."""

import pandas as pd
import pytest

from evalkit.core.errors import DataError, DesignError
from evalkit.data.published.participants import read_participants, whole_area
from evalkit.data.published.records import SchoolRecords
from evalkit.data.published.school_lists import Links

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
    return read_participants(path, records, [SPINE], LINKS)


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
    assert "row 2 (Kingfisher Academy): LAESTAB 3402003 is URN 100003 Robin Lane Primary School (area 340)" in message
    assert "the row's name is 'Kingfisher Academy'" in message


def test_both_ways_may_stand_in_one_file(tmp_path, records):
    text = "URN,LAESTAB,name\n100001,,\n,3402003,Robin Lane Primary School\n,,\n"
    assert read(tmp_path, text, records).schools == {"KS2": ("100001", "100003")}


def test_every_unknown_urn_is_listed_with_the_nearest(tmp_path, records):
    message = refusal(tmp_path, "URN\n100001\n100004\n999999\n", records)
    assert "2 of 3 rows cannot be used" in message
    assert "row 3: no file knows URN 100004 (nearest known: 10000" in message
    assert "row 4: no file knows URN 999999 (nearest known: 300001)" in message


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
        ("schol,town\nPlover,Huyton\n", "the columns found are 'schol' and 'town'"),
        ("100001\n100003\n", "The first row is a school, and must be the headings"),
        ("URN\n", "lists no school"),
        ("URN\n10001\n", "row 2: '10001' is not a URN"),
        ("URN\n100001\nPlover\n", "row 3: 'Plover' is not a URN"),
        ("URN,LAESTAB,town\n,,Huyton\n", "row 2: neither a URN nor a LAESTAB"),
        ("URN,School URN\n100001,100001\n", "the columns 'URN' and 'School URN' say the same of a school"),
        ('URN,name\n100001,"Plover\n100003,Robin Lane\n', "a quotation mark opens a cell that does not close"),
        ('URN,name\n100001,"Plover\n100003,Robin Lane"\n', "a quotation mark opens a cell that does not close"),
        ("URN,name\n100001,Plover, Huyton\n", "row 2 (Plover): the row has more cells than there are headings"),
        ("", "the file is empty"),
    ],
)
def test_a_file_that_lists_no_schools_says_how_to_write_one(tmp_path, records, text, said):
    assert said in refusal(tmp_path, text, records)


def test_a_row_is_named_by_its_place_in_the_file_even_after_blank_rows(tmp_path, records):
    assert "row 4: '12' is not a URN" in refusal(tmp_path, "URN,town\n100001,a\n,\n12,b\n", records)


def test_a_whole_area_is_treated(records):
    records["KS2"].schools["area_name"] = "Knowsley"
    found = whole_area(340, records)
    assert found.schools == {"KS2": ("100001", "100002", "100003")}
    assert found.is_whole_area
    assert found.cases[0].case == "KS2: schools of Knowsley (local authority 340), all counted as treated"


def test_an_area_without_schools_is_refused():
    schools = {"KS2": school_records("KS2", {"100001": "100001"}, ["Plover"], ["3402001"])}
    with pytest.raises(DesignError, match=r"No school lies in local authority 341.*near codes: 340"):
        whole_area(341, schools)


def test_all_bad_rows_are_told_at_once_with_number_and_name(tmp_path, records):
    text = "URN,name\n12,Plover Primary\n100003,St Anne's\n999999,Nowhere\n,Harbour High\n100001,\n100009,\n"
    lines = refusal(tmp_path, text, records).split("\n  ")
    assert lines[0] == "participants.csv: 5 of 6 rows cannot be used."
    assert [line.partition(":")[0] for line in lines[1:]] == [
        "row 2 (Plover Primary)", "row 3 (St Anne's)", "row 4 (Nowhere)", "row 5 (Harbour High)", "row 7"
    ]  # fmt: skip


def test_a_name_that_disagrees_with_its_urn_is_refused_with_both_names_and_a_candidate(tmp_path, records):
    message = refusal(tmp_path, "URN,name\n100003,St Anne's RC Primary\n", records)
    assert "URN 100003 is 'Robin Lane Primary School', and the row's name is 'St Anne's RC Primary'" in message
    assert "the name may mean URN 100011 St Anne's Catholic Primary School" in message


def test_a_urn_without_its_name_is_not_checked_against_one(tmp_path, records):
    assert read(tmp_path, "URN,name\n100003,\n", records).schools == {"KS2": ("100003",)}


def test_a_name_any_file_gives_a_school_agrees_with_its_urn(tmp_path, records):
    records["KS2"].schools.loc["100001", "name"] = "Osprey Academy"  # renamed as an academy, once Plover
    for name in ("PLOVER  primary", "Osprey", "Ospray Academy"):
        assert read(tmp_path, f"URN,name\n100009,{name}\n", records).schools == {"KS2": ("100001",)}


def test_a_urn_and_a_laestab_of_two_schools_are_refused(tmp_path, records):
    message = refusal(tmp_path, "URN,LAESTAB\n100003,340/2001\n", records)
    assert "URN 100003 is 'Robin Lane Primary School', and LAESTAB 3402001 is 'Plover Primary School'" in message


def test_a_laestab_alone_is_enough_where_one_school_has_had_it(tmp_path, records):
    assert read(tmp_path, "LAESTAB\n3402003\n", records).schools == {"KS2": ("100003",)}


def test_a_laestab_that_two_schools_have_had_asks_for_the_urn_or_a_name(tmp_path, records):
    records["KS2"].schools.loc["100003", "laestab"] = "3402001"
    message = refusal(tmp_path, "DfE number\n340/2001\n", records)
    assert "has been that of more than one school" in message
    assert "give the URN" in message
    assert read(tmp_path, "DfE number;School\n340/2001;Robin Lane\n", records).schools == {"KS2": ("100003",)}


def test_names_without_a_number_get_candidates(tmp_path, records):
    message = refusal(tmp_path, "School\nRobbin Lane Primry\nPlover\n", records)
    assert "row 2 (Robbin Lane Primry): a name alone does not say which school it is" in message
    assert "the name may mean URN 100003 Robin Lane Primary School (area 340)" in message
    assert "the name may mean URN 100009 Plover Primary School (area 340)" in message


def test_each_row_says_which_school_it_meant(tmp_path, records):
    found = read(tmp_path, "URN;LAESTAB;Town\n100001;;Huyton\n;340/4001;\n", records)
    assert [(school.row, school.urn, school.name, school.area_name) for school in found.matched] == [
        (2, "100001", "Plover Primary School", "area 340"), (3, "200001", "Harbour High School", "area 340")
    ]  # fmt: skip


def test_a_column_that_says_nothing_is_told(tmp_path, records):
    found = read(tmp_path, "URN,Town,Head teacher\n100001,Huyton,A\n", records)
    assert found.unused == ("Town", "Head teacher")
    assert found.cases[-1].case == "columns of the file that are not used: 'Town' and 'Head teacher'"
