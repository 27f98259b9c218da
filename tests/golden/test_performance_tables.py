"""Performance tables of two authorities against an independent reading of their rows, numbers and sums."""

import json

import pytest

from evalkit import read_performance_table
from evalkit.data.files.members import member_of
from evalkit.data.files.raw_table import RawTable
from evalkit.data.layouts.registry import layouts
from tests.conftest import ROOT

FOLDER = ROOT.parent / "shared" / "files"
KNOWN = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8")) if FOLDER.is_dir() else []
TABLES = [one for one in KNOWN if one["file"].startswith("performance-tables/")]
needs_files = pytest.mark.skipif(
    not TABLES, reason="needs the published files in ../shared/files, which are not on this machine"
)


@needs_files
@pytest.mark.parametrize("expected", TABLES, ids=lambda one: one["file"][-22:])
def test_schools_numbers_and_sums_are_those_of_another_reading(expected):
    path = FOLDER / expected["file"]
    sums = {name: known for name, known in expected.items() if isinstance(known, dict) and set(known) == {"n", "sum"}}
    assert len(sums) >= 3
    table = read_performance_table(path, list(sums))
    assert len(table.schools) == expected["school_rows"]
    assert int(table.schools["is_special"].sum()) == expected["rectype"]["2"]
    assert table.summer == int(path.name[5:9])
    for name, known in sums.items():
        assert table.values[name].notna().sum() == known["n"]
        assert table.values[name].sum() == pytest.approx(known["sum"], abs=1e-6)
        assert ((table.reasons[name] == "") == table.values[name].notna()).all()


@needs_files
@pytest.mark.parametrize("expected", TABLES, ids=lambda one: one["file"][-22:])
def test_the_catalogue_counts_the_same_rows_and_says_the_same_year(expected):
    table = RawTable(member_of(FOLDER / expected["file"]))
    (layout,) = [one for one in layouts() if one.fits(table.peek)]
    found = layout.contents(table)
    assert found.rows == expected["rows"]
    assert found.years == (int(expected["file"].rpartition("/")[2][5:9]),)
    assert found.areas == ("936",)
