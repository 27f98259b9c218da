"""Workbooks, Parquet and GeoJSON as tables of text, told by what they hold and not by their names."""

import datetime
import io
import json
import zipfile

import openpyxl
import pyarrow as pa
import pytest
from pyarrow import parquet

from evalkit.core.errors import DataError
from evalkit.data.files.members import member_of
from evalkit.data.files.raw_table import RawTable

FEATURES = {
    "type": "FeatureCollection",
    "features": [
        {"type": "Feature", "properties": {"CD": "E08000011", "N": 1.0}, "geometry": {"coordinates": [[1, 2.5e-3]]}},
        {"type": "Feature", "properties": {"CD": "E08000012", "NM": None}, "geometry": None},
    ],
}


def table(tmp_path, content: bytes, name: str) -> RawTable:
    (tmp_path / name).write_bytes(content)
    return RawTable(member_of(tmp_path / name))


def workbook(**sheets) -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize("name", ["t.xlsx", "t.csv", "t"])
def test_a_workbook_is_its_cells_as_text(tmp_path, name):
    rows = [["URN", "score", "date", "flag"], [104413, 0.25, datetime.date(2019, 7, 31), True], [None, "SUPP", None]]
    found = table(tmp_path, workbook(Data=rows), name)
    assert found.peek.columns == ("URN", "score", "date", "flag")
    assert found.read().to_numpy().tolist() == [["104413", "0.25", "2019-07-31", "TRUE"], ["", "SUPP", "", ""]]


def test_each_sheet_is_a_table(tmp_path):
    found = table(tmp_path, workbook(Notes=[["About"]], Data=[["URN"], [1]]), "t.xlsx")
    assert [one.peek.sheet for one in found.sheets()] == ["Notes", "Data"]
    assert found.sheets()[1].read().to_numpy().tolist() == [["1"]]


def test_a_workbook_with_a_cell_far_out_is_refused_before_room_is_made_for_it(tmp_path):
    raw, out = workbook(Data=[["a", "b"], [1, 2]]), io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            new.writestr(part.filename, old.read(part).replace(b'r="B2"', b'r="XFD1048576"'))
    with pytest.raises(DataError, match="larger than is read"):
        table(tmp_path, out.getvalue(), "t.xlsx").read()


@pytest.mark.parametrize("name", ["t.xlsx", "t.xls", "t.ods"])
def test_what_is_no_workbook_is_told(tmp_path, name):
    with pytest.raises(DataError, match="not what its name says"):
        table(tmp_path, b"a,b\n1,2\n", name).read()
    with pytest.raises(DataError, match="damaged or no workbook"):
        table(tmp_path, workbook(Data=[["a"]])[:-200], name).read()


def test_parquet_is_its_values_as_text(tmp_path):
    out = io.BytesIO()
    columns = {"LA": [970.0, 201.0], "value": ["7.0", None], "rate": [0.07, 5.25], "flag": [True, False]}
    parquet.write_table(pa.table(columns), out)
    found = table(tmp_path, out.getvalue(), "t.parquet")
    assert found.peek.rows == (("970", "7.0", "0.07", "true"), ("201", "", "5.25", "false"))
    assert found.read(["value"])["value"].isna().tolist() == [False, True]
    with pytest.raises(DataError, match="not a whole Parquet file"):
        table(tmp_path, out.getvalue()[:-20], "t.parquet").read()


def test_parquet_whose_text_is_none_is_told(tmp_path):
    cells = pa.array([b"A1", b"\xbd\xff"], pa.binary())
    out = io.BytesIO()
    parquet.write_table(pa.table({"name": pa.Array.from_buffers(pa.string(), 2, cells.buffers())}), out)
    with pytest.raises(DataError, match="damaged"):
        table(tmp_path, out.getvalue(), "a.parquet").read()


def test_geojson_is_the_properties_of_its_features(tmp_path):
    found = table(tmp_path, json.dumps(FEATURES).encode(), "t.geojson")
    assert found.peek.form == "geojson"
    assert found.read().fillna("missing").to_numpy().tolist() == [
        ["E08000011", "1", "missing"],
        ["E08000012", "missing", ""],
    ]


def test_damaged_json_is_told_with_its_line(tmp_path):
    with pytest.raises(DataError, match="line 2: the file is no JSON, or is cut short"):
        table(tmp_path, b'{"features":\n [{"properties"', "t.json").read()
    with pytest.raises(DataError, match="neither features nor a list"):
        table(tmp_path, b'{"a": 1}', "t.json").read()
    with pytest.raises(DataError, match="nested too deeply"):
        table(tmp_path, b"[" * 100_000, "t.json").read()
