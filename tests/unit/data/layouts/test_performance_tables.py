"""A wide performance table says of which year, key stage and authority it is; every cell is a number or a reason."""

import numpy as np
import pytest

from evalkit import read_performance_table
from evalkit.core.errors import DataError
from evalkit.data.files.members import member_of
from evalkit.data.files.raw_table import N_PEEKED, RawTable
from evalkit.data.layouts.file_names import stage_by_name, summer_by_name
from evalkit.data.layouts.performance_tables import identity_of, key_stage_of, summer_by_columns
from evalkit.data.layouts.registry import layouts

HEADER = "RECTYPE,LEA,ESTAB,URN,SCHNAME,NFTYPE,TELIG,PTRWM_EXP,READPROG"
ROWS = [
    "1,850,2001,100,Plover Primary,ACC,30,63%,-1.5",
    "1,850,2002,101,Lapwing Primary,CY,4,SUPP,SUPP",
    "2,850,7001,102,Heath School,CYS,9,0%,LOWCOV",
    "1,850,2003,103,Row that ends,F",
    "3,850,,,Hampshire,,900,65%,0.1",
    "4,,,,,,9000,65%,",
    "5,,,,,,8000,66%,",
]


def put(folder, rows=ROWS, header=HEADER, name="2018-2019_850_ks2final.csv", encoding="utf-8-sig"):
    path = folder / name
    path.write_bytes("\r\n".join([header, *rows]).encode(encoding))
    return path


def test_values_and_reasons_of_schools(tmp_path):
    table = read_performance_table(put(tmp_path))
    assert (table.key_stage, table.summer, table.stage) == ("KS2", 2019, "final")
    assert table.schools["area"].tolist() == [850] * 4
    assert table.schools.loc["100", ["name", "laestab", "type"]].tolist() == ["Plover Primary", "8502001", "ACC"]
    assert table.schools["is_special"].tolist() == [False, False, True, False]
    assert list(table.values) == ["TELIG", "READPROG", "PTRWM_EXP"]  # in the order of the registry
    np.testing.assert_array_equal(table.values["PTRWM_EXP"], [63.0, np.nan, 0.0, np.nan])
    assert table.reasons["READPROG"].tolist() == [
        "",
        "suppressed (too few pupils)",
        "not published (fewer than half of the pupils covered)",
        "not given (the row ends before this column)",
    ]


def test_columns_may_be_named_and_one_that_lacks_is_told(tmp_path):
    assert list(read_performance_table(put(tmp_path), ["PTRWM_EXP"]).values) == ["PTRWM_EXP"]
    with pytest.raises(DataError, match=r"no column PTRWM_EXPT.*Did you mean 'PTRWM_EXP'"):
        read_performance_table(put(tmp_path), ["PTRWM_EXPT"])


def test_a_name_in_the_older_encoding_is_read(tmp_path):
    rows = [ROWS[0].replace("Plover", "Château"), *ROWS[1:]]
    assert (
        read_performance_table(put(tmp_path, rows, encoding="cp1252")).schools.loc["100", "name"] == "Château Primary"
    )


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (ROWS[:-1], r"the rows for England \(RECTYPE 5\) are missing, so the file is cut short"),
        ([ROWS[0], *ROWS], r"URN 100 \('Plover Primary'\) stands twice"),
        ([ROWS[0].replace("63%", "n/a"), *ROWS[1:]], r"ks2final\.csv, PTRWM_EXP: 'n/a' \(1 such cell\) is neither"),
        (ROWS[-3:], "lists no school"),
    ],
)
def test_a_damaged_table_is_refused(tmp_path, rows, said):
    with pytest.raises(DataError, match=said):
        read_performance_table(put(tmp_path, rows))


def test_what_is_no_performance_table_is_refused(tmp_path):
    with pytest.raises(DataError, match="this is no wide performance table"):
        read_performance_table(put(tmp_path, header=HEADER.replace("RECTYPE", "KIND")))


@pytest.mark.parametrize(
    ("columns", "summer"),
    [
        (["A_16", "B_16", "A_17", "B_17"], 2018),
        (["A_16", "B_16", "ADMPOL_17"], 2017),  # one column alone can be of another kind
        (["PTL2BASICS_94", "PTEBACC_94", "PTL2BASICS_95", "PTEBACC_95"], None),  # grades
        (["READPROG", "READPROG_LOWER"], None),
    ],
)
def test_the_summer_is_the_one_after_the_last_prior_year(columns, summer):
    assert summer_by_columns(columns) == summer


@pytest.mark.parametrize(
    ("name", "summer"),
    [
        ("2018-2019_850_ks2final.csv", 2019),
        ("2018-2019/england_ks2final.csv", 2019),
        ("tables.zip/201819/a.csv", 2019),
        ("ks2 2018-19.csv", 2019),
        ("2018-850-ks2.csv", None),  # 2018 alone may be the first or the second year
        ("2018-2020_ks2.csv", None),
        ("2015-2016 and 2016-2017.csv", None),
    ],
)
def test_a_school_year_in_a_name(name, summer):
    assert summer_by_name(name) == summer


def test_the_stage_of_a_name():
    names = ("england_ks2revised.csv", "2018-2019_ks4provisional.csv", "ks2final.csv", "ks2.csv")
    assert [stage_by_name(name) for name in names] == ["revised", "provisional", "final", ""]


def identity(folder, name, columns=""):
    path = put(folder, header=HEADER + columns, name=name)
    return identity_of(RawTable(member_of(path)))


def test_content_tells_the_year_where_the_name_does_not(tmp_path):
    columns = ",A_17,B_17,A_18,B_18"
    assert identity(tmp_path, "any.csv", columns).summer == 2019
    assert identity(tmp_path, "any.csv", columns).subject == "KS2 2019 authority 850"


def test_a_table_of_england_that_begins_with_one_authority_is_of_england(tmp_path):
    first = [ROWS[0].replace("100", str(1000 + k), 1) for k in range(N_PEEKED)]
    path = put(tmp_path, [*first, *(row.replace("850", "936") for row in ROWS)], name="2018-2019_ks2final.csv")
    assert identity_of(RawTable(member_of(path))).area is None
    whole = put(tmp_path, [*first, *ROWS], name="2018-2019_ks2final.csv")
    assert identity_of(RawTable(member_of(whole))).area == 850


def test_a_table_after_a_break_may_carry_old_years_alone(tmp_path):
    assert identity(tmp_path, "2015-2016_ks2.csv", ",A_14,B_14").summer == 2016
    with pytest.raises(DataError, match="another year's table stands under this name"):
        identity(tmp_path, "2014-2015_ks2.csv", ",A_15,B_15")
    with pytest.raises(DataError, match="neither the columns nor the name"):
        identity(tmp_path, "ks2.csv", ",A_19,B_19")  # of 2020 there are no tables: it is a later one's


def test_key_stages_are_told_by_their_pupils(tmp_path):
    found = {
        pupils: key_stage_of(RawTable(member_of(put(tmp_path, header=HEADER.replace("TELIG", pupils)))).peek)
        for pupils in ("TELIG", "TPUP", "OTHER")
    }
    assert found == {"TELIG": "KS2", "TPUP": "KS4", "OTHER": None}


def test_contents_and_what_no_real_file_was_read_of(tmp_path):
    known = {one.name: one for one in layouts()}
    found = known["performance-table-ks2"].contents(RawTable(member_of(put(tmp_path))))
    assert (found.rows, found.years, found.areas, found.stage) == (7, (2019,), ("850",), "final")
    assert found.subject == "KS2 2019 authority 850"
    assert known["performance-table-ks2"].seen
    assert not known["ees-school-ks2"].seen
