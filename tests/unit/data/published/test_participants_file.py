"""A list of schools is read as people keep one, and a column that would mean something is never passed over."""

import math
from datetime import date

import pytest

from evalkit.core.errors import DataError
from evalkit.data.published.participants_file import read_listed_schools

ROWS = (("106438", ""), ("", "3593010"))


def listed(tmp_path, content):
    path = tmp_path / "participants.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return read_listed_schools(path)


def numbers(tmp_path, content):
    return [(row.urn, row.laestab) for row in listed(tmp_path, content).rows]


@pytest.mark.parametrize("heading", ["urn", "URN ", "School URN", "U.R.N.", "School_URN", "Unique Reference Number"])
def test_headings_of_a_urn_are_known(tmp_path, heading):
    assert numbers(tmp_path, f"{heading},Town\n106438,Wigan\n") == [("106438", "")]


@pytest.mark.parametrize("heading", ["DfE number", "LAESTAB", "laestab", "LA/ESTAB", "DfE No.", "LA Estab"])
def test_headings_of_a_laestab_are_known(tmp_path, heading):
    assert numbers(tmp_path, f"{heading}\n3593010\n") == [("", "3593010")]


@pytest.mark.parametrize(
    "value", ["106438", "106438.0", " 106438 ", "\u00a0106438", '"106,438"', '="106438"', "URN 106438"]
)
def test_a_urn_is_read_however_it_is_written(tmp_path, value):
    row = listed(tmp_path, f"URN\n{value}\n").rows[0]
    assert (row.urn, row.problem) == ("106438", "")


@pytest.mark.parametrize("value", ["359/3010", "3593010", "3593010.0", "359-3010", "359 3010", "359 / 3010"])
def test_a_laestab_is_read_however_it_is_written(tmp_path, value):
    row = listed(tmp_path, f"LAESTAB\n{value}\n").rows[0]
    assert (row.laestab, row.problem) == ("3593010", "")


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_separators_and_line_ends_are_found(tmp_path, separator, ends):
    text = ends.join(separator.join(row) for row in (("URN", "DfE number"), *ROWS)) + ends
    assert numbers(tmp_path, text) == list(ROWS)


def test_a_spreadsheets_line_about_its_separator_is_no_heading(tmp_path):
    file = listed(tmp_path, "sep=;\r\nURN;Name\r\n106438;Plover\r\n")
    assert [(row.row, row.urn, row.name) for row in file.rows] == [(3, "106438", "Plover")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_encodings_are_found(tmp_path, encoding):
    file = listed(tmp_path, "URN,Name\n106438,Ste Thérèse\u2019s\n".encode(encoding))
    assert [(row.urn, row.name) for row in file.rows] == [("106438", "Ste Thérèse\u2019s")]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04rest", "this is a workbook"),
        (b"URN\n\x81\n", "not text in UTF-8"),
        (b"", "the file is empty"),
        (b"URN\n", "lists no school"),
    ],
)
def test_what_is_no_list_says_what_to_do(tmp_path, content, said):
    with pytest.raises(DataError, match=said):
        listed(tmp_path, content)


@pytest.mark.parametrize("heading", ["end", "Adviser days", "Cohort", "joined", "treated", "Year", "hours", "wave"])
def test_a_column_that_reads_like_a_choice_is_refused(tmp_path, heading):
    with pytest.raises(DataError, match=f"the column '{heading}' would change nothing"):
        listed(tmp_path, f"URN,{heading}\n106438,2018\n")


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("2018-02-01", date(2018, 2, 1)),
        ("01/02/2018", date(2018, 2, 1)),
        ("1.2.2018", date(2018, 2, 1)),
        ("2018-02-01 00:00:00", date(2018, 2, 1)),  # as spreadsheets write a day
        ("2018", date(2017, 9, 1)),  # the school year of that summer
        ("2018.0", date(2017, 9, 1)),
        ("2017/18", date(2017, 9, 1)),
        ("2017-2018", date(2017, 9, 1)),
        ("", None),
    ],
)
def test_a_start_is_a_day_or_the_school_year_of_a_summer(tmp_path, cell, day):
    read = listed(tmp_path, f"URN,Start date\n106438,{cell}\n")
    assert (read.rows[0].start, read.rows[0].problem, read.beside) == (day, "", ("start",))


@pytest.mark.parametrize("cell", ["soon", "2018-13-01", "31/02/2018", "02/2018", "2018-02", "18"])
def test_a_start_that_is_no_date_is_told_in_its_row(tmp_path, cell):
    assert f"the start '{cell}' is no date" in listed(tmp_path, f"URN,start\n106438,{cell}\n").rows[0].problem


def test_dose_and_trust_are_read_beside_the_school(tmp_path):
    read = listed(tmp_path, "URN,Dose,Trust\n106438,12.5,Tern\n106439,,\n")
    assert [(row.dose, row.group) for row in read.rows[:1]] == [(12.5, "Tern")]
    assert math.isnan(read.rows[1].dose)
    assert read.beside == ("dose", "group")
    assert "the dose 'much' is no number" in listed(tmp_path, "URN,dose\n106438,much\n").rows[0].problem


def test_with_tables_of_its_own_the_first_column_may_be_their_id(tmp_path):
    path = tmp_path / "participants.csv"
    path.write_text("school,start\nS1,2018\n", encoding="utf-8")
    assert [row.unit for row in read_listed_schools(path, has_tables=True).rows] == ["S1"]
    path.write_text("URN,start\n106438,2018\n", encoding="utf-8")
    row = read_listed_schools(path, has_tables=True).rows[0]
    assert (row.urn, row.unit) == ("106438", "")


def test_other_columns_are_told(tmp_path):
    assert listed(tmp_path, "URN,Postcode,Name,\n106438,WN1,Plover,\n").unused == ("Postcode",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("URN\n359/3010\n", "is a LAESTAB"),
        ("LAESTAB\n106438\n", "may be a URN"),
        ("URN\n10643\n", "'10643' is not a URN (six digits)"),
        ("URN\n1.06E+05\n", "is not a URN"),
        ("LAESTAB\n3010\n", "is not a LAESTAB"),
    ],
)
def test_a_row_carries_what_is_wrong_with_it(tmp_path, text, said):
    assert said in listed(tmp_path, text).rows[0].problem


@pytest.mark.parametrize("headings", ["LA,ESTAB,Name", "LA (code),EstablishmentNumber,School", "LEA,Estab no.,School"])
def test_the_two_halves_of_a_laestab_make_one(tmp_path, headings):
    read = listed(tmp_path, f"{headings}\n359,3010,Orrell\n359.0,3011,\n")
    assert [(row.laestab, row.problem) for row in read.rows] == [("3593010", ""), ("3593011", "")]
    assert read.unused == ()


def test_halves_beside_a_urn_are_columns_like_others(tmp_path):
    read = listed(tmp_path, "URN,LA (code),EstablishmentNumber\n106438,359,3010\n")
    assert (read.rows[0].urn, read.rows[0].laestab) == ("106438", "")
    assert read.unused == ("LA (code)", "EstablishmentNumber")


def test_halves_that_make_no_laestab_are_named_as_such(tmp_path):
    assert "'Wigan/3010' is not a LAESTAB" in listed(tmp_path, "LA,ESTAB\nWigan,3010\n").rows[0].problem
