"""Kinds of Parquet columns: right numbers, or a sentence."""

import datetime
import json
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from evalkit.core.errors import DataError
from evalkit.data.own_tables.columns import read_columns
from tests.match_command import run_match

N = 40


def written(folder, **columns):
    path = folder / "table.parquet"
    parquet.write_table(pa.table(columns), path)
    return path


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array([1, 3, 2]).dictionary_encode(), [1, 3, 2]),
        (pa.array(["1", "3", "2"]).dictionary_encode(), [1, 3, 2]),
        (pa.array(["1", "SUPP", None]), [1, np.nan, np.nan]),
        (pa.array([Decimal("1.25"), Decimal("-3.50"), None], pa.decimal128(9, 2)), [1.25, -3.5, np.nan]),
        (pa.array([1, None, 2], pa.int32()), [1, np.nan, 2]),
        (pa.array([1, 3, 2], pa.uint64()), [1, 3, 2]),
        (pa.array(np.array([0.5, 1, 2], dtype=np.float16)), [0.5, 1, 2]),
        (pa.nulls(3), [np.nan] * 3),
    ],
)
def test_kinds_that_are_numbers(tmp_path, column, expected):
    found = read_columns(written(tmp_path, x=column), (), ("x",))
    np.testing.assert_array_equal(found.numbers["x"], expected)


DAYS = [datetime.datetime(2015, 9, 1), datetime.datetime(2016, 9, 1)]


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (pa.array([True, False]), "'x' holds true and false, not numbers. Write 1 and 0"),
        (pa.array([True, False]).dictionary_encode(), "'x' holds true and false"),
        (pa.array(DAYS), "'x' holds timestamp"),
        (pa.array([[1], [2]]), "'x' holds list"),
        (pa.array([2**60, 2**60 + 1]), "'x' holds whole numbers past 2^53"),
        (pa.array([1, 2**63], pa.uint64()), "'x' holds whole numbers past 2^53"),
    ],
)
def test_kinds_that_are_none_are_refused_by_name(tmp_path, column, said):
    with pytest.raises(DataError, match=said.replace("^", r"\^")):
        read_columns(written(tmp_path, x=column), (), ("x",))


@pytest.mark.parametrize("kind", [pa.timestamp("us"), pa.date32()])
def test_dates_as_periods_are_refused_with_what_to_write(tmp_path, kind):
    path = written(tmp_path, year=pa.array(DAYS).cast(kind))
    with pytest.raises(DataError, match=r"Make it a number \(years as 2019\)"):
        read_columns(path, (), (), periods=("year",))


def test_categories_that_are_whole_numbers_are_said_to_be_taken_as_numbers(tmp_path):
    random = np.random.default_rng(1)
    frame = pd.DataFrame({"id": range(N), "t": [1, 0] * (N // 2), "c": random.integers(1, 5, N)})
    frame["y"] = frame["c"] + random.normal(size=N)
    path = tmp_path / "table.parquet"
    frame.astype({"c": "category"}).to_parquet(path)
    options = ("--treated", "t", "--on", "c", "--id", "id", "--outcome", "y", "--json")
    found = json.loads(run_match(path, *options).out)
    assert any("marks 'c' as a category" in note and "--categories c" in note for note in found["notes"])
    asked = json.loads(run_match(path, *options, "--categories", "c").out)
    assert not any("marks 'c'" in note for note in asked["notes"])
    assert asked["balance"] != found["balance"]


def test_a_case_from_outside_use(shared):
    path = shared / "cases" / "tables" / "pqm_cintcat.parquet"
    if not path.is_file():
        pytest.skip("needs ../shared/cases/tables, which is not on this machine")
    assert "marks 'c' as a category" in run_match(path, "--treated", "t", "--on", "c", "--id", "id").out
