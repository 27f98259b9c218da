"""CSV files as published: every cell to the letter, and what is wrong with a file told with its line."""

import gzip
import random

import pytest

from evalkit.core.errors import DataError
from evalkit.data.files import csv_blocks as module
from evalkit.data.files.members import member_of
from evalkit.data.files.raw_table import RawTable


def table(tmp_path, content: bytes, name: str = "t.csv") -> RawTable:
    path = tmp_path / name
    path.write_bytes(content)
    return RawTable(member_of(path))


def rows(tmp_path, content: bytes, name: str = "t.csv") -> list[list[object]]:
    """Return the cells of a file, None where a cell is missing."""
    frame = table(tmp_path, content, name).read()
    return [[None if cell != cell else cell for cell in row] for row in frame.to_numpy().tolist()]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a,b\n1,NA\n,SUPP\n", [["1", "NA"], ["", "SUPP"]]),
        (b"\xef\xbb\xbfa,b\r\n1, \r\n", [["1", " "]]),
        (b"a,b,c\n1\n1,2\n1,2,3\n", [["1", None, None], ["1", "2", None], ["1", "2", "3"]]),
        (b"a,b\n1,2,,\n3,4,\n", [["1", "2"], ["3", "4"]]),
        (b'a,b\n"x, ""y""\nz",2\n', [['x, "y"\nz', "2"]]),
        (b"a;b\n1,5;2\n", [["1,5", "2"]]),
        (b"a\tb\n1\t2", [["1", "2"]]),
        (b"a,b\r1,2\r3,4\r", [["1", "2"], ["3", "4"]]),
        (b"a,b\n\n1,2\n\r\n3,4\n\n", [["1", "2"], ["3", "4"]]),
        (b'a,b\n5" pipe,x"y\n', [['5" pipe', 'x"y']]),
        ("a,b\né,£\n".encode("cp1252"), [["é", "£"]]),
        ("a,b\né,£\n".encode(), [["é", "£"]]),
        (b"a\n1\n2", [["1"], ["2"]]),
        (b'a,b\n"",""\n', [["", ""]]),
        (b'\n\r\n"a","b"\n1,2\n5" pipe,3\n', [["1", "2"], ['5" pipe', "3"]]),
    ],
    ids=range(15),
)
def test_cells_are_as_published(tmp_path, content, expected):
    assert rows(tmp_path, content) == expected
    assert rows(tmp_path, gzip.compress(content), "t.csv.gz") == expected


@pytest.mark.parametrize("size", [7, 64, 1000])
def test_blocks_of_any_size_give_the_same_rows(tmp_path, monkeypatch, size):
    random.seed(1)
    cells = ["1", "", "NA", "é", '"x,y"', '"a\nb"', '"q""q"', " ", "12345"]
    lines = [",".join(random.choice(cells) for _ in range(random.choice([2, 4, 4, 4, 4]))) for _ in range(200)]
    content = ("a,b,c,d\n" + "\n".join(lines) + "\n").encode()
    whole = rows(tmp_path, content)
    monkeypatch.setattr(module, "BLOCK_BYTES", size)
    assert rows(tmp_path, content) == whole
    assert len(whole) == 200


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", r"t\.csv: the file is empty"),
        (b"\xef\xbb\xbf\r\n", "the file is empty"),
        (b"a,b\n1,2\n3,4,5\n", "line 3 has 3 cells where the header has 2"),
        (b'a,b\n1,2\n"x\ny",3\n3,4,5\n', "line 5 has 3 cells"),
        (b"a,b,c\n1,2,3\n4,5", "line 3: the file is cut short"),
        (b'a,b,c\n1,2,3\n4,"5,6\n7,8,9\n', "line 3: a quotation mark opens a cell there that never closes"),
        (b'a;b;c\n1;2;3\n4;"5;6\n7;8;9\n', "a quotation mark opens a cell"),
        (b"a,b\n1,2\n3,\x00\n", "line 3: the file holds bytes of zero"),
        ("a,b\n1,2\n".encode("utf-16"), "line 1: the file is saved as UTF-16"),
        (b"<!DOCTYPE html>\n<html><body>404</body></html>", "line 1: the file is a web page, not a table"),
        (b"\n  <html>\n", "web page"),
        (b"a,b\n1,2\n" + b"x" * 200_000 + b",1\n", "line 3: a cell has more than 131,072 characters"),
        (b"a,b\n1,2\n3,\x81\n", "line 3: the file is neither UTF-8 nor Windows-1252"),
        (b"PK\x03\x04" + b"x" * 50, "damaged or no workbook"),
    ],
    ids=range(14),
)
def test_what_is_wrong_is_told_with_the_line(tmp_path, content, said):
    with pytest.raises(DataError, match=said) as raised:
        table(tmp_path, content).read()
    assert str(raised.value).startswith("t.csv: ")


def test_a_file_that_changes_its_encoding_on_the_way_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "BLOCK_BYTES", 50)
    content = b"a,b\n" + "é,1\n".encode() * 30 + "é,1\n".encode("cp1252")
    with pytest.raises(DataError, match="line 32: the file is neither UTF-8"):
        table(tmp_path, content).read()


def test_windows_letters_late_in_a_file_make_the_whole_of_it_windows(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "BLOCK_BYTES", 50)
    assert rows(tmp_path, b"a,b\n" + b"x,1\n" * 30 + "é,2\n".encode("cp1252"))[-1] == ["é", "2"]


def test_a_truncated_gzip_is_told(tmp_path):
    whole = gzip.compress(b"a,b\n" + b"".join(b"%d,2\n" % n for n in range(9000)))
    with pytest.raises(DataError, match="damaged or cut short"):
        table(tmp_path, whole[:-900], "t.csv.gz").read()


def test_a_line_of_a_gigabyte_is_refused_after_a_few_megabytes(tmp_path):
    path = tmp_path / "t.csv"
    with path.open("wb") as file:
        file.write(b"a,b\n")
        for _ in range(40):
            file.write(b"x" * 1_000_000)
    with pytest.raises(DataError, match="line 2: a cell has more than"):
        RawTable(member_of(path)).n_rows()


def test_repeated_and_blank_names_can_be_asked_for(tmp_path):
    found = table(tmp_path, b",SNP,SNP,SNP.1\n1,2,3,4\n")
    assert found.peek.columns == ("Unnamed: 0", "SNP", "SNP.1", "SNP.1.1")
    assert found.read(["SNP.1"]).to_numpy().tolist() == [["3"]]


def test_columns_come_under_the_names_asked_for(tmp_path):
    found = table(tmp_path, b"URN,Name,x\n1,A,2\n")
    assert found.read(["name", "urn"]).to_dict("records") == [{"name": "A", "urn": "1"}]
    with pytest.raises(DataError, match=r"no column Nane.*Name"):
        found.read(["Nane"])


def test_counts_are_of_each_combination_once(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "BLOCK_BYTES", 20)
    found = table(tmp_path, b"a,b\n" + b"1,x\n2,y\n1,x\n" * 10).counts(["a", "b"])
    assert found.sort_values("a").to_numpy().tolist() == [["1", "x", 20], ["2", "y", 10]]


def test_a_header_alone_gives_no_rows(tmp_path):
    found = table(tmp_path, b"a,b\n").read()
    assert list(found.columns) == ["a", "b"]
    assert len(found) == 0
