"""A user's own table: ids as they stand, numbers strictly numbers, what is left out counted, all else refused."""

import gzip

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from evalkit.core.errors import DataError
from evalkit.data.flow import LeftOut
from evalkit.data.own_tables.columns import read_columns
from evalkit.data.own_tables.long_table import read_long_table
from evalkit.data.roles import Roles

ROLES = Roles(unit="u", period="t", outcome="y", cohort="g")
WEIGHTED = Roles(unit="u", period="t", outcome="y", cohort="g", weight="w", covariates=("x",))
GOOD = "u,t,y,g\n007,2000,1.5,2001\n007,2001,2,2001\n8,2000,1,\n8,2001,1e3,NA\n"


def written(folder, content, name="table.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


def refusal(path, roles=ROLES):
    with pytest.raises(DataError) as refused:
        read_long_table(path, roles)
    return str(refused.value)


def as_parquet(folder, table, name="table.parquet"):
    path = folder / name
    parquet.write_table(table if isinstance(table, pa.Table) else pa.Table.from_pandas(table), path)
    return path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("table.csv", GOOD),
        ("table.csv", "\ufeff" + GOOD),
        ("table.csv", GOOD.replace("\n", "\r\n")),
        ("table.csv", GOOD.rstrip()),
        ("table.csv", GOOD + "\n\n"),
        ("table.csv", GOOD.replace("007", '"007"').replace("2000", '"2000"')),
        ("table.csv", GOOD.replace("1.5", " 1.5 ").replace("NA", " ")),
        ("table.csv", GOOD.replace("1.5", "+1.5")),
        ("table.csv", GOOD.replace("NA", "NaN")),
        ("table.csv", GOOD.replace("NA", ".")),
        ("table.csv", GOOD.replace("u,t,y,g", "u,t,y,g").replace("\n8", "\n\n8")),
        ("TABLE.CSV", GOOD),
        ("table.csv.gz", gzip.compress(GOOD.encode(), mtime=0)),
    ],
)
def test_the_same_table_is_read_however_it_was_saved(tmp_path, name, content):
    table = read_long_table(written(tmp_path, content, name), ROLES)
    assert table.frame["u"].tolist() == ["007", "007", "8", "8"]
    assert table.frame["t"].tolist() == [2000, 2001, 2000, 2001]
    assert table.frame["y"].tolist() == [1.5, 2.0, 1.0, 1000.0]
    np.testing.assert_array_equal(table.frame["g"], [2001, 2001, np.nan, np.nan])
    assert (table.left_out, table.n_rows) == ((), 4)


def test_columns_without_a_part_are_not_read(tmp_path):
    lines = [f"{line},{other}" for line, other in zip(GOOD.splitlines(), ["z", "a", "b", "c", "d"], strict=True)]
    assert list(read_long_table(written(tmp_path, "\n".join(lines)), ROLES).frame) == ["u", "t", "y", "g"]


def test_what_is_left_out_is_counted_by_the_first_reason_that_holds(tmp_path):
    rows = [
        "u,t,y,g,x,w",
        "1,2000,,2001,1,0",  # no outcome; its weight of zero is no second loss
        "1,2001,2,2001,1,1",
        "2,2000,1,,.,1",  # no covariate
        "2,2001,1,,2,0",  # weight of zero
        "3,2000,1,,2,NA",  # no weight
        "3,2001,,,2,1",  # no outcome
    ]
    table = read_long_table(written(tmp_path, "\n".join(rows)), WEIGHTED)
    assert table.left_out == (
        LeftOut("the outcome 'y' is missing", ("1", "3"), 2),
        LeftOut("the covariate 'x' is missing", ("2",), 1),
        LeftOut("the weight 'w' is missing", ("3",), 1),
        LeftOut("the weight is zero", ("2",), 1),
    )
    assert table.frame["u"].tolist() == ["1"]
    assert table.n_rows == 6
    assert table.frame.index.tolist() == [0]


def test_a_table_without_a_usable_row_is_refused(tmp_path):
    assert "no row can be used" in refusal(written(tmp_path, "u,t,y,g\n1,2000,,2001\n"))


@pytest.mark.parametrize("text", ["abc", '"1,5"', "1_000", "0x10", "true", "n/a", "1.5.2", "2001-05-01"])
def test_a_text_among_numbers_is_named_with_its_line(tmp_path, text):
    message = refusal(written(tmp_path, GOOD.replace("1e3", text)))
    assert "table.csv: line 5" in message
    assert text.strip('"') in message
    assert "'y'" in message


def test_lines_are_counted_as_an_editor_counts_them(tmp_path):
    content = 'u,t,y,g\n"a\nb",2000,1,\n\nc,2001,zz,\n'
    assert "line 5: 'zz'" in refusal(written(tmp_path, content))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("007,2001", "007,", "line 3: column 't': the period is missing"),
        ("007,2001", ",2001", "the unit is missing. Fill it in, or leave such rows out: a total, a region"),
        ("007,2001", "NA,2001", "line 3: column 'u': the unit is missing"),
        ("007,2000", "007,2000.5", "line 2: column 't' 2000.5: a period is a whole number"),
        ("007,2000", "007,1e30", "too large"),
        ("NA", "0", "line 5: column 'g' 0: 0 is no period of the table. If it stands for never treated, leave"),
        ("NA", "Inf", "line 5: column 'g' inf: infinity is no period. If it stands for never treated, leave"),
        ("NA", "2001.5", "line 5: column 'g' 2001.5: a cohort is the first treated period"),
        ("1e3", "inf", "line 5: column 'y' inf: an infinite number"),
        ("1e3", "1e5000", "an infinite number"),
        ("1e3", "1e200", "line 5: column 'y' 1e+200: the number is too large"),
    ],
)
def test_a_cell_that_cannot_play_its_part_is_refused_with_its_line(tmp_path, old, new, said):
    assert said in refusal(written(tmp_path, GOOD.replace(old, new)))


def test_numbers_too_small_to_be_squared_are_refused(tmp_path):
    assert "too small" in refusal(written(tmp_path, "u,t,y,g\n1,2000,1e-200,\n1,2001,0,\n"))
    assert len(read_long_table(written(tmp_path, "u,t,y,g\n1,2000,1e-200,\n1,2001,1,\n"), ROLES).frame) == 2


def test_cohort_zero_is_a_period_where_the_table_has_it(tmp_path):
    table = read_long_table(written(tmp_path, "u,t,y,g\n1,-1,1,0\n1,0,2,0\n2,-1,1,\n2,0,1,\n"), ROLES)
    assert table.frame["g"].tolist()[:2] == [0, 0]


def test_a_negative_weight_is_refused(tmp_path):
    content = "u,t,y,g,x,w\n1,2000,1,,1,1\n1,2001,1,,1,-3\n"
    assert "line 3: column 'w' -3: a weight is not negative" in refusal(written(tmp_path, content), WEIGHTED)


def test_a_missing_cluster_is_refused(tmp_path):
    roles = Roles(unit="u", period="t", outcome="y", cohort="g", cluster="c")
    content = "u,t,y,g,c\n1,2000,1,,a\n1,2001,1,,NA\n"
    assert "line 3: column 'c': the cluster is missing" in refusal(written(tmp_path, content), roles)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", "", "is empty"),
        ("a.csv", "u,t,y,g\n", "no rows"),
        ("a.csv", "u,t,y,g", "no rows"),
        ("a.csv", GOOD.replace("u,t,y,g", "u,t,y,g,y").replace("\n0", ",1\n0"), "twice"),
        ("a.csv", GOOD.replace("007", "caf\xe9").encode("latin-1"), "UTF-8"),
        ("a.csv", GOOD.replace("u,", "\xe9,").encode("latin-1"), "UTF-8"),
        ("a.csv", GOOD.encode("utf-16"), "UTF-8"),
        ("a.csv", GOOD[:-9], "line 5 has 2 cells where the header has 4"),
        ("a.csv", GOOD + "9,2000,1,2,3\n", "line 6 has 5 cells"),
        ("a.csv", GOOD.replace(",", ";"), "not to be separated by commas"),
        ("a.csv", GOOD.replace("u,t,y,g", "u,t,yy,g"), "no column 'y'. Did you mean"),
        ("a.csv.gz", gzip.compress(GOOD.encode() * 50, mtime=0)[:-20], "damaged or cut short"),
        ("a.csv.gz", GOOD, "damaged or cut short"),
        ("a.parquet", GOOD, "not a whole Parquet file"),
        ("a.parquet", b"", "not a whole Parquet file"),
        ("a.txt", GOOD, "cannot be told from its name"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused(tmp_path, name, content, said):
    message = refusal(written(tmp_path, content, name))
    assert message.startswith(name)
    assert said in message


def test_a_column_named_twice_matters_only_where_it_is_read(tmp_path):
    lines = GOOD.splitlines()
    content = "\n".join([lines[0] + ",z,z", *(line + ",1,1" for line in lines[1:])])
    assert len(read_long_table(written(tmp_path, content), ROLES).frame) == 4


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path):
    assert "no such file" in refusal(tmp_path / "absent.csv")
    (tmp_path / "folder.csv").mkdir()
    assert "is a folder" in refusal(tmp_path / "folder.csv")
    assert "is a folder" in refusal(tmp_path)


FRAME = pd.DataFrame({"u": [7, 7, 8, 8], "t": [2000, 2001] * 2, "y": [1.5, 2, 1, 3], "g": [2001, 2001, None, None]})


@pytest.mark.parametrize(
    "frame",
    [
        FRAME,
        FRAME.astype({"u": str}),
        FRAME.astype({"u": float}),
        FRAME.astype({"g": "Int64"}),
        FRAME.assign(u=FRAME["u"].astype(str).astype("category"), g=FRAME["g"].astype("category")),
        FRAME.assign(y=["1.5", "2", " 1 ", "3"]),
        FRAME.astype({"y": "float32", "t": "int16"}),
        FRAME.set_index("u"),
    ],
)
def test_parquet_columns_are_read_whatever_their_type(tmp_path, frame):
    table = read_long_table(as_parquet(tmp_path, frame), ROLES).frame
    assert table["u"].tolist() == ["7", "7", "8", "8"]
    assert table["y"].tolist() == [1.5, 2, 1, 3]
    np.testing.assert_array_equal(table["g"], [2001, 2001, np.nan, np.nan])


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (FRAME.assign(u=[0.5, 1, 2, 3]), "row 1: 0.5 in the column 'u' is not an id"),
        (FRAME.assign(u=["a", None, "b", "b"]), "row 2: column 'u': the unit is missing"),
        (FRAME.assign(y=["1", "NA", "x y", "3"]), "row 3: 'x y' in the column 'y'"),
        (FRAME.assign(t=pd.to_datetime(["2000", "2001"] * 2)), "the column 't' holds timestamp"),
        (FRAME.head(0), "no rows"),
        (FRAME.drop(columns="g"), "no column 'g'"),
        (pa.Table.from_arrays([pa.array([1])] * 5, names=["u", "t", "y", "g", "y"]), "twice"),
    ],
)
def test_parquet_columns_that_cannot_serve_are_refused(tmp_path, frame, said):
    assert said in refusal(as_parquet(tmp_path, frame))


def test_a_parquet_file_cut_short_is_refused(tmp_path):
    path = as_parquet(tmp_path, FRAME)
    path.write_bytes(path.read_bytes()[:300])
    assert "not a whole Parquet file" in refusal(path)


@pytest.mark.parametrize(
    ("roles", "said"),
    [
        (Roles(unit="u", period="u", outcome="y", cohort="g"), "named as unit and as period"),
        (Roles(unit="u", period="t", outcome="y", cohort="t"), "named as period and as cohort"),
        (Roles(unit="u", period="t", outcome="y", cohort="g", cluster="g"), "named as cohort and as cluster"),
        (Roles(unit="u", period="t", outcome="y", cohort="g", covariates=("u",)), "is an id"),
    ],
)
def test_a_column_has_one_part(tmp_path, roles, said):
    assert said in refusal(written(tmp_path, GOOD), roles)


def test_the_unit_may_be_named_as_the_cluster(tmp_path):
    roles = Roles(unit="u", period="t", outcome="y", cohort="g", cluster="u")
    assert list(read_long_table(written(tmp_path, GOOD), roles).frame) == ["u", "t", "y", "g"]


def test_decimals_are_read_as_python_reads_them(tmp_path):
    texts = [repr(value) for value in np.random.default_rng(5).normal(size=200).tolist()]
    for blank in ("", " "):
        rows = "".join(f"1,{blank}{text}\n" for text in texts)
        columns = read_columns(written(tmp_path, "u,y\n" + rows), ["u"], ["y"])
        assert columns.numbers["y"].tolist() == [float(text) for text in texts]
