"""Tables with one row for each unit: kinds of columns, and what is refused."""

import numpy as np
import pandas as pd
import pytest

from evalkit.core.errors import DataError
from evalkit.data.own_tables.unit_table import UnitColumns, read_unit_table

COLUMNS = UnitColumns(
    treated="joined", covariates=("score", "faith"), unit="school", labels=("area",), outcome="result"
)
TEXT = """school,joined,score,faith,area,result
007,0,1.5,none,01,4
010,1,2,CofE,01,
9,0,3,none,1,6
"""


def read(folder, text, columns=COLUMNS, missing="refuse"):
    path = folder / "schools.csv"
    path.write_text(text, encoding="utf-8")
    return read_unit_table(path, columns, missing)


def test_ids_and_labels_are_texts_and_covariates_what_the_file_holds(tmp_path):
    table = read(tmp_path, TEXT)
    assert table.baseline.units.index.tolist() == ["9", "007", "010"]
    assert table.baseline.label("area").tolist() == ["1", "01", "01"]
    assert table.baseline.covariates["score"].tolist() == [3.0, 1.5, 2.0]
    assert table.baseline.covariates["faith"].tolist() == ["none", "none", "CofE"]
    np.testing.assert_array_equal(table.later["result"], [6.0, 4.0, np.nan])
    assert "result" not in [*table.baseline.units, *table.baseline.covariates]


def test_parquet_gives_what_csv_gives(tmp_path):
    expected = read(tmp_path, TEXT)
    frame = pd.read_csv(tmp_path / "schools.csv", dtype={"school": "str", "area": "str", "faith": "str"})
    frame.to_parquet(tmp_path / "schools.parquet")
    found = read_unit_table(tmp_path / "schools.parquet", COLUMNS)
    pd.testing.assert_frame_equal(found.baseline.units, expected.baseline.units)
    pd.testing.assert_frame_equal(found.baseline.covariates, expected.baseline.covariates)
    pd.testing.assert_frame_equal(found.later, expected.later)


def test_numbers_can_be_made_categories(tmp_path):
    columns = UnitColumns(treated="joined", covariates=("score", "area"), unit="school", categories=("area",))
    assert read(tmp_path, TEXT, columns).baseline.covariates["area"].tolist() == ["1", "01", "01"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("1.5,none", "high,none", "line 2: the covariate 'score' holds numbers and texts \\('high' there; 1 such cell"),
        ("1.5,none", "SUPP,none", "'score' is missing for 1 unit, the first of them '007'(.|\n)*1 cell SUPP"),
        ("3,none", "SUPP,none", "'score' is missing for 1 unit, the first of them '9'(.|\n)*1 cell SUPP"),
        ("3,none", ",none", "'score' is missing for 1 unit, the first of them '9'"),
        ("010,1,", "010,3,", "line 3: 'joined' says who took part, with 0 and 1; it holds 3"),
        ("010,1,", "010,,", "line 3: 'joined' says who took part, with 0 and 1; it holds nothing"),
        ("010,1,", "007,1,", "'007' stands in more than one row"),
        ("010,1,", ",1,", "line 3: column 'school': the unit is missing. Fill it in, or leave such rows out: a total"),
        ("3,none", "inf,none", "line 4: the column 'score' is infinite"),
        ("joined", "part", "no column 'joined'"),
    ],
)
def test_a_cell_that_cannot_be_what_its_part_says_is_named(tmp_path, old, new, said):
    with pytest.raises(DataError, match=said):
        read(tmp_path, TEXT.replace(old, new, 1))


def test_an_outcome_under_another_name_cannot_be_matched_on(tmp_path):
    rows = [f"s{i},{int(i < 4)},{i % 5},{i / 4},{i / 4}" for i in range(12)]
    text = "school,joined,score,last,result\n" + "\n".join(rows)
    columns = UnitColumns(treated="joined", covariates=("score", "last"), unit="school", outcome="result")
    with pytest.raises(DataError, match="'last' holds the same numbers as the outcome 'result' in every row"):
        read(tmp_path, text, columns)
    assert read(tmp_path, text.replace("2.5,2.5", "2.5,2.6"), columns).n_rows == 12


@pytest.mark.parametrize("total", ["Total", "NAT", " all schools"])
def test_a_row_of_totals_is_no_unit(tmp_path, total):
    with pytest.raises(DataError, match=rf"The id '{total}' names a total, not a unit\. Leave its rows out"):
        read(tmp_path, TEXT.replace("010,1,", f"{total},1,", 1))


def test_decimal_commas_are_neither_missing_nor_categories(tmp_path):
    said = r"holds numbers and texts \('1,5' there; 1 such cell\)\. Write decimals with a point"
    with pytest.raises(DataError, match=said):
        read(tmp_path, TEXT.replace("1.5,none", '"1,5",none', 1))


def test_an_outcome_cannot_be_matched_on(tmp_path):
    columns = UnitColumns(treated="joined", covariates=("score", "result"), outcome="result")
    with pytest.raises(DataError, match="'result' is the outcome; matching must not see it"):
        read(tmp_path, TEXT, columns)


def test_missing_can_be_a_category(tmp_path):
    table = read(tmp_path, TEXT.replace("3,none", ",none"), missing="category")
    assert table.baseline.covariates["score is missing"].tolist() == [1.0, 0.0, 0.0]
