"""Every file below a folder, archives looked into, and a reason for each that is not opened."""

import gzip
import io
import os
import zipfile

import pytest

from evalkit.core.errors import DataError
from evalkit.data.files import members as module
from evalkit.data.files.members import member_of, members, sha256_of
from evalkit.data.files.raw_table import RawTable


def packed(**files: bytes) -> bytes:
    """Return an archive of files; `__` stands for a point."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "."), content)
    return out.getvalue()


def told(folder):
    return {one.name: one.problem for one in members(folder)}


def test_files_of_folders_and_archives_are_named_by_their_paths(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "x.csv").write_bytes(b"a\n1\n")
    (tmp_path / "a.zip").write_bytes(packed(one__csv=b"a\n1\n", two__csv=b"a\n2\n"))
    assert list(told(tmp_path)) == ["a.zip/one.csv", "a.zip/two.csv", "b/x.csv"]


def test_a_file_is_read_unpacked_wherever_it_lies(tmp_path):
    inner = packed(deep__csv=b"deep")
    (tmp_path / "a.zip").write_bytes(packed(b__zip=inner, c__csv__gz=gzip.compress(b"zipped")))
    (tmp_path / "named.csv").write_bytes(gzip.compress(b"no ending says so"))
    read = {}
    for one in members(tmp_path):
        with one.open() as stream:
            read[one.name] = stream.read()
    assert read == {"a.zip/b.zip/deep.csv": b"deep", "a.zip/c.csv.gz": b"zipped", "named.csv": b"no ending says so"}


def test_an_archive_within_two_others_is_one_entry_with_the_reason(tmp_path):
    (tmp_path / "a.zip").write_bytes(packed(b__zip=packed(c__zip=packed(d__csv=b"x"))))
    found = told(tmp_path)
    assert list(found) == ["a.zip/b.zip/c.zip"]
    assert "archive in an archive in an archive" in found["a.zip/b.zip/c.zip"]


@pytest.mark.parametrize("content", [b"", b"not an archive", packed(a__csv=b"1" * 999)[:-40]], ids=range(3))
def test_a_damaged_archive_is_one_entry_with_the_reason(tmp_path, content):
    (tmp_path / "a.zip").write_bytes(content)
    (tmp_path / "b.csv").write_bytes(b"a\n")
    found = told(tmp_path)
    assert "damaged or cut short" in found["a.zip"]
    assert found["b.csv"] == ""


def test_files_of_the_system_are_told_and_not_opened(tmp_path):
    (tmp_path / ".DS_Store").write_bytes(b"x")
    (tmp_path / "table.csv.crdownload").write_bytes(b"x")
    (tmp_path / "~$book.xlsx").write_bytes(b"x")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("__MACOSX/._a.csv", b"x")
    (tmp_path / "a.zip").write_bytes(archive.getvalue())
    found = told(tmp_path)
    assert "hidden" in found[".DS_Store"]
    assert "has not ended" in found["table.csv.crdownload"]
    assert "spreadsheet program" in found["~$book.xlsx"]
    assert "operating system" in found["a.zip/__MACOSX/._a.csv"]


def test_links_are_told_and_never_followed_out(tmp_path):
    folder, outside = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    outside.mkdir()
    (outside / "secret.csv").write_bytes(b"a\n")
    (folder / "a.csv").write_bytes(b"a\n")
    os.symlink(outside / "secret.csv", folder / "file.csv")
    os.symlink(outside, folder / "folder")
    os.symlink(folder / "a.csv", folder / "same.csv")
    os.symlink(folder / "nothing", folder / "broken.csv")
    found = told(folder)
    assert "leads out" in found["file.csv"]
    assert "leads out" in found["folder"]
    assert "a.csv, which is read there" in found["same.csv"]
    assert "not there" in found["broken.csv"]
    assert len(found) == 5


def test_an_encrypted_member_and_one_named_twice_are_told(tmp_path):
    content = bytearray(packed(a__csv=b"x" * 20))
    at = content.index(b"PK\x01\x02")
    content[at + 8] |= 1  # the bit that says it is encrypted
    (tmp_path / "a.zip").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as made:
        made.writestr("x.csv", b"1")
        with pytest.warns(UserWarning, match="Duplicate"):
            made.writestr("x.csv", b"2")
    found = [(one.name, one.problem) for one in members(tmp_path)]
    assert "encrypted" in found[0][1]
    assert found[1] == ("b.zip/x.csv", "")
    assert "stands twice" in found[2][1]


def test_a_file_that_unpacks_to_far_more_than_a_table_is_refused_before_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "FREE_BYTES", 1_000_000)
    (tmp_path / "a.zip").write_bytes(packed(a__csv=b"a,b\n" * 1_000_000, b__csv=b"a,b\n" * 100_000))
    found = told(tmp_path)
    assert "more than 250 times its size" in found["a.zip/a.csv"]
    assert found["a.zip/b.csv"] == ""


def test_a_gzip_that_unpacks_to_far_more_than_a_table_ends_in_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "FREE_BYTES", 1_000_000)
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n" * 1_000_000))
    with pytest.raises(DataError, match=r"a\.csv\.gz: the file unpacks to more than 2 MB, far more than a table"):
        RawTable(member_of(path)).n_rows()


def test_digests_are_of_the_file_as_it_lies_and_of_what_is_in_it(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"same")
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(b"same"))
    plain, zipped = members(tmp_path)
    assert sha256_of(plain) != sha256_of(zipped)
    assert sha256_of(plain) == sha256_of(plain, is_unpacked=True) == sha256_of(zipped, is_unpacked=True)
