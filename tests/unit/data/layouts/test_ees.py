"""Files of Explore Education Statistics: levels, filters, periods, and a reason for every number that is missing."""

import gzip
import zipfile

import numpy as np
import pytest

from evalkit.core.errors import DataError
from evalkit.data.files.catalogue import catalogue
from evalkit.data.files.members import member_of
from evalkit.data.files.raw_table import RawTable
from evalkit.data.layouts.ees import LAYOUTS, read_ees, read_ees_areas

HEADER = "geographic_level,time_identifier,time_period,old_la_code,new_la_code,la_name,group,rate,pupils"
ROWS = (
    "National,Academic year,201819, , , ,CIN,10,100",
    "Local authority,Academic year,201819,340,E08000011,Knowsley,CIN,9.5,1020",
    "Local authority,Academic year,201819,340,E08000011,Knowsley,All,5,2000",
    "Local authority,Academic year,201920,340,E08000011,Knowsley,CIN,c,z",
    "Local authority,Academic year,201819,341,E08000012,Liverpool,CIN,k,x",
    "Local authority,Academic year,201920,341,E08000012,Liverpool,CIN,8.25,low",
)


def written(tmp_path, rows=ROWS, header=HEADER, name="a.csv", encoding="utf-8-sig"):
    path = tmp_path / name
    path.write_bytes(("\r\n".join([header, *rows]) + "\r\n").encode(encoding))
    return path


def refusal(path, **asked):
    with pytest.raises(DataError) as refused:
        read_ees_areas(path, "rate", **asked)
    return str(refused.value)


def test_every_symbol_is_a_reason_and_national_rows_have_blank_names(tmp_path):
    table = read_ees(written(tmp_path))
    assert list(table.values.columns) == ["rate", "pupils"]
    np.testing.assert_array_equal(table.values["rate"], [10, 9.5, 5, np.nan, np.nan, 8.25])
    assert table.reasons["rate"].tolist()[3:] == ["confidential", "rounds to 0 but is not 0", ""]
    assert table.reasons["pupils"].tolist()[3:] == [
        "not applicable", "not available for other reasons", "rounds to 0 but is not 0",
    ]  # fmt: skip
    assert table.keys["la_name"].tolist()[:2] == ["", "Knowsley"]
    assert table.keys["year"].tolist() == [2019, 2019, 2019, 2020, 2019, 2020]
    assert {(code.column, code.code): code.n_cells for code in table.codes} == {
        ("rate", "c"): 1, ("rate", "k"): 1, ("pupils", "z"): 1, ("pupils", "x"): 1, ("pupils", "low"): 1,
    }  # fmt: skip


def test_an_area_with_several_rows_is_refused_with_what_tells_them_apart(tmp_path):
    path = written(tmp_path)
    said = refusal(path)
    assert "'Knowsley' has 2 rows in 2018/19" in said
    assert "in `where`: group ('All' and 'CIN')" in said
    series = read_ees_areas(path, "rate", where={"group": "CIN"})
    assert (series.areas.tolist(), series.periods, series.name(341)) == ([340, 341], (2019, 2020), "Liverpool")
    np.testing.assert_array_equal(series.values, [[9.5, np.nan], [np.nan, 8.25]])
    assert "1 cell c (confidential)" in series.notes[0]


def test_a_row_that_stands_there_twice_is_told_with_its_line(tmp_path):
    path = written(tmp_path, (*ROWS, ROWS[1].replace("9.5", "9.6")))
    with pytest.raises(DataError, match=r"line 8: a row of one period, place and breakdown stands there twice"):
        read_ees(path)
    assert "that no column of texts tells apart" in refusal(path, where={"group": "CIN"})


def test_what_is_asked_for_and_not_there_is_told(tmp_path):
    path = written(tmp_path)
    assert "no cell of the column 'group' is 'CNI'. Did you mean 'CIN'?" in refusal(path, where={"group": "CNI"})
    assert "no column 'grop' to choose rows by. Did you mean 'group'?" in refusal(path, where={"grop": "CIN"})
    assert "no cell of the column 'geographic_level' is 'Regional'" in refusal(path, level="Regional")
    assert "'School' is no level of areas" in refusal(path, level="School")
    with pytest.raises(DataError, match=r"there is no column 'rats'\. Did you mean 'rate'"):
        read_ees(path, measures=["rats"])


def test_columns_in_any_order_bom_or_not_gz_and_zip_give_the_same(tmp_path):
    one = read_ees(written(tmp_path))
    order = [8, 0, 5, 2, 1, 3, 4, 7, 6]
    shuffled = [",".join(row.split(",")[at] for at in order) for row in (HEADER, *ROWS)]
    other = read_ees(written(tmp_path, shuffled[1:], shuffled[0], "b.csv", "utf-8"))
    packed = tmp_path / "c.csv.gz"
    packed.write_bytes(gzip.compress(written(tmp_path).read_bytes()))
    archive = tmp_path / "d.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.write(tmp_path / "a.csv", "data/a.csv")
        zipped.writestr("data/a.meta.csv", "col_name,col_type,label\nrate,Indicator,Rate\n")
    for again in (other, read_ees(packed), read_ees(archive), read_ees(archive / "data" / "a.csv")):
        np.testing.assert_array_equal(again.values["rate"], one.values["rate"])
        assert again.keys["la_name"].tolist() == one.keys["la_name"].tolist()
        assert again.reasons["pupils"].tolist() == one.reasons["pupils"].tolist()


def test_a_school_file_has_its_ids_under_one_name(tmp_path):
    header = "time_period,time_identifier,geographic_level,URN,laestab,subject,score,telnum"
    rows = (
        "202324,Academic year,School,100000,2013614,Reading,103,02070001",
        "202324,Academic year,School,100001,2016005,Reading,u,02070002",
    )
    table = read_ees(written(tmp_path, rows, header))
    assert list(table.values.columns) == ["score"]  # a telephone number is none
    assert table.keys["school_urn"].tolist() == ["100000", "100001"]
    assert table.keys["school_laestab"].tolist() == ["2013614", "2016005"]
    assert table.reasons["score"].tolist() == ["", "of low reliability"]


def test_a_year_of_admission_that_is_the_reception_class_is_no_number(tmp_path):
    rows = [row.replace(",CIN,", ",R,").replace(",All,", ",7,") for row in ROWS]
    table = read_ees(written(tmp_path, rows))
    assert "group" in table.keys
    assert table.keys["group"].tolist()[:3] == ["R", "R", "7"]
    asked = read_ees(written(tmp_path, rows), measures=["group"])
    assert asked.reasons["group"].tolist()[0] == "R in the source, which this kit knows no meaning of"


@pytest.mark.parametrize(
    ("rows", "header", "said"),
    [
        (ROWS, HEADER.replace("time_period", "period"), "It lacks time_period. Did you mean 'period'?"),
        ((), HEADER, "a header but no rows"),
        (ROWS, HEADER.replace("pupils", "RATE").replace("RATE", "rate"), "'rate' stands there twice"),
        ((ROWS[1].replace("201819", "2019"),), HEADER, "line 2: The period '2019' is not what 'Academic year'"),
        ((ROWS[1].replace("9.5", "9,5").replace("9,5", '"nine"'),), HEADER, "'nine' in the column 'rate'"),
        ((ROWS[1].replace("340,E08000011,Knowsley", ",,"),), HEADER, "has no old_la_code, new_la_code and la_name"),
    ],
)  # fmt: skip
def test_a_damaged_file_is_told_in_a_sentence(tmp_path, rows, header, said):
    assert said in refusal(written(tmp_path, rows, header))


def test_a_file_for_another_reader_is_told_by_what_it_looks_like(tmp_path):
    header = "RECTYPE,LEA,ESTAB,URN,SCHNAME,TELIG"
    path = written(tmp_path, ("1,340,2000,100000,Plover,30",), header)
    said = refusal(path)
    assert "It looks like this: Performance table, key stage 2 (DfE)." in said
    assert "there is no such file" in refusal(tmp_path / "none.csv")
    assert "this is a folder" in refusal(tmp_path)


def test_contents_give_rows_years_levels_areas_and_stage(tmp_path):
    path = written(tmp_path, [f"{row},Revised" for row in ROWS], f"{HEADER},version")
    table = RawTable(member_of(path))
    layout = LAYOUTS[0]
    assert layout.fits(table.peek)
    found = layout.contents(table)
    assert (found.rows, found.years, found.areas) == (6, (2019, 2020), ("340", "341"))
    assert (found.levels, found.measures, found.stage) == (
        ("local authority", "national"),
        ("rate", "pupils"),
        "revised",
    )


def test_releases_of_one_data_set_are_of_one_subject_and_other_breakdowns_are_not(tmp_path):
    def subject(rows, version, name):
        path = written(tmp_path, [f"{row},{version}" for row in rows], f"{HEADER},version", name)
        found = LAYOUTS[0].contents(RawTable(member_of(path)))
        return found.stage, found.subject

    first, later = subject(ROWS, "Provisional", "a.csv"), subject(ROWS[::-1], "Final", "b.csv")
    assert (first[0], later[0]) == ("provisional", "final")
    assert first[1] == later[1]
    others = [row.replace(",CIN,", ",SEN,") for row in ROWS]
    assert subject(others, "Final", "c.csv")[1] != later[1]


def test_two_names_of_one_id_are_refused_by_reader_and_catalogue_alike(tmp_path):
    header = "time_period,time_identifier,geographic_level,school_urn,urn,rate\n"
    path = written(tmp_path, ["202324,Academic year,School,100001,100001,4"], header)
    assert "'school_urn' stands there twice" in refusal(path)
    (entry,) = catalogue(tmp_path, LAYOUTS).entries
    assert "'school_urn' stands there twice" in entry.reason
