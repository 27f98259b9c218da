"""No path of one machine, no stored output and no package index stands in the project's files."""

import json
import re

import pytest
from source_tree import project_files, shown

ROOTS = ["work", "tmp", "root", "farm", "home", "Users", "opt"]
# a path that starts at a machine's root; not a part of a longer path or of an address
MACHINE_PATH = re.compile(rf"(?<![\w.:/\-~}}>])/(?:{'|'.join(ROOTS)})/[\w.]|\b[A-Z]:\\+Users\\+")
BINARY = {".png", ".gz", ".parquet", ".xlsx", ".woff2"}
FILES = project_files()
MOST_KIB = 1024


def text_of(path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


@pytest.mark.parametrize("line", ["open('{}tmp/x')", 'x = "{}home/ann/data"', "# {}work/main", "{}root/.venv"])
def test_a_path_of_one_machine_is_found(line):
    assert MACHINE_PATH.search(line.format("/"))


@pytest.mark.parametrize("line", ["https://example.org{}home/page", "data{}root/file", "..{}work/x"])
def test_a_relative_path_or_an_address_is_not(line):
    assert not MACHINE_PATH.search(line.format("/"))


def test_no_file_names_a_path_of_one_machine():
    found = [
        f"{shown(path)}:{number}: {line.strip()[:100]}"
        for path in FILES
        if path.suffix not in BINARY
        for number, line in enumerate(text_of(path).splitlines(), start=1)
        if MACHINE_PATH.search(line)
    ]
    assert found == []


def test_no_notebook_has_stored_output():
    notebooks = [path for path in FILES if path.suffix == ".ipynb"]
    cells = [(path, cell) for path in notebooks for cell in json.loads(text_of(path))["cells"]]
    assert [shown(path) for path, cell in cells if cell.get("outputs")] == []


def test_no_file_is_large():
    sizes = {shown(path): path.stat().st_size // 1024 for path in FILES}
    assert {name: size for name, size in sizes.items() if size > MOST_KIB} == {}


def test_no_output_or_raw_data_is_tracked():
    kept = {"outputs/.gitkeep"}
    folders = ("outputs/", "data/raw/", "data/processed/")
    assert [shown(path) for path in FILES if shown(path).startswith(folders) and shown(path) not in kept] == []
