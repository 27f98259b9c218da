"""Untouched public files, read cell by cell, against an independent count of their rows, codes and sums."""

import json
from collections import Counter

import pandas as pd
import pytest

from evalkit.data.own_tables.csv_records import count_records
from evalkit.data.published.codes import MEANINGS, read_cells
from tests.conftest import ROOT

FOLDER = ROOT.parent / "shared" / "files"
KNOWN = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8")) if FOLDER.is_dir() else []
needs_files = pytest.mark.skipif(
    not KNOWN, reason="needs the published files in ../shared/files, which are not on this machine"
)


def texts(expected):
    return pd.read_csv(FOLDER / expected["file"], dtype=str, keep_default_na=False, encoding=expected["encoding"])


@needs_files
@pytest.mark.parametrize("expected", KNOWN, ids=lambda one: one["file"].rpartition("/")[2])
def test_rows_and_codes_are_all_counted(expected):
    table = texts(expected)
    assert table.shape == (expected["rows"], expected["cols"])
    if expected["encoding"] != "cp1252":
        assert count_records(FOLDER / expected["file"], expected["cols"]) == expected["rows"] + 1
    found: Counter[str] = Counter()
    for column in table:
        found.update(read_cells(table[column]).codes)
    wanted = {code: n for code, n in expected["codes"].items() if code in MEANINGS}
    assert {code: found[code] for code in wanted} == wanted


@needs_files
@pytest.mark.parametrize("expected", [one for one in KNOWN if "rectype" in one], ids=lambda one: one["file"][-22:])
def test_numbers_of_schools_add_up(expected):
    table = texts(expected)
    schools = table[table["RECTYPE"].isin(["1", "2"])]
    assert len(schools) == expected["school_rows"]
    for column, known in expected.items():
        if isinstance(known, dict) and set(known) == {"n", "sum"}:
            cells = read_cells(schools[column])
            assert not cells.is_odd.any()
            assert pd.notna(cells.numbers).sum() == known["n"]
            assert pd.Series(cells.numbers).sum() == pytest.approx(known["sum"], abs=1e-9)
