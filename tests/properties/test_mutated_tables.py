"""Some sixty mutations of a small valid table for each command: a result without NaN or a sentence, never a traceback.

Mutations that change no meaning (separators, encodings, order, labels of years, codes in the place of blanks) leave
every number as it is. Cells, rows and columns are drawn from fixed seeds.
"""

import gzip
import json
import re

import numpy as np
import pandas as pd
import pytest

from tests.small_tables import SYNTH, TABLES
from tests.whole_command import typed

KEYS = {"did": ("school", "year"), "match": ("school",), "synth": ("area", "year"), "similar": ("school",)}
NUMBERS = {"did": "score", "match": "fsm", "synth": "score", "similar": "fsm"}
UNFIT = re.compile(r"\b([Nn]a[Nn]|[Ii]nf|[Ii]nfinity|None)\b")
PYTHON = re.compile(r"\b(nan|None|NaT|dtype|DataFrame|ndarray|object at)\b")
SCHOOL_YEARS = {"codes": lambda y: f"{y - 1}{y % 100:02d}", "slashes": lambda y: f"{y - 1}/{y % 100:02d}"}


def csv(table, **options):
    return table.to_csv(index=False, **options).encode()


def cell(value, column=None, share=None):
    """Return a change of one cell (of a share of the cells) of the column of numbers, or of the one named."""

    def change(table, command, random):
        name = column or NUMBERS[command]
        if name not in table:
            name = table.columns[int(random.integers(len(table.columns)))]
        n = 1 if share is None else max(1, int(share * len(table)))
        rows = random.choice(len(table), n, replace=False)
        table = table.astype({name: object})
        table.iloc[rows, table.columns.get_loc(name)] = value
        return csv(table)

    return change


def key(value):
    """Return a change of one cell of the column of ids, or of periods where the value is one."""

    def change(table, command, random):
        return cell(value, KEYS[command][0])(table, command, random)

    return change


def period(value):
    def change(table, command, random):
        return cell(value, KEYS[command][-1])(table, command, random)

    return change


def frame(function):
    return lambda table, command, random: csv(function(table, random))


def content(function):
    return lambda table, command, random: function(csv(table), random)


def line(function):
    """Return a change of one line under the header."""

    def change(table, command, random):
        lines = csv(table).splitlines(keepends=True)
        at = int(random.integers(1, len(lines)))
        lines[at] = function(lines[at])
        return b"".join(lines)

    return change


def a_column(table, random):
    return table.columns[int(random.integers(len(table.columns)))]


def cut(data, random):
    return data[: int(random.integers(len(data)))]


MUTATIONS = {
    **{f"a number is {value!r}": cell(value) for value in ("", "SUPP", "NE", "z", "..", "x", "low", "?", "12%", "n/a")},
    **{f"a number {value!r}": cell(value) for value in ("inf", "1e400", "-1e308", "1e-320", "NaN", "1,234", "12,34")},
    **{f"a number is written {value!r}": cell(value) for value in ("1.2.3", "0x1F", "1_000", "½", "٣", "−3", "+4")},
    **{f"half the numbers are {value!r}": cell(value, share=0.5) for value in ("", "SUPP", "0", "7%")},
    **{f"every number is {value!r}": cell(value, share=1) for value in ("", "SUPP", "0", "-1", "1e300", "5e-324", "c")},
    **{f"an id is {value!r}": key(value) for value in ("", "NA", " ", "100001.0", "0100001", "A01 ", "🏫", "x" * 5000)},
    **{f"a period is {value!r}": period(value) for value in ("", "201819", "2016.5", "-2016", "9999", "20160101")},
    "a cohort of 0": cell("0", "first"),
    "a cohort of -1 in half": cell("-1", "first", 0.5),
    "a cohort of 9999": cell("9999", "first", 0.3),
    "everyone starts in the first year": cell("2014", "first", 1),
    "who took part is 2": cell("2", "joined"),
    "all took part": cell("1", "joined", 1),
    "nobody took part": cell("0", "joined", 1),
    "a column dropped": frame(lambda t, r: t.drop(columns=a_column(t, r))),
    "a column twice": frame(lambda t, r: pd.concat([t, t[[a_column(t, r)]]], axis=1)),
    "a column renamed": frame(lambda t, r: t.rename(columns={a_column(t, r): "other"})),
    "headings with blanks": frame(lambda t, r: t.rename(columns=lambda name: f" {name} ")),
    "headings in capitals": frame(lambda t, r: t.rename(columns=str.upper)),
    "a row twice": frame(lambda t, r: pd.concat([t, t.sample(1, random_state=1)])),
    "every row twice": frame(lambda t, r: pd.concat([t, t])),
    "a third of the rows": frame(lambda t, r: t.sample(frac=0.33, random_state=2)),
    "two rows": frame(lambda t, r: t.head(2)),
    "one row": frame(lambda t, r: t.head(1)),
    "the header alone": frame(lambda t, r: t.head(0)),
    "no header": lambda t, command, random: csv(t, header=False),
    "nothing": content(lambda data, r: b""),
    "blank lines alone": content(lambda data, r: b"\n\n\n"),
    "cut anywhere": content(cut),
    "semicolons": content(lambda data, r: data.replace(b",", b";")),
    "NUL bytes": content(lambda data, r: data.replace(b"0", b"\x00", 5)),
    "UTF-16": content(lambda data, r: data.decode().encode("utf-16")),
    "bytes of no encoding": content(lambda data, r: data.replace(b"1", b"\xff\xfe", 3)),
    "two tables in one file": content(lambda data, r: data + b"\n" + data),
    "another table below": content(lambda data, r: data + b"\na,b\n1,2\n"),
    "a title above": content(lambda data, r: b"Table 1: results\n\n" + data),
    "a note below": content(lambda data, r: data + b"Source: DfE\n"),
    "a delimiter at the end of each line": content(lambda data, r: data.replace(b"\n", b",\n")),
    "a short row": line(lambda text: text.split(b",", 1)[0] + b"\n"),
    "a long row": line(lambda text: text.rstrip() + b",9,9\n"),
    "a quote that never closes": line(lambda text: b'"' + text),
    "a quote inside a cell": line(lambda text: text[:3] + b'"' + text[3:]),
    "a line of commas": line(lambda text: b"," * text.count(b",") + b"\n"),
    "a very long cell": line(lambda text: text.rstrip() + b"9" * 200_000 + b"\n"),
    "a formula": cell("=1+1"),
    "a column of one text": cell("text", share=1),
    "compressed but cut": content(lambda data, r: gzip.compress(data)[:-20]),
}


@pytest.mark.parametrize("command", TABLES)
@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_mutated_table_gives_a_result_or_a_sentence(mutation, command, tmp_path):
    make, words = TABLES[command]
    seed = [list(MUTATIONS).index(mutation), list(TABLES).index(command)]
    path = tmp_path / ("table.csv.gz" if mutation.startswith("compressed") else "table.csv")
    path.write_bytes(MUTATIONS[mutation](make(), command, np.random.default_rng(seed)))
    ran = typed(command, path, *words)
    assert ran.code in (0, 2), ran.err
    assert "Traceback" not in ran.out + ran.err
    assert (ran.code == 0) == bool(ran.out.strip())
    assert not UNFIT.search(ran.out), UNFIT.search(ran.out)
    if ran.code == 2:
        said = ran.err.split("evalkit: ", 1)[1].strip()
        assert said.endswith((".", "?", ")")), said
        assert not PYTHON.search(said), said


FURTHER = {
    "did": [
        ["--estimator", "twfe"],
        ["--estimator", "imputation"],
        ["--estimator", "extended", "--covariates", "fsm"],
        ["--cluster", "area", "--weights", "pupils", "--covariates", "fsm"],
        ["--repeated-cross-sections"],
    ],
    "match": [["--method", name] for name in ("full", "cem", "entropy", "ipw")] + [["--missing", "category"]],
    "synth": [["--method", "augmented"], ["--method", "sdid"]],
    "similar": [["--same", "region"], ["--pupils", "pupils", "--show", "pupils"]],
}


@pytest.mark.slow
@pytest.mark.parametrize(("command", "options"), [(name, one) for name, many in FURTHER.items() for one in many])
def test_mutated_tables_under_other_options(command, options, tmp_path):
    make, words = TABLES[command]
    path = tmp_path / "table.csv"
    for at, (mutation, change) in enumerate(MUTATIONS.items()):
        if not mutation.startswith("compressed"):
            path.write_bytes(change(make(), command, np.random.default_rng([at, list(TABLES).index(command), 7])))
            ran = typed(command, path, *words, *options, "--json")
            assert ran.code in (0, 2), (mutation, ran.err)
            assert not re.search(r"\bNaN\b|\bInfinity\b", ran.out), mutation


@pytest.mark.parametrize("command", TABLES)
def test_an_id_of_blanks_is_missing(command, tmp_path):
    make, words = TABLES[command]
    table = make().astype({KEYS[command][0]: object})
    table.loc[4, KEYS[command][0]] = "  "
    (tmp_path / "table.csv").write_bytes(csv(table))
    ran = typed(command, tmp_path / "table.csv", *words)
    assert ran.code == 2
    assert re.search(r"the unit is missing|A row has no id", ran.err)


def in_other_order(table):
    return table.sample(frac=1, random_state=3)[[*table.columns[::-1]]]


def with_texts(table):
    """Return a table whose numbers stand as a spreadsheet program could have written them."""
    return table.astype(object).map(lambda value: f" {value} " if isinstance(value, float) else value)


SAME = {
    "a byte-order mark": lambda t: ("table.csv", b"\xef\xbb\xbf" + csv(t)),
    "line ends of Windows": lambda t: ("table.csv", csv(t).replace(b"\n", b"\r\n")),
    "line ends of old Macs": lambda t: ("table.csv", csv(t).replace(b"\n", b"\r")),
    "no end of the last line": lambda t: ("table.csv", csv(t).rstrip()),
    "blank lines": lambda t: ("table.csv", csv(t).replace(b"\n", b"\n\n")),
    "every cell quoted": lambda t: ("table.csv", csv(t, quoting=1)),
    "compressed": lambda t: ("table.csv.gz", gzip.compress(csv(t))),
    "the suffix in capitals": lambda t: ("TABLE.CSV", csv(t)),
    "rows and columns in another order": lambda t: ("table.csv", csv(in_other_order(t))),
    "blanks around numbers": lambda t: ("table.csv", csv(with_texts(t))),
    "further columns": lambda t: ("table.csv", csv(t.assign(note='a, "b"\nc', more="SUPP"))),
    "percent signs": lambda t: ("table.csv", csv(_map(t, "{}%"))),
}


def _map(table, pattern):
    columns = [name for name in ("score", "fsm") if name in table]
    return table.assign(**{name: [pattern.format(value) for value in table[name]] for name in columns})


def numbers_of(ran):
    """Return every number of a result that is no whole one, in the order of their places."""
    found = []

    def look(value):
        if isinstance(value, dict):
            for name in sorted(value):
                look(value[name])
        elif isinstance(value, list):
            for one in value:
                look(one)
        elif isinstance(value, float) and value != int(value):
            found.append(value)

    assert ran.code == 0, ran.err
    look(json.loads(ran.out))
    assert len(found) > 5
    return found


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """The numbers of each command on its own table."""
    folder, found = tmp_path_factory.mktemp("plain"), {}
    for command, (make, words) in TABLES.items():
        (folder / "table.csv").write_bytes(csv(make()))
        found[command] = numbers_of(typed(command, folder / "table.csv", *words, "--json"))
    return found


@pytest.mark.parametrize("command", TABLES)
@pytest.mark.parametrize("change", SAME)
def test_what_changes_no_meaning_changes_no_number(change, command, plain, tmp_path):
    make, words = TABLES[command]
    name, data = SAME[change](make())
    (tmp_path / name).write_bytes(data)
    assert numbers_of(typed(command, tmp_path / name, *words, "--json")) == pytest.approx(plain[command], rel=1e-9)


@pytest.mark.parametrize("command", TABLES)
def test_parquet_gives_the_same_numbers(command, plain, tmp_path):
    make, words = TABLES[command]
    make().to_parquet(tmp_path / "table.parquet")
    assert numbers_of(typed(command, tmp_path / "table.parquet", *words, "--json")) == pytest.approx(plain[command])


@pytest.mark.parametrize("label", SCHOOL_YEARS)
@pytest.mark.parametrize("command", ["did", "synth"])
def test_labels_of_school_years_give_the_numbers_of_years(command, label, plain, tmp_path):
    make, words = TABLES[command]
    table, written = make(), SCHOOL_YEARS[label]
    for name in ("year", "first"):
        if name in table:
            table[name] = [written(int(year)) if pd.notna(year) else "" for year in table[name]]
    (tmp_path / "table.csv").write_bytes(csv(table))
    words = tuple(written(2016) if word == "2016" else word for word in words) if words == SYNTH else words
    ran = typed(command, tmp_path / "table.csv", *words, "--json")
    assert numbers_of(ran) == pytest.approx(plain[command])


@pytest.mark.parametrize("command", TABLES)
def test_thousands_separators_change_no_number(command, tmp_path):
    make, words = TABLES[command]
    numbers = []
    for pattern in ("{:.1f}", "{:,.1f}"):
        table = make()
        table[NUMBERS[command]] = [pattern.format(1000 * value) for value in table[NUMBERS[command]]]
        (tmp_path / "table.csv").write_bytes(csv(table))
        numbers.append(numbers_of(typed(command, tmp_path / "table.csv", *words, "--json")))
    assert numbers[0] == pytest.approx(numbers[1])


@pytest.mark.parametrize("code", ["SUPP", "NA", "NE", "z", "..", "NaN"])
@pytest.mark.parametrize("command", ["did", "similar"])
def test_a_code_in_the_place_of_a_blank_changes_no_number(command, code, tmp_path):
    make, words = TABLES[command]
    numbers = []
    for value in ("", code):
        table = make().astype({NUMBERS[command]: object})
        table.loc[[7, 8, 20], NUMBERS[command]] = value
        (tmp_path / "table.csv").write_bytes(csv(table))
        numbers.append(numbers_of(typed(command, tmp_path / "table.csv", *words, "--json")))
    assert numbers[0] == pytest.approx(numbers[1])
