"""The published files at hand, imported: rows as counted with other tools, and every cell back to the letter."""

import json

import pytest

from evalkit.data.files.members import Member
from evalkit.data.files.raw_table import RawTable
from evalkit.data.store.importing import import_folder


@pytest.mark.slow
def test_rows_of_every_file_are_those_counted_by_hand_and_every_cell_comes_back(shared_files, tmp_path):
    store = import_folder(shared_files, tmp_path / "store")
    by_name = {entry.name: entry for entry in store.entries}
    expected = json.loads((shared_files / "expected.json").read_text(encoding="utf-8"))
    found = {one["file"]: (by_name[one["file"]].contents.rows, by_name[one["file"]].is_used) for one in expected}
    assert found == {one["file"]: (one["rows"], True) for one in expected}
    for entry in (entry for entry in store.entries if entry.copy):
        raw = Member(entry.name, shared_files / entry.on_disk, entry.inner, entry.nested)
        assert store.read(entry.name).equals(RawTable(raw, entry.sheet).read()), entry.name
    assert all(entry.is_used or entry.reason for entry in store.entries)
