"""Neighbour workbooks: read in order, and refused where they are none."""

import openpyxl
import pytest

from evalkit.core.errors import DataError
from evalkit.data.published.neighbours import read_neighbours
from evalkit.report.tables.similar import published_neighbours

HEADER = ["LA num", "LA Name", "LA number", "GOInd", "GOReg", *(x for k in range(1, 11) for x in (f"SN{k}", "SNP"))]


def row(code, name, region, *neighbours):
    cells = [code, name, code, 5, region]
    for neighbour in neighbours:
        cells += [neighbour, "Close"]
    return cells


def workbook(path, rows, sheet="LA SN Groups"):
    book = openpyxl.Workbook()
    book.active.title = sheet
    for cells in rows:
        book.active.append(cells)
    book.save(path)
    return path


def test_neighbours_nearest_first_with_names_and_regions(tmp_path):
    rows = [
        ["A", "B"], [1, 2], HEADER,
        row(340, "Knowsley", "North West", 341, "-", 344),
        row("341", "Liverpool", "North West", 340, 344),
        [None], [None, "Old SNs:"], [None],
        row(837, "Poole", "South West", 839), row(340, "again", "Nowhere", 999),
    ]  # fmt: skip
    table = read_neighbours(workbook(tmp_path / "sn.xlsx", rows))
    assert table.of(340) == (341, 344)  # a dash is no code; the first row of an area counts
    assert table.of(341) == (340, 344)
    assert table.of(837) == (839,)
    assert table.of(999) == ()
    assert table.names[340] == "Knowsley"
    assert table.regions[837] == "South West"
    # 340 has ten places, two codes: 8 are none; 341 8; 837 9
    assert table.n_not_codes == 8 + 8 + 9


def test_a_file_that_is_no_workbook(tmp_path):
    for content in (b"LA num,LA Name\n", b"", b"<!DOCTYPE html><html></html>", b"PK\x03\x04 not really"):
        path = tmp_path / "sn.xlsx"
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"sn\.xlsx: the file is not an Excel workbook"):
            read_neighbours(path)


def test_a_damaged_workbook(tmp_path):
    path = workbook(tmp_path / "sn.xlsx", [HEADER, *(row(n, f"Area {n}", "North", 101) for n in range(100, 400))])
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 80] = bytes(80)
    path.write_bytes(bytes(content))
    with pytest.raises(DataError, match="damaged"):
        read_neighbours(path)


def test_a_workbook_cut_short(tmp_path):
    path = workbook(tmp_path / "sn.xlsx", [HEADER, row(100, "Area", "North", 101)])
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(DataError, match="damaged"):
        read_neighbours(path)


def test_another_sheet_or_another_table(tmp_path):
    with pytest.raises(DataError, match="no sheet 'LA SN Groups'"):
        read_neighbours(workbook(tmp_path / "one.xlsx", [HEADER], sheet="Sheet1"))
    with pytest.raises(DataError, match="no row starting 'LA num', 'LA Name'"):
        read_neighbours(workbook(tmp_path / "two.xlsx", [["Code", "Area"], [340, "Knowsley"]]))


def test_a_missing_workbook(tmp_path):
    with pytest.raises(DataError, match=r"sn\.xlsx: there is no such file"):
        read_neighbours(tmp_path / "sn.xlsx")


def test_ranks_and_closeness(tmp_path):
    rows = [HEADER, row(340, "Knowsley", "North West", 341, 344), row(341, "Liverpool", "North West"),
            row(835, "Dorset (Pre LG)", "South West", 340)]  # fmt: skip
    rows[1][6] = "Extremely Close"
    table = read_neighbours(workbook(tmp_path / "sn.xlsx", rows))
    first, second = table.ranked("knowsley ")
    assert (first.rank, first.code, first.name, first.closeness) == (1, 341, "Liverpool", "Extremely close")
    assert (second.rank, second.name, second.region, second.closeness) == (2, "344", "", "Close")  # not described there
    assert table.ranked(340) == (first, second)
    assert table.ranked(341) == ()
    assert table.without_list == (341,)
    with pytest.raises(DataError, match="Did you mean 'Liverpool'"):
        table.ranked("Liverpol")


def test_both_published_workbooks_are_read_whole(shared_data):
    early = read_neighbours(shared_data / "lait" / "sn_april_2021.xlsx")
    late = read_neighbours(shared_data / "lait" / "sn_may_2025.xlsx")
    assert early.without_list == (942, 943)  # Cumberland and Westmorland and Furness, dashes in the workbook
    assert late.without_list == ()
    for table in (early, late):
        assert len(table.names) == 158
        assert {len(found) for found in table.neighbours.values()} <= {0, 10}
        words = {word for found in table.closeness.values() for word in found}
        assert words == {"Extremely close", "Very close", "Close", "Somewhat close", "Not close"}
        assert {code for found in table.neighbours.values() for code in found} <= set(table.names)
    assert [n.name for n in late.ranked("Knowsley")[:2]] == ["St. Helens", "Halton"]
    assert early.ranked(340)[0].closeness == "Very close"


def test_the_table_of_published_neighbours(tmp_path):
    rows = [HEADER, row(340, "Knowsley", "North West", 341), row(341, "Liverpool", "North West")]
    table = read_neighbours(workbook(tmp_path / "sn.xlsx", rows))
    assert published_neighbours(table, 340).table.rows == ((1, "341", "Liverpool", "North West", "Close"),)
    assert "no neighbours" in published_neighbours(table, "Liverpool").to_csv()
