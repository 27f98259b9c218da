"""A table of a project's own: its units, their outcomes of some years alone, and what was known before."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from evalkit.core.errors import DataError
from evalkit.core.project import OwnTable
from evalkit.data.own_tables.project_table import Directory, open_project_table, read_own_columns, read_own_records
from evalkit.data.published.codes import NO_ROW
from evalkit.data.published.known_schools import KnownSchools
from evalkit.data.published.neighbours import NeighbourTable
from evalkit.data.published.records import SchoolRecords, exclusion_reasons

AREAS = NeighbourTable(
    {340: (341,), 341: (340,)}, {340: "Knowsley", 341: "Liverpool"}, {340: "North West", 341: "North West"}, 0
)
SCHOOLS = pd.DataFrame(
    {
        "name": ["Plover", "St Anne's"], "laestab": ["3402001", "3412002"], "area": pd.array([340, 341], dtype="Int64"),
        "area_name": ["Knowsley", "Liverpool"], "region": "North West", "minor_group": ["Academy", "Special School"],
        "is_converted": [True, False],
    },
    index=["100001", "100002"],
)  # fmt: skip
URNS = {"100001": "100001", "100009": "100001", "100002": "100002"}  # 100009 followed 100001
KS2 = SchoolRecords("KS2", SCHOOLS, {}, {}, pd.DataFrame(index=SCHOOLS.index), (2016,), URNS, ())
PUBLISHED = Directory(KnownSchools.of({"KS2": KS2}, (), None), AREAS)
NOTHING = Directory(KnownSchools.of({}, (), None), NeighbourTable({}, {}, {}, 0))
LONG = OwnTable(file="scores.csv", unit="school", period="year")


def opened(tmp_path, text, table=LONG, directory=NOTHING):
    path = tmp_path / table.file
    path.write_text(text, encoding="utf-8")
    return open_project_table(path, "scores", table, directory)


def refusal(tmp_path, text, table=LONG, directory=NOTHING):
    with pytest.raises(DataError) as refused:
        opened(tmp_path, text, table, directory)
    return str(refused.value)


ROWS = "school,year,score,extra\nS1,2016/17,10.5,1\nS1,2017/18,SUPP,2\nS2,2016/17,,3\nS2,2018/19,12.25,4\n"


def test_outcomes_are_read_with_a_reason_in_every_gap(tmp_path):
    table = opened(tmp_path, ROWS)
    assert table.years == (2017, 2018, 2019)  # a school year is that of its summer
    records = read_own_records(table, {"scores.score": "score"}, (2017, 2018, 2019))
    assert records.years == (2017, 2018, 2019)
    np.testing.assert_array_equal(
        records.values["scores.score"].to_numpy(), [[10.5, np.nan, np.nan], [np.nan, np.nan, 12.25]]
    )
    assert records.reasons["scores.score"].to_numpy().tolist() == [
        ["", "suppressed (too few pupils)", NO_ROW],
        ["blank in source", NO_ROW, ""],
    ]


def test_cells_of_other_years_are_not_looked_at(tmp_path):
    table = opened(tmp_path, ROWS.replace("12.25", "not to be read").replace("SUPP", "nor this"))
    records = read_own_records(table, {"scores.score": "score"}, (2017,))
    assert (records.years, records.values["scores.score"].shape) == ((2017,), (2, 1))
    with pytest.raises(DataError, match=r"scores.csv: line 3: 'nor this' in the column 'score' is not a number"):
        read_own_records(table, {"scores.score": "score"}, (2017, 2018))


def test_the_order_of_rows_and_columns_does_not_matter(tmp_path):
    head, *rows = ROWS.strip().split("\n")
    one = read_own_records(opened(tmp_path, ROWS), {"scores.score": "score"}, (2017, 2019))
    turned = "\n".join([head, *rows[::-1]]) + "\n"
    other = read_own_records(opened(tmp_path, turned), {"scores.score": "score"}, (2017, 2019))
    pd.testing.assert_frame_equal(one.values["scores.score"], other.values["scores.score"])
    pd.testing.assert_frame_equal(one.schools, other.schools)


def test_schools_are_known_by_urn_and_laestab_and_stand_under_one_id(tmp_path):
    rows = "school,year,score\n100009,2017,1\n100001,2016,2\n341/2002,2016,3\n999999,2016,4\n"
    table = opened(tmp_path, rows, directory=PUBLISHED)
    records = read_own_records(table, {"scores.score": "score"}, (2016, 2017))
    assert records.schools.index.tolist() == ["100001", "100002", "999999"]
    assert records.values["scores.score"].loc["100001"].tolist() == [2, 1]  # across its conversion
    assert records.schools["area_name"].tolist() == ["Knowsley", "Liverpool", "no local authority given"]
    assert records.schools["is_converted"].tolist() == [True, False, False]
    # the special school is left out as it is among published results; the unknown unit is the evaluator's to answer for
    reasons = exclusion_reasons(records, "scores.score", (2016,), ("Academy",))
    assert reasons.tolist() == ["", "not mainstream state-funded (special school)", ""]
    assert [case.n for case in records.cases] == [3, 2]


def test_areas_are_known_by_code_and_name(tmp_path):
    rows = "school,year,score\n340,2017,1\nLiverpool,2017,2\n"
    schools = opened(tmp_path, rows, directory=PUBLISHED).schools
    assert schools.index.tolist() == ["340", "341"]
    assert schools["area"].tolist() == [340, 341]
    assert schools["name"].tolist() == ["Knowsley", "Liverpool"]
    assert schools["region"].tolist() == ["North West", "North West"]


def test_units_of_its_own_have_the_area_and_name_that_the_table_says(tmp_path):
    table = OwnTable(file="scores.csv", unit="school", period="year", area="la", name="called")
    rows = "school,year,la,called,score\nS1,2017,Knowsley,Plover,1\nS2,2017,341,Tern,2\n"
    schools = opened(tmp_path, rows, table, PUBLISHED).schools
    assert (schools["area"].tolist(), schools["name"].tolist()) == ([340, 341], ["Plover", "Tern"])
    assert schools["minor_group"].tolist() == ["own", "own"]
    alone = opened(tmp_path, rows.replace("341", "Sefton"), table, NOTHING).schools
    # without files that know areas each name is one area, in the order of the alphabet
    assert (alone["area"].tolist(), alone["area_name"].tolist()) == ([1001, 1002], ["Knowsley", "Sefton"])


def test_a_table_with_one_row_a_unit_holds_what_came_after(tmp_path):
    table = opened(tmp_path, "school,score\nS1,1\nS2,2\n", OwnTable(file="scores.csv", unit="school"))
    before = read_own_records(table, {"scores.score": "score"}, (2016, 2017), None)
    assert (before.years, before.values["scores.score"].shape) == ((), (2, 0))
    after = read_own_records(table, {"scores.score": "score"}, (2016, 2019), 2019)
    assert after.values["scores.score"].to_dict() == {2019: {"S1": 1, "S2": 2}}


def test_a_covariate_is_the_last_value_known_before(tmp_path):
    rows = "school,year,base,phase\nS1,2016,1,infant\nS1,2017,3,junior\nS1,2019,poison,1\nS2,2016,5,infant\n"
    frame = read_own_columns(opened(tmp_path, rows + "S2,2017,,infant\n"), ["base", "phase"], (2016, 2017))
    assert frame["scores.base"].to_dict() == {"S1": 3.0, "S2": 5.0}
    assert frame["scores.phase"].to_dict() == {"S1": "junior", "S2": "infant"}


def test_pupils_are_those_of_the_column_that_counts_them(tmp_path):
    table = OwnTable(file="scores.csv", unit="school", period="year", pupils="n")
    records = read_own_records(opened(tmp_path, "school,year,score,n\nS1,2017,1,30\n", table), {}, (2017,))
    assert records.pupils.to_dict() == {2017: {"S1": 30.0}}


def test_a_parquet_file_is_read_alike(tmp_path):
    text = ROWS.replace("SUPP", "")
    wide = read_own_records(opened(tmp_path, text), {"scores.score": "score"}, (2017, 2019)).values["scores.score"]
    frame = pd.read_csv(tmp_path / "scores.csv")
    frame.to_parquet(tmp_path / "scores.parquet")
    table = OwnTable(file="scores.parquet", unit="school", period="year")
    read = open_project_table(tmp_path / "scores.parquet", "scores", table, NOTHING)
    pd.testing.assert_frame_equal(
        read_own_records(read, {"scores.score": "score"}, (2017, 2019)).values["scores.score"], wide
    )


@pytest.mark.parametrize(
    ("text", "table", "said"),
    [
        ("school,year,score\nS1,2017,1\nS1,2017,2\n", LONG, "line 3: 'S1' has a second row in 2017"),
        ("school,score\nS1,1\nS1,2\n", OwnTable(file="scores.csv", unit="school"), "Name the column of its periods"),
        ("school,year,score\nS1,2017Q1,1\nS1,2017Q2,1\n", LONG, "holds quarters, and a project counts in years"),
        ("school,year,score\nS1,3,1\n", LONG, "line 2: the column 'year' holds 3, which is no year"),
        ("school,year,score\n,2017,1\n", LONG, "line 2: column 'school': the unit is missing"),
        ("school,yr,score\nS1,2017,1\n", LONG, "the file has no column 'year'"),
        (
            "school,year,la\nS1,2017,A\nS1,2018,B\n",
            OwnTable(file="scores.csv", unit="school", period="year", area="la"),
            "the column 'la' says 'A' and 'B' of one unit ('S1')",
        ),
        ("school,year,score\nS1,2017,1\ns1,2018,2\n", LONG, "differs only in case"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(tmp_path, text, table, said):
    assert said in refusal(tmp_path, text, table)


def test_an_area_that_no_list_knows_beside_some_that_it_does(tmp_path):
    table = OwnTable(file="scores.csv", unit="school", period="year", area="la")
    said = refusal(tmp_path, "school,year,la\nS1,2017,Knowsley\nS2,2017,Liverpol\n", table, PUBLISHED)
    assert "'Liverpol' is no local authority" in said
    assert "Did you mean 'Liverpool'" in said


def test_years_that_exposure_names_and_the_table_lacks(tmp_path):
    with pytest.raises(DataError, match="the table 'scores' has no row of 2016 and 2020, which `exposure` names"):
        opened(tmp_path, ROWS).require_years((2016, 2017, 2020))


def test_districts_of_which_one_is_called_as_an_authority_are_areas_of_the_tables_own(tmp_path):
    table = OwnTable(file="scores.csv", unit="school", period="year", area="la")
    rows = "school,year,la\nS1,2017,Knowsley\nS2,2017,Winchester\nS3,2017,Rushmoor\n"
    schools = read_own_records(opened(tmp_path, rows, table, PUBLISHED), {}, (2017,)).schools
    assert schools["area_name"].tolist() == ["Knowsley", "Winchester", "Rushmoor"]
    assert not schools["area"].isin([340, 341]).any()  # one Knowsley among districts is not made the authority


# A file of Explore Education Statistics as an own table: rows are chosen, periods have their kind, symbols are reasons.

EES = OwnTable(
    file="absence.csv",
    unit="old_la_code",
    period="time_period",
    name="la_name",
    where={"geographic_level": "Local authority", "group": "CIN"},
)
EES_HEADER = "time_period,time_identifier,geographic_level,old_la_code,la_name,group,rate\n"
EES_ROWS = (
    "200607,Academic year,National,,,CIN,10\n"
    "200607,Academic year,Local authority,340,Knowsley,CIN,9.5\n"
    "200607,Academic year,Local authority,340,Knowsley,All,5\n"
    "201112,Academic year,Local authority,340,Knowsley,CIN,c\n"
    "200607,Academic year,Local authority,341,Liverpool,CIN,z\n"
    "201112,Academic year,Local authority,341,Liverpool,CIN,8.25\n"
)


def test_rows_of_a_long_file_are_chosen_and_its_periods_have_their_kind(tmp_path):
    table = opened(tmp_path, EES_HEADER + EES_ROWS, EES)
    assert table.years == (
        2007,
        2012,
    )  # 200607 and 201112 alone could be months as well: the file says that they are not
    assert [(one.case, one.n) for one in table.cases[:2]] == [
        ("scores: rows with geographic_level Local authority and group CIN", 4),
        ("scores: units of the table", 2),
    ]
    records = read_own_records(table, {"scores.rate": "rate"}, (2007, 2012))
    np.testing.assert_array_equal(records.values["scores.rate"].to_numpy(), [[9.5, np.nan], [np.nan, 8.25]])
    assert records.reasons["scores.rate"].to_numpy().tolist() == [["", "confidential"], ["not applicable", ""]]
    assert records.schools["name"].tolist() == ["Knowsley", "Liverpool"]


def test_a_covariate_of_chosen_rows_is_theirs(tmp_path):
    before = read_own_columns(opened(tmp_path, EES_HEADER + EES_ROWS, EES), ["rate"], (2007,))
    np.testing.assert_array_equal(before["scores.rate"], [9.5, np.nan])


def test_several_values_and_numbers_choose_rows_too(tmp_path):
    table = replace(LONG, where={"kind": ("a", "b"), "stage": 2})
    text = "school,year,kind,stage,score\nS1,2017,a,2,1\nS1,2018,b,2,2\nS1,2017,c,2,3\nS1,2018,a,1,4\n"
    found = read_own_records(opened(tmp_path, text, table), {"scores.score": "score"}, (2017, 2018))
    assert found.values["scores.score"].to_numpy().tolist() == [[1, 2]]


@pytest.mark.parametrize(
    ("text", "table", "said"),
    [
        (
            EES_ROWS,
            {"where": {"geographic_level": "Local authority"}},
            "one value of each of these: group ('All' and 'CIN')",
        ),
        (EES_ROWS, {"where": {"group": "CNI"}}, "no cell of the column 'group' is 'CNI'. Did you mean 'CIN'?"),
        (EES_ROWS, {"where": {"grp": "CIN"}}, "the file has no column 'grp'. Did you mean 'group'?"),
        (
            EES_ROWS.replace("201112,Academic", "2012,Academic"),
            {},
            "line 5: The period '2012' is not what 'Academic year'",
        ),
        (EES_ROWS, {"where": {"group": "CIN"}}, "line 2: column 'old_la_code': the unit is missing"),
        (EES_ROWS.replace("z\n", "many\n"), {}, "line 6: 'many' in the column 'rate' is not a number"),
    ],
)
def test_what_is_wrong_with_chosen_rows_is_told_with_its_line(tmp_path, text, table, said):
    def read():
        return read_own_records(opened(tmp_path, EES_HEADER + text, replace(EES, **table)), {"s.rate": "rate"}, (2007,))

    with pytest.raises(DataError) as refused:
        read()
    assert said in str(refused.value)
