"""Long tables of schools' results become one listing, beside wide tables, with a reason in every gap."""

from dataclasses import replace

import pandas as pd
import pytest

from evalkit.core.errors import DataError
from evalkit.core.project import Exposure
from evalkit.data.files.members import member_of
from evalkit.data.published.ees_schools import LongTables, read_long_results
from evalkit.data.published.listings import (
    SchoolLists,
    coverage_case,
    read_listing,
    require_years_read,
    summers_at_hand,
)
from evalkit.data.published.neighbours import NeighbourTable
from evalkit.data.published.records import make_records, one_row_a_year
from evalkit.data.published.school_lists import Links, read_register
from evalkit.data.published.sources import find_sources

LINKS = Links({"201": "200"}, ())
NO_LIST = NeighbourTable({}, {}, {}, 0)
HEADER = (
    "time_period,time_identifier,geographic_level,school_laestab,school_urn,school_name,version,breakdown_topic,"
    "breakdown,subject,expected_standard_pupil_percent,higher_standard_pupil_percent,average_scaled_score,"
    "progress_measure_score,progress_measure_lower_conf_interval,progress_measure_upper_conf_interval"
)


def row(period, urn, subject, cells, breakdown="Total", version="Final", level="School"):
    topic = {"Total": "All pupils", "Girls": "Sex"}.get(breakdown, "Disadvantaged status")
    school = f"{period},Academic year,{level},3402{urn},{urn},School {urn},{version}"
    return f"{school},{topic},{breakdown},{subject},{cells}"


ROWS = [
    row("202223", 100, "Reading", "74,22,104,1.5,-1.0,4.0"),
    row("202223", 100, "Maths", "70,20,103,0.5,-1.0,2.0"),
    row("202223", 100, "Reading", "80,30,106,2.5,-1.0,6.0", "Girls"),
    row("202223", 200, "Reading", "c,c,c,c,c,c"),
    row("202324", 100, "Reading", "75,23,105,z,z,z"),
    row("202324", 100, "Reading", "60,10,101,z,z,z", "Disadvantaged"),
    row("202324", 201, "Reading", "66,low,102,z,z,z"),
    row("202324", 201, "Maths", "60,10,101,z,z,z"),
    row("202324", 340, "Reading", "61,11,105,z,z,z", level="National"),
]
PUPILS = [
    "time_period,geographic_level,school_laestab,school_urn,school_name,telig,telig_23",
    "202324,School,3402100,100,School 100,31,30",
    "202324,School,3402201,201,School 201,9,c",
]


def put(folder, name="ks2_school_attainment_data.csv", rows=ROWS, header=HEADER):
    path = folder / name
    path.write_text("\ufeff" + "\n".join([header, *rows]) + "\n", encoding="utf-8")
    return member_of(path)


@pytest.fixture
def tables(tmp_path):
    counts = put(tmp_path, "information.csv", PUPILS[1:], PUPILS[0])
    return LongTables((put(tmp_path),), (counts,))


def listing(tables, measures=("READ_AVERAGE",), years=(2023, 2024)):
    return read_long_results(tables, LINKS, list(measures), key_stage="KS2", years=years)


def records(found, measures=("READ_AVERAGE",)):
    return make_records(found, "KS2", list(measures), Exposure(pre=(2023,), post=(2024,)), NO_LIST)


def test_schools_are_followed_and_every_symbol_is_a_reason(tables):
    found = records(listing(tables, ("READ_AVERAGE", "MAT_AVERAGE")), ("READ_AVERAGE", "MAT_AVERAGE"))
    assert found.years == (2023, 2024)
    assert found.values["READ_AVERAGE"].loc["100"].tolist() == [104, 105]
    assert found.values["READ_AVERAGE"].loc["200", 2024] == 102  # under its new URN 201
    assert found.reasons["READ_AVERAGE"].loc["200", 2023] == "confidential"
    assert found.reasons["MAT_AVERAGE"].loc["200", 2023] == "no row in this year's table"
    assert found.schools["area"].tolist() == [340, 340]
    assert set(found.schools.index) == {"100", "200"}  # the row of England is no school


@pytest.mark.parametrize("order", [1, -1])
def test_in_a_year_of_conversion_the_row_with_results_then_of_more_pupils_then_of_the_older_urn_is_kept(order):
    columns = ["school_id", "year", "urn", "pupils", "PTREAD_EXP"]
    listed = [
        ("1", 2023, "200", "30", "c"), ("1", 2023, "100", "20", "74%"),  # one has results
        ("2", 2023, "300", "9", "70"), ("2", 2023, "301", "31", "71"),  # both have, one more pupils
        ("3", 2023, "401", "", "60"), ("3", 2023, "400", "", "61"),  # nothing else tells them apart
        ("3", 2024, "401", "12", "62"),
    ]  # fmt: skip
    found = one_row_a_year(pd.DataFrame(listed[::order], columns=columns), ["PTREAD_EXP"])
    assert found.kept["urn"].tolist() == ["100", "301", "400", "401"]
    assert (found.n_dropped, found.n_with_results) == (3, 2)


def test_pupils_are_those_of_the_summer_or_of_a_later_tables_prior_year(tables):
    pupils = records(listing(tables)).pupils
    assert pupils.loc["100"].tolist() == [30, 31]
    assert pupils.loc["200", 2024] == 9
    assert pd.isna(pupils.loc["200", 2023])


def test_measures_are_columns_and_groups_of_pupils_are_rows(tables):
    codes = ("PTREAD_EXP", "PTREAD_HIGH", "PTREAD_EXP_FSM6CLA1A")
    found = records(listing(tables, codes), codes)
    assert found.values["PTREAD_EXP"].loc["100"].tolist() == [74, 75]
    assert found.reasons["PTREAD_HIGH"].loc["200", 2024] == "rounds to 0 but is not 0"
    assert found.values["PTREAD_EXP_FSM6CLA1A"].loc["100", 2024] == 60
    assert found.reasons["PTREAD_EXP_FSM6CLA1A"].loc["100", 2023] == "no row in this year's table"


def test_cells_of_years_that_are_not_asked_for_are_never_read(tmp_path):
    spoilt = [line.replace(",105,", ",poison,") for line in ROWS]
    file = put(tmp_path, rows=spoilt)
    found = listing(LongTables((file,), ()), years=(2023,))
    assert sorted(found.scores["year"].unique()) == [2023]
    assert sorted(found.identity["year"].unique()) == [2023, 2024]
    with pytest.raises(DataError, match="'poison'"):
        records(listing(LongTables((file,), ())))


def test_the_latest_version_of_a_year_is_read_and_two_rows_are_refused(tmp_path):
    earlier = row("202324", 100, "Reading", "11,1,90,z,z,z", version="Provisional")
    later = LongTables((put(tmp_path, rows=[*ROWS, earlier]),), ())
    assert records(listing(later)).values["READ_AVERAGE"].loc["100", 2024] == 105
    again = LongTables((put(tmp_path, rows=[*ROWS, ROWS[4]]),), ())
    with pytest.raises(DataError, match="URN 100 has more than one row for 202324"):
        listing(again)


def test_of_two_releases_the_later_is_read_and_equals_are_refused(tmp_path):
    first = put(tmp_path, "a.csv", ROWS[:4])
    assert LongTables((put(tmp_path, "b.csv"), first), ()).summers() == {
        2023: member_of(tmp_path / "b.csv"),
        2024: member_of(tmp_path / "b.csv"),
    }
    with pytest.raises(DataError, match=r"both give schools' results of 2023"):
        LongTables((put(tmp_path, "c.csv"), put(tmp_path, "d.csv")), ()).summers()


def test_what_cannot_be_told_is_refused_in_a_sentence(tmp_path, tables):
    with pytest.raises(DataError, match="no row has 'Maths' in the column 'subject'"):
        listing(LongTables((put(tmp_path, "m.csv", [ROWS[0]]),), ()), ("MAT_AVERAGE",))
    with pytest.raises(DataError, match="does not hold READPROG_L"):
        listing(tables, ("READPROG_L",))
    with pytest.raises(DataError, match=r"'2023' \(row 2\) is not a school year in six digits"):
        listing(LongTables((put(tmp_path, "p.csv", [ROWS[0].replace("202223", "2023")]),), ()))


WIDE = "RECTYPE,LEA,ESTAB,URN,SCHNAME,NFTYPE,TELIG,READ_AVERAGE"


def wide(folder, summer, rows):
    england = ["4,,,,,,9,104", "5,,,,,,9,104"]
    path = folder / f"{summer - 1}-{summer}_england_ks2final.csv"
    path.write_text("\n".join([WIDE, *rows, *england]) + "\n", encoding="utf-8")


def test_wide_and_long_tables_are_one_listing_and_each_year_has_one_source(tmp_path):
    put(tmp_path)
    wide(tmp_path, 2023, ["1,340,2100,100,School 100,CY,30,99", "1,341,2300,300,Other,ACC,20,100"])
    (tmp_path / "links.csv").write_text("URN,LinkURN,LinkName,LinkType,LinkEstablishedDate\n", encoding="utf-8")
    sources = find_sources(tmp_path)
    assert summers_at_hand(sources, "KS2") == {2022, 2023, 2024}  # 2022: prior-year columns, should there be any
    found = read_listing(
        sources, "KS2", ["READ_AVERAGE"], (2023, 2024), SchoolLists(LINKS, None), followed=(2023, 2024)
    )
    by_school = found.scores.set_index(["school_id", "year"])["READ_AVERAGE"]
    assert [case.n for case in found.cases if case.case.startswith("schools on no school list")] == [2]
    assert by_school["100"].to_dict() == {2023: "99", 2024: "105"}  # 2023 of the wide table
    assert found.identity.groupby("school_id")["minor_group"].agg(set).to_dict() == {
        "100": {"Maintained School"},  # told by the wide table, in every year
        "200": {""},
        "300": {"Academy"},
    }


def test_a_group_comes_from_the_register_where_there_is_one(tmp_path):
    path = tmp_path / "register.csv"
    head = '"URN","LA (code)","EstablishmentNumber","EstablishmentName","TypeOfEstablishment (name)"'
    rows = ['100,"340","2100","A","Free schools special"', '201,"340","2201","B","Academy converter"']
    path.write_text("\n".join([head, *rows]), encoding="cp1252")
    assert read_register(path)["minor_group"].to_dict() == {"100": "Special School", "201": "Academy"}


def test_what_a_folder_covers_is_said_or_refused(tmp_path, tables):
    put(tmp_path, "r.csv")
    found = listing(tables)
    made = records(found)
    england = NeighbourTable({}, {code: f"Area {code}" for code in range(201, 361)}, {}, 0)
    (tmp_path / "r.csv").unlink()
    sources = find_sources(tmp_path)
    case = coverage_case(sources, found, made, england)
    assert case.n == 1
    assert "the tables are an extract, not of all England" in case.case
    with pytest.raises(DataError, match="only 1 of the 160 areas of the neighbour list, so it is cut short"):
        coverage_case(sources, replace(found, symbol_years=frozenset()), made, england)


def test_a_year_that_no_file_gives_is_missed_with_the_reason_known(tmp_path, tables):
    put(tmp_path, "x.csv")
    found = records(listing(tables))
    (tmp_path / "x.csv").unlink()
    with pytest.raises(DataError, match=r"results of 2022, which the project file names \(the performance tables do"):
        require_years_read(find_sources(tmp_path), found, (2022, 2023))
