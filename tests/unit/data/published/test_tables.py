"""A file that is not the table it claims to be is refused in one sentence."""

import csv
import gzip

import pytest

from evalkit.core.errors import DataError
from evalkit.data.files.members import member_of
from evalkit.data.files.raw_table import RawTable
from evalkit.data.published.tables import _cells_of_rows, has_columns, read_table

GOOD = "URN,READPROG,SCHNAME\r\n100001,1.5,One\r\n100002,SUPP,Two\r\n"


def written(folder, content, name="table.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


def refusal(path, columns=("URN", "READPROG"), **more):
    with pytest.raises(DataError) as refused:
        read_table(path, list(columns), **more)
    message = str(refused.value)
    assert path.name in message
    return message


def test_cells_are_text_exactly_as_published(tmp_path):
    path = written(tmp_path, "\ufeffA,B,C\r\n007, ,NA\r\n1.50,,94%\r\n3\r\n")
    frame = read_table(path, ["C", "A"], optional=["B", "ABSENT"], ragged=True)
    assert list(frame) == ["C", "A", "B"]
    assert frame.loc[0].tolist() == ["NA", "007", " "]
    assert frame.loc[1].tolist() == ["94%", "1.50", ""]
    assert frame.loc[2].isna().tolist() == [True, False, True]  # the third row ends after A


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_a_mark_and_the_source_s_own_encoding_are_read(tmp_path, encoding):
    path = written(tmp_path, "URN,NAME\n1,École\n".encode(encoding))
    declared = "cp1252" if encoding == "cp1252" else "utf-8-sig"
    assert read_table(path, ["NAME"], encoding=declared)["NAME"].tolist() == ["École"]
    if encoding == "utf-8-sig":  # the mark wins over what the source usually publishes in
        assert read_table(path, ["URN", "NAME"], encoding="cp1252")["NAME"].tolist() == ["École"]


def test_a_row_with_one_cell_too_many_does_not_move_the_others(tmp_path):
    path = written(tmp_path, "URN,READPROG\n100001,1.5,\n100002,2.5,\n")
    assert read_table(path, ["URN", "READPROG"]).to_numpy().tolist() == [["100001", "1.5"], ["100002", "2.5"]]


def test_a_missing_file(tmp_path):
    assert "there is no such file" in refusal(tmp_path / "absent.csv")


def test_a_folder(tmp_path):
    (tmp_path / "table.csv").mkdir()
    assert "a folder, not a table" in refusal(tmp_path / "table.csv")


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\r\n\r\n"])
def test_an_empty_file(tmp_path, content):
    assert "the file is empty" in refusal(written(tmp_path, content))


def test_a_compressed_file_cut_short(tmp_path):
    whole = gzip.compress((GOOD * 200).encode(), mtime=0)
    assert "damaged or cut short" in refusal(written(tmp_path, whole[: len(whole) // 2], "table.csv.gz"))


def test_a_file_that_is_called_compressed_and_is_not_is_read_as_what_it_is(tmp_path):
    plain, called = written(tmp_path, GOOD), written(tmp_path, GOOD, "table.csv.gz")
    assert read_table(called, ["URN", "READPROG"]).equals(read_table(plain, ["URN", "READPROG"]))


@pytest.mark.parametrize("cut", [8, 14])
def test_a_table_cut_short_in_a_row(tmp_path, cut):
    # 8 bytes off ends in '100002,SUPP' with a cell missing, 14 in '1000': both break the last line off.
    assert "cut short" in refusal(written(tmp_path, GOOD[:-cut]))


def test_a_table_without_a_last_line_end_is_whole(tmp_path):
    assert len(read_table(written(tmp_path, GOOD.rstrip()), ["URN"])) == 2


def test_a_table_cut_short_in_a_quoted_cell(tmp_path):
    assert "cut short" in refusal(written(tmp_path, 'URN,READPROG\n1,"2.5\n3,4\n'))


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_another_encoding(tmp_path, encoding):
    text = GOOD.replace("One", "École")
    assert "encoding" in refusal(written(tmp_path, text.encode(encoding)), ["URN", "READPROG", "SCHNAME"])


def test_a_renamed_column_with_the_nearest_name(tmp_path):
    message = refusal(written(tmp_path, GOOD.replace("READPROG", "READPRGO")))
    assert "no column READPROG" in message
    assert "Did you mean 'READPRGO'?" in message


def test_a_column_that_stands_there_twice(tmp_path):
    assert "URN stands there twice" in refusal(written(tmp_path, "URN,READPROG,URN\n1,2,3\n"))


def test_a_web_page_instead_of_a_table(tmp_path):
    page = "<!DOCTYPE html>\n<html><body>Sorry, this page is not available</body></html>\n"
    message = refusal(written(tmp_path, page))
    assert "no column URN" in message
    assert "<!DOCTYPE html>" in message


def test_rows_that_must_not_be_read_are_not(tmp_path):
    frame = read_table(written(tmp_path, GOOD), ["URN"], skip_rows=lambda row: row == 1)
    assert frame["URN"].tolist() == ["100002"]


@pytest.mark.parametrize(
    "text",
    [
        "A,B\n1,2\n3\n",
        'A,B\n"1,2",3\n4,"x""y"\n5\n',
        'A,B\n"1\n2",3\n4\n',  # a cell over two lines
        "A,B\r\n1,2\r\n\r\n3\r\n",
        "A,B\r1,2\r3,\r",
        'A,B\n1,x"y\n"",""\n,\n2,z"w\n',  # marks within cells, one a line
        "A,B\n1,2",
        "A,B\n1,\u2028 2\x0b\n3\n",  # not the ends of lines that a table has
    ],
)
def test_cells_are_counted_as_the_parser_of_the_standard_library_counts_them(tmp_path, text):
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode())
    with path.open(encoding="utf-8", newline="") as stream:
        parsed = [len(row) for row in csv.reader(stream)]
    with path.open(encoding="utf-8", newline="") as stream:
        assert _cells_of_rows(list(stream)) == parsed


def test_columns_are_found_in_any_case_of_letters_under_the_names_asked_for(tmp_path):
    path = written(tmp_path, "urn,ReadProg\r\n100001,1.5\r\n100002\r\n")
    frame = read_table(path, ["READPROG", "URN"], optional=["urn2"], ragged=True)
    assert list(frame) == ["READPROG", "URN"]
    assert frame["READPROG"].isna().tolist() == [False, True]
    assert has_columns(path, ["URN", "READPROG"])


def test_of_columns_that_differ_in_case_alone_the_one_named_is_read_and_two_others_are_refused(tmp_path):
    path = written(tmp_path, "urn,URN,a,A\n1,2,3,4\n")
    assert read_table(path, ["URN"])["URN"].tolist() == ["2"]
    assert RawTable(member_of(path)).read(["URN"])["URN"].tolist() == ["2"]
    assert RawTable(member_of(path)).peek.cells("URN") == ("2",)
    said = "the columns urn and URN differ in the case of letters alone"
    assert said in refusal(path, ["Urn"])
    with pytest.raises(DataError, match=said):
        RawTable(member_of(path)).read(["Urn"])
