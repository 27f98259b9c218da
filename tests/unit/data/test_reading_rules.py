"""How a user's table is read: columns judged whole, rows counted, periods numbered, ids that look alike refused."""

import gzip
import json

import numpy as np
import pandas as pd
import pytest

from evalkit.core.errors import DataError
from evalkit.data.own_tables import csv_records
from evalkit.data.own_tables.columns import read_columns
from evalkit.run.cli import main

COLUMNS = ["--unit", "school", "--period", "year", "--outcome", "score", "--cohort", "first"]


def table(label=str):
    """Forty schools in five years, ten treated from the fourth; periods written by `label`."""
    random = np.random.default_rng(3)
    rows = [
        (f"{100000 + i}", label(year), round(random.normal(), 3), label(2017) if i < 10 else "")
        for i in range(40)
        for year in range(2014, 2019)
    ]
    return pd.DataFrame(rows, columns=["school", "year", "score", "first"])


def did(frame, tmp_path, capsys, *options):
    path = tmp_path / "table.csv"
    frame.to_csv(path, index=False)
    code = main(["did", str(path), *COLUMNS, *options])
    told = capsys.readouterr()
    return code, told.out, told.err


def school_year(year):
    return f"{year - 1}{year % 100:02d}"


@pytest.mark.parametrize("label", [school_year, lambda y: f"{y - 1}/{y % 100:02d}", lambda y: f"{y - 1}-{y % 100:02d}"])
def test_school_years_give_the_numbers_of_their_summers(tmp_path, capsys, label):
    options = ("--json", "--anticipation", "1", "--balanced-until", "1")
    plain = json.loads(did(table(), tmp_path, capsys, *options)[1])
    other = json.loads(did(table(label), tmp_path, capsys, *options)[1])
    assert other["simple"] == plain["simple"]
    assert [one["event_time"] for one in other["event_study"]["times"]] == [
        one["event_time"] for one in plain["event_study"]["times"]
    ]


def test_codes_among_numbers_are_missing_and_counted(tmp_path, capsys):
    frame = table().astype({"score": str})
    frame.loc[[0, 6], "score"] = ["SUPP", "NE"]
    code, out, _ = did(frame, tmp_path, capsys)
    assert code == 0
    assert "1 cell SUPP" in " ".join(out.split())
    frame.loc[7, "score"] = "high"
    code, _, err = did(frame, tmp_path, capsys)
    assert code == 2
    assert "'high'" in err


def test_ids_that_differ_in_a_decimal_are_refused_with_a_pair(tmp_path, capsys):
    frame = table()
    later = frame["year"] >= "2017"
    frame.loc[later, "school"] = frame.loc[later, "school"] + ".0"
    code, _, err = did(frame, tmp_path, capsys)
    assert code == 2
    assert "40 pairs" in err
    assert "100000 and 100000.0" in err


def test_a_quote_that_never_closes_loses_no_row_in_silence(tmp_path, capsys):
    path = tmp_path / "table.csv"
    table().assign(name="School").to_csv(path, index=False)
    lines = path.read_text().splitlines()
    lines[30] = lines[30].replace("School", '"School')
    path.write_text("\n".join(lines) + "\n")
    code = main(["did", str(path), *COLUMNS])
    assert code == 2
    assert "line 31" in capsys.readouterr().err


def test_a_covariate_that_all_comparison_units_lack_is_named(tmp_path, capsys):
    frame = table().assign(pupils=lambda f: np.where(f["first"] == "", "", "200"))
    code, _, err = did(frame, tmp_path, capsys, "--covariates", "pupils")
    assert code == 2
    assert "'pupils'" in err
    assert "30" in err


@pytest.mark.parametrize("length", [131_073, 140_000, 196_000, 262_145, 400_000])
@pytest.mark.parametrize("before", [0, 1_000, 65_000])
def test_a_cell_past_the_limit_is_refused_wherever_it_begins(tmp_path, length, before):
    path = tmp_path / "table.csv"
    lines = ["id,x", *(f"{at},1" for at in range(before)), f"{before},{'9' * length}", "last,2"]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(DataError, match=f"line {before + 2}: a cell has more than 131,072 characters"):
        read_columns(path, ["id"], ["x"])


@pytest.mark.parametrize("blank", [" ", "  ", "\t", " NA "])
def test_a_blank_is_no_id_and_no_category(tmp_path, blank):
    path = tmp_path / "table.csv"
    path.write_text(f"id,x\nA,1\n{blank},2\n", encoding="utf-8")
    assert read_columns(path, ["id"], ["x"]).texts["id"].isna().tolist() == [False, True]


def test_bytes_of_zero_are_refused(tmp_path):
    path = tmp_path / "table.csv"
    for content in (b"id,x\nA\0,1\nB,2\n", "id,x\nA,1\n".encode("utf-16-le")):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"bytes of zero.*UTF-8"):
            read_columns(path, ["id"], ["x"])


@pytest.mark.parametrize("year", [9999, -2016, 20190])
def test_a_period_far_from_all_others_is_a_slip(tmp_path, capsys, year):
    frame = table().astype({"year": object})
    frame.loc[7, "year"] = str(year)
    code, _, said = did(frame, tmp_path, capsys)
    assert code == 2
    if year != 20190:
        assert f"1 row has the period {year}, far from all others (2014 to 2018)" in said


def test_counts_of_days_are_periods(tmp_path, capsys):
    days = {2014: 0, 2015: 100, 2016: 200, 2017: 365, 2018: 400}
    frame = table(lambda year: str(days.get(year, "")))
    assert did(frame, tmp_path, capsys)[0] == 0


def test_blank_lines_without_end_are_too_many_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_records, "MOST_ROWS", 1_000)
    path = tmp_path / "table.csv.gz"
    path.write_bytes(gzip.compress(b"id,x\nA,1\n" + b"\n" * 3_000_000))
    with pytest.raises(DataError, match="more than 1,000 rows"):
        read_columns(path, ["id"], ["x"])


def test_a_table_of_as_many_rows_as_are_read_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_records, "MOST_ROWS", 1_000)
    path = tmp_path / "table.csv"
    for n, fits in ((1_000, True), (1_001, False)):
        path.write_text("id,x\n" + "".join(f"{at},1\n" for at in range(n)), encoding="utf-8")
        if fits:
            assert read_columns(path, ["id"], ["x"]).n_rows == n
        else:
            with pytest.raises(DataError, match="more than 1,000 rows"):
                read_columns(path, ["id"], ["x"])


@pytest.mark.parametrize(
    ("kind", "fits", "merged"), [("float32", 16_777_216, 16_777_218), ("float64", 2**53, 2**53 + 2)]
)
def test_ids_that_a_float_cannot_hold_apart_are_refused(tmp_path, kind, fits, merged):
    path = tmp_path / "table.parquet"
    for last, is_read in ((fits, True), (merged, False)):
        pd.DataFrame({"id": np.array([100_001, last], dtype=kind), "x": [1.0, 2.0]}).to_parquet(path)
        if is_read:
            assert read_columns(path, ["id"], ["x"]).texts["id"].tolist() == ["100001", str(fits)]
        else:
            with pytest.raises(DataError, match=f"row 2: {merged} in the column 'id' is an id stored as"):
                read_columns(path, ["id"], ["x"])


def test_a_column_of_texts_is_not_mended_cell_by_cell(tmp_path, capsys):
    frame = table()
    frame["kind"] = np.where(frame["school"].astype(int) % 2, "Free school", "Converter academy")
    frame["kind"] = frame["kind"].where(frame.index > 0, "z")  # a code does not make it a column of numbers
    code, _, said = did(frame, tmp_path, capsys, "--covariates", "kind")
    assert code == 2
    assert "line 3: 'Converter academy' in the column 'kind' is not a number" in said
    assert "No cell of the column is one. Name a column of numbers, or make one of 0 and 1 for each category" in said
    frame["kind"] = (frame["kind"] == "Free school").astype(int)
    assert did(frame, tmp_path, capsys, "--covariates", "kind")[0] == 0
