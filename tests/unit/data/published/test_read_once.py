"""A file without results is read once in a process while it stays the same; no caller changes what another gets."""

import os
from pathlib import Path

import pytest

from evalkit.core.errors import DataError
from evalkit.data.published.project_data import _read_once
from evalkit.data.published.tables import read_table

CALLS: list[Path] = []


def read(path: Path) -> dict[str, list[str]]:
    CALLS.append(path)
    return {"lines": path.read_text().splitlines()}


@pytest.fixture
def file(tmp_path):
    CALLS.clear()
    path = tmp_path / "a.csv"
    path.write_text("A\n1\n")
    return path


def test_a_file_is_read_once_and_again_when_it_has_changed(file):
    assert _read_once(read, file) == _read_once(read, file) == {"lines": ["A", "1"]}
    assert len(CALLS) == 1
    file.write_text("A\n2\n")
    os.utime(file, ns=(1, 1))  # the same size, at another time
    assert _read_once(read, file) == {"lines": ["A", "2"]}
    assert len(CALLS) == 2


def test_what_one_caller_changes_the_next_does_not_see(file):
    _read_once(read, file)["lines"].append("changed")
    assert _read_once(read, file) == {"lines": ["A", "1"]}


def test_a_missing_file_is_told_as_ever(tmp_path):
    with pytest.raises(DataError, match="there is no such file"):
        _read_once(lambda path: read_table(path, ["A"]), tmp_path / "missing.csv")
