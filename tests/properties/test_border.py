"""Over random tables of people: nothing that any command prints or writes is, or lets be worked out, a small number."""

import io
import json
import re
import zipfile
from html import unescape

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from evalkit.core.disclosure import CONTAINS_PEOPLE, FEWEST_PEOPLE
from evalkit.core.quantities import Unavailable
from evalkit.report.border.disclosure import release
from evalkit.report.border.table import Column, Table
from evalkit.report.border.told_effects import may_be_told
from evalkit.run.console import Progress
from evalkit.run.tables.did import did_answer
from evalkit.run.tables.did_options import did_request
from tests.did_command import run_did
from tests.match_command import run_match

FEW = settings(max_examples=2, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
MANY = settings(max_examples=30, deadline=None)
COUNTED = "of|treated|comparison|matched|unit|pair|set|stratum|strata|people|pupil|observation|row"
SMALL = re.compile(rf"(?<![\d.,−-])[1-9] (?:{COUNTED})\b", re.I)
"""A small number before a noun that counts people."""


# Tables with margins


@MANY
@given(st.integers(2, 5), st.integers(2, 4), st.sampled_from([8, 15, 40]), st.integers(0, 10**6))
def test_no_attack_recovers_a_cell_of_a_table_with_margins(n_rows, n_columns, most, seed):
    """The attack knows every sum and that counts are not negative: linear programming gives each cell's range."""
    inner = np.random.default_rng(seed).integers(0, most + 1, size=(n_rows, n_columns))
    cells = np.block([[inner, inner.sum(1, keepdims=True)], [inner.sum(0, keepdims=True), inner.sum().reshape(1, 1)]])
    columns = [Column("name", "Name")]
    columns += [Column(f"n{i}", f"n{i}", "pupil_count", is_total=i == n_columns) for i in range(n_columns + 1)]
    rows = tuple((f"row {i}", *row) for i, row in enumerate(cells))  # numpy's integers, as a careless caller gives
    told = release(Table(caption="Pupils", columns=tuple(columns), rows=rows, has_total_row=True), 6).table
    shown = [[None if isinstance(cell, Unavailable) else cell for cell in row[1:]] for row in told.rows]
    hidden = [(i, j) for i, row in enumerate(shown) for j, cell in enumerate(row) if cell is None]
    lines = [[(i, n_columns), *((i, j) for j in range(n_columns))] for i in range(n_rows + 1)]
    lines += [[(n_rows, j), *((i, j) for i in range(n_rows))] for j in range(n_columns + 1)]
    sums = np.zeros((len(lines), len(hidden)))
    known = np.zeros(len(lines))
    for at, line in enumerate(lines):
        for place, (i, j) in enumerate(line):
            sign = -1 if place == 0 else 1
            if shown[i][j] is None:
                sums[at, hidden.index((i, j))] += sign
            else:
                known[at] -= sign * shown[i][j]
    for at, (i, j) in enumerate(hidden):
        if cells[i, j] < 6:
            wanted = np.eye(len(hidden))[at]
            low, high = (linprog(side * wanted, A_eq=sums, b_eq=known, bounds=(0, None)) for side in (1, -1))
            assert high.status == 3 or -high.fun - low.fun > 0.5, (cells, shown)
    assert all(cell is None or cell >= 6 for row in shown for cell in row)


# Effects of repeated cross-sections


@MANY
@given(st.integers(1, 7), st.integers(1, 12), st.integers(0, 10**6))
def test_told_sums_of_cells_hold_nothing_of_hidden_cells_alone(n_cells, n_sums, seed):
    """Whatever the hidden cells are, others can make up for them: the told numbers would be the same."""
    random = np.random.default_rng(seed)
    hidden = random.random(n_cells) < 0.4
    sums = random.integers(0, 4, size=(n_sums, n_cells)) * random.random((n_sums, n_cells)).round(1)
    told = sums[may_be_told(list(sums), hidden)]
    other = told[:, ~hidden]
    made_up = other @ np.linalg.lstsq(other, told[:, hidden], rcond=None)[0] if other.shape[1] else 0 * told[:, hidden]
    assert np.allclose(made_up, told[:, hidden], atol=1e-8)
    alone = [row for row in told if np.any(row) and not np.any(row[~hidden])]
    assert not alone


def pupils(seed, small):
    """Return pupils of twelve schools in four years: one cohort of few pupils, one of many, and the never-treated."""
    random = np.random.default_rng(seed)
    sizes = {("few", 2018.0): small, ("many", 2017.0): 12, ("never", np.nan): 15}
    rows = [
        (f"{name}{school}", year, random.normal() + 50 * (name == "few") * (year >= 2018), cohort)
        for (name, cohort), size in sizes.items()
        for school in range(1 if name == "few" else 5)
        for year in range(2015, 2019)
        for _ in range(size)
    ]
    return pd.DataFrame(rows, columns=["unit", "year", "y", "cohort"])


def numbers_in(value):
    if isinstance(value, dict):
        return [n for one in value.values() for n in numbers_in(one)]
    if isinstance(value, list):
        return [n for one in value for n in numbers_in(one)]
    return [value] if isinstance(value, float) else []


@FEW
@given(st.integers(1, 9), st.integers(0, 10**6))
def test_did_tells_no_effect_on_few_pupils(tmp_path, small, seed):
    path = tmp_path / "table.csv"
    pupils(seed, small).to_csv(path, index=False)
    options = ("--repeated-cross-sections", "--seed", "1")
    done, printed = run_did(path, *options, "--json"), run_did(path, *options)
    record = done.record
    found = did_answer(request_of(path, options), Progress(is_quiet=True)).results
    secret = [cell.estimate for cell in found.group_time if cell.cohort == 2018]
    told = numbers_in(record)
    assert all(min(abs(n - value) for n in told) > 1e-9 for value in secret if isinstance(value, float) and value)
    assert not SMALL.search(re.sub(r"\d (treated|comparison) cluster", "", printed.out))  # clusters are schools
    assert "Leave such cohorts out" in printed.out
    # the averages that are told, with their weights, do not give the hidden cells away
    parts = [
        found.simple,
        *(part for one in (found.event_study, found.by_cohort, found.calendar) for part in one.parts),
    ]
    shown = np.array([part.weights for part in parts if isinstance(part.estimate, float) and near(part.estimate, told)])
    hidden = np.array([cell.cohort == 2018 for cell in found.group_time])
    assert np.linalg.matrix_rank(shown) == np.linalg.matrix_rank(shown[:, ~hidden])


def near(value, numbers):
    return min(abs(n - value) for n in numbers) < 1e-9


def request_of(path, options):
    from evalkit.run.cli import parsed
    from tests.did_command import COLUMNS

    return did_request(parsed(["did", str(path), *COLUMNS, *options]))


def test_many_pupils_are_told_of_in_full(tmp_path):
    path = tmp_path / "table.csv"
    pupils(3, 10).to_csv(path, index=False)
    record = run_did(path, "--repeated-cross-sections", "--json").record
    assert all(isinstance(cell["estimate"], float) for cell in record["group_time"])


# Matches of people


def people(seed, n_treated, n_comparison):
    random, n = np.random.default_rng(seed), n_treated + n_comparison
    treated = np.arange(n) < n_treated
    table = pd.DataFrame(
        {"t": treated.astype(int), "a": random.normal(size=n) + treated, "fsm": random.random(n) < 0.3}
    )
    table = table.assign(
        fsm=table["fsm"].astype(int), y=table["a"] + random.normal(size=n), id=[f"upn{at}" for at in range(n)]
    )
    return table.assign(before=table["a"] + random.normal(size=n))


ASKED = ("--treated", "t", "--on", "a,fsm", "--id", "id", "--outcome", "y", "--earlier", "before", "--people")
METHODS = [
    ("--common-support", "both"),
    ("--caliper", "0.2"),
    ("--method", "full"),
    ("--method", "subclass", "--subclasses", "2"),
    ("--method", "entropy"),
    ("--method", "ipw"),
    ("--method", "cem"),
    ("--method", "optimal"),
]


def words_of(path):
    """Return what a reader sees of a page or a Word document, descriptions of pictures included."""
    if path.suffix == ".docx":
        with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
            text = archive.read("word/document.xml").decode()
        return unescape(re.sub(r"<[^>]+>", " | ", text) + " ".join(re.findall(r'descr="([^"]*)"', text)))
    text = path.read_text(encoding="utf-8")
    body = re.sub(r'src="data:[^"]*"', "", text[text.index("<body") :])
    descriptions = " ".join(re.findall(r'alt="([^"]*)"', body))
    return unescape(re.sub(r"<[^>]+>", " | ", body) + descriptions)


def unit_cells(path):
    """Return the counts in the table of units of a page."""
    table = re.search(r"Units before and after.*?</table>", path.read_text(encoding="utf-8"), re.S)
    cells = [re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<td[^>]*>.*?</td>", table[0], re.S)]
    return [int(cell.replace(",", "")) for cell in cells if re.fullmatch(r"[\d,]+", cell)]


@FEW
@pytest.mark.parametrize("method", METHODS, ids=lambda method: method[-1])
@given(n_treated=st.integers(2, 24), n_comparison=st.integers(5, 60), seed=st.integers(0, 10**6))
def test_match_tells_no_small_number_of_people(tmp_path, method, n_treated, n_comparison, seed):
    path, page, word = tmp_path / "people.csv", tmp_path / "out.html", tmp_path / "out.docx"
    people(seed, n_treated, n_comparison).to_csv(path, index=False)
    printed = run_match(path, *ASKED, *method, "--out", str(page))
    if printed.code:  # a method that cannot be used for this table says so without telling a small number either
        assert printed.code == 2, printed.err
        assert not SMALL.search(printed.err.partition("evalkit")[2] or last_line(printed.err)), printed.err
        return
    run_match(path, *ASKED, *method, "--out", str(word))
    record = json.loads(run_match(path, *ASKED, *method, "--json").out)
    without_lists = json.dumps({**record, "pairs": [], "weights": {}, "unmatched": []})
    for text in (printed.out, words_of(page), words_of(word), without_lists):
        assert not SMALL.search(text), SMALL.search(text)[0]
        assert "upn" not in text
    assert all(not 0 < n < FEWEST_PEOPLE for n in unit_cells(page))
    counts = {key: n for key, n in record["n"].items() if isinstance(n, int)}
    assert all(n == 0 or n >= FEWEST_PEOPLE for n in counts.values())
    for arm in ("treated", "comparison"):
        if arm in counts and f"{arm}_matched" in counts:
            assert not 0 < counts[arm] - counts[f"{arm}_matched"] < FEWEST_PEOPLE
    assert record["contains_people"] == CONTAINS_PEOPLE
    if min(used_of(record, path)) < FEWEST_PEOPLE:
        assert "unavailable" in record["effect"]
        assert "unavailable" in record["sensitivity"]


def last_line(text):
    return text.strip().splitlines()[-1]


def used_of(record, path):
    weights = pd.Series(record["weights"], dtype=float)
    treated = pd.read_csv(path, dtype={"id": str}).set_index("id")["t"].reindex(weights.index)
    return ((weights > 0) & (treated == 1)).sum(), ((weights > 0) & (treated == 0)).sum()
