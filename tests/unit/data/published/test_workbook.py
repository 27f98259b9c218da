"""A workbook that is padded, swollen or damaged ends in a sentence, soon, and a sound one is read whole."""

import zipfile

import openpyxl
import pytest

from evalkit.core.errors import DataError
from evalkit.data.published import tables as workbook
from evalkit.data.published.tables import sheet_rows


@pytest.fixture
def plain(tmp_path):
    book = openpyxl.Workbook()
    book.active.title = "List"
    for cells in ([1, "a", None, 3.5], [], [2, "b"]):
        book.active.append(cells)
    book.save(tmp_path / "plain.xlsx")
    return tmp_path / "plain.xlsx"


def changed(path, change, name="xl/worksheets/sheet1.xml"):
    """Write a workbook again with one part changed."""
    with zipfile.ZipFile(path) as archive:
        parts = {part: archive.read(part) for part in archive.namelist()}
    parts[name] = change(parts.get(name, b""))
    other = path.with_name("changed.xlsx")
    with zipfile.ZipFile(other, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, content in parts.items():
            archive.writestr(part, content)
    return other


def outcome(path):
    """Return how many rows were read, or what was said."""
    try:
        return f"{len(sheet_rows(path, 'List', 4))} rows"
    except DataError as said:
        return str(said)


def test_rows_that_hold_something_each_with_as_many_cells_as_asked_for(plain):
    assert sheet_rows(plain, "List", 5) == [(1, "a", None, 3.5, None), (2, "b", None, None, None)]


def test_what_a_sheet_says_of_its_size_is_not_believed(plain):
    other = changed(plain, lambda xml: xml.replace(b'ref="A1:D3"', b'ref="A1"'))
    assert len(sheet_rows(other, "List", 3)) == 2


def test_rows_and_cells_that_are_only_formatted_are_passed_over(plain):
    blank = b"".join(b'<row r="%d"><c r="A%d" s="0"/></row>' % (at, at) for at in range(4, 30_000))
    last = b'<row r="900000"><c r="XFD900000" s="0"/></row></sheetData>'
    other = changed(plain, lambda xml: xml.replace(b"</sheetData>", blank + last))
    assert [row[0] for row in sheet_rows(other, "List", 4)] == [1, 2]


@pytest.mark.parametrize("number", [b"999999999999", b"-5", b"x"])
def test_a_row_number_beyond_all_sheets_ends_in_a_sentence_or_is_passed_over(plain, number):
    row = b'<row r="' + number + b'"><c r="A1"><v>7</v></c></row></sheetData>'
    other = changed(plain, lambda xml: xml.replace(b"</sheetData>", row))
    assert outcome(other) in ("2 rows", "3 rows") or "damaged" in outcome(other)


def test_a_part_that_swells_is_refused_before_it_is_read(plain):
    other = changed(plain, lambda xml: xml + b" " * (workbook.MOST_BYTES + 1))
    assert other.stat().st_size < 200_000
    with pytest.raises(DataError, match=r"changed.xlsx: a part of the workbook holds more than 20 MB once unpacked"):
        sheet_rows(other, "List", 4)


def test_a_list_longer_than_any_is_refused(plain, monkeypatch):
    monkeypatch.setattr(workbook, "MOST_ROWS", 1)
    with pytest.raises(DataError, match=r"more than 1 rows.*download it again"):
        sheet_rows(plain, "List", 4)


@pytest.mark.parametrize(
    "name", ["[Content_Types].xml", "xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/_rels/workbook.xml.rels"]
)
@pytest.mark.parametrize("content", [b"", b"<a>", b"\x00\xff", b"<a/>", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'])
def test_a_damaged_part_ends_in_a_sentence_that_names_the_file(plain, name, content):
    other = changed(plain, lambda _: content, name)
    assert outcome(other) == "0 rows" or outcome(other).startswith("changed.xlsx: ")


def test_entities_that_grow_are_not_followed(plain):
    levels = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    bomb = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "ha">{levels}]><x>&a11;</x>'.encode()
    for name in ("xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "[Content_Types].xml"):
        other = changed(plain, lambda _: bomb, name)
        assert any(words in outcome(other) for words in ("damaged", "no sheet", "rows"))
