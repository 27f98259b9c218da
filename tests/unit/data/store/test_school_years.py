"""Pupils of a store made to school-years: what a few lines of Python say of the same rows, whatever their order."""

import random
from collections import defaultdict
from statistics import fmean, median

import pandas as pd
import pytest

from evalkit.core.errors import DataError
from evalkit.data.store import school_years as kernel
from evalkit.data.store.importing import import_folder
from evalkit.data.store.school_years import DISAGREE, school_years

HEADER = "KS2_PupilMatchingRefAnonymous,KS2_ACADYR,KS2_URN,KS2_LAESTAB,KS2_READSCORE,KS2_MATSCORE"
CELLS = ("100", "101", "95", "110.5", "88", "SUPP", "NE", "", "x")


def made_up(n: int, seed: int) -> list[list[str]]:
    """Return rows of pupils of few schools, of whom many stand there again: alike, with a code, or otherwise."""
    chance, rows = random.Random(seed), []
    for _ in range(n):
        school = chance.randrange(5)
        year = chance.choice(["2017/2018", "2018/2019", "2019"])
        rows.append([f"P{chance.randrange(n // 3):04}", year, str(100001 + school), f"340{2001 + school}",
                     chance.choice(CELLS), chance.choice(CELLS)])  # fmt: skip
        if chance.random() < 0.3:
            again = list(rows[-1])
            again[4 + chance.randrange(2)] = chance.choice(CELLS)
            rows.append(again)
    return rows


def store_of(tmp_path, *files, header=HEADER):
    raw = tmp_path / "raw"
    raw.mkdir()
    for at, rows in enumerate(files):
        (raw / f"pupils_{at}.csv").write_text("\n".join([header, *map(",".join, rows)]) + "\n", encoding="utf-8")
    return import_folder(raw, tmp_path / "store")


def by_hand(rows, at=4):
    """Return for each school and year the pupils, the numbers, and how many lack one by code: from the definition."""
    cells = defaultdict(list)
    for row in rows:
        cells[row[2], {"2017/2018": 2018, "2018/2019": 2019, "2019": 2019}[row[1]], row[0]].append(row[at])
    numbers, lacking, pupils = defaultdict(list), defaultdict(int), defaultdict(int)
    for (school, year, _), given in cells.items():
        pupils[school, year] += 1
        values = {float(cell) for cell in given if cell[:1].isdigit()}
        codes = {cell for cell in given if cell and not cell[:1].isdigit()}
        if len(values) == 1:
            numbers[school, year].append(values.pop())
        elif values or len(codes) > 1:
            lacking[school, year, DISAGREE] += 1
        else:
            lacking[school, year, "".join(codes)] += 1
    return pupils, numbers, lacking


def require_as_by_hand(made, rows, measure="KS2_READSCORE", at=4):
    pupils, numbers, lacking = by_hand(rows, at)
    found = made.rows[made.rows["measure"] == measure].set_index(["school", "year"])
    assert found["n_pupils"].to_dict() == pupils
    assert found["n"].to_dict() == {key: len(numbers[key]) for key in pupils}
    for key in (key for key in pupils if numbers[key]):
        assert found.loc[key, "mean"] == pytest.approx(fmean(numbers[key]), rel=1e-13)
        assert found.loc[key, "median"] == median(numbers[key])
    lacks = made.missing[made.missing["measure"] == measure].set_index(["school", "year", "code"])["n_pupils"]
    assert lacks.to_dict() == lacking


@pytest.fixture(scope="module")
def rows():
    return made_up(400, seed=5)


def test_three_pupils_by_hand(tmp_path):
    # A1 says 104 twice: once. A2 has 107 and SUPP: 107. A3 has 90 and 91: none. A4 a blank and NE: NE. A5 a blank.
    # Numbers 104 and 107: mean and median 105.5 of 5 pupils.
    cells = [("A1", "104"), ("A1", "104"), ("A2", "107"), ("A2", "SUPP"), ("A3", "90"), ("A3", "91"), ("A4", ""),
             ("A4", "NE"), ("A5", "")]  # fmt: skip
    store = store_of(tmp_path, [[pupil, "2018/2019", "100001", "3402001", cell, "1"] for pupil, cell in cells])
    made = school_years(store, ["ks2_readscore"])
    assert made.rows.to_numpy().tolist() == [["100001", 2019, "ks2_readscore", 5, 2, 105.5, 105.5]]
    assert made.missing[["code", "n_pupils"]].to_numpy().tolist() == [["", 1], ["NE", 1], [DISAGREE, 1]]
    assert [case.n for case in made.cases] == [9, 5, 4, 0]
    assert made.files == ("pupils_0.csv",)


@pytest.mark.parametrize("cells", [kernel.MOST_CELLS, 500], ids=["each year at once", "a year in parts"])
def test_the_answer_is_that_of_the_definition(tmp_path, rows, monkeypatch, cells):
    monkeypatch.setattr(kernel, "MOST_CELLS", cells)
    # the second file is of a year of the first, so that rows of one pupil lie in two files
    made = school_years(store_of(tmp_path, rows[:300], rows[300:]), ["KS2_READSCORE", "KS2_MATSCORE"])
    require_as_by_hand(made, rows)
    require_as_by_hand(made, rows, "KS2_MATSCORE", 5)
    assert made.cases[0].n == len(rows)


def test_the_order_of_rows_and_what_tells_schools_count_for_nothing(tmp_path, rows):
    shuffled = [[*row[:3], f"{row[3][:3]}/{row[3][3:]}", *row[4:]] for row in rows]
    random.Random(1).shuffle(shuffled)
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    one = school_years(store_of(tmp_path / "one", rows), ["KS2_READSCORE"])
    other = school_years(store_of(tmp_path / "other", shuffled), ["KS2_READSCORE"], school="LAESTAB")
    renamed = other.rows.assign(school=[f"10000{int(school[-1])}" for school in other.rows["school"]])
    pd.testing.assert_frame_equal(one.rows, renamed, rtol=1e-13)
    assert set(other.rows["school"]) == {f"340200{n}" for n in range(1, 6)}


def test_blanks_around_cells_and_columns_kept_as_text_change_nothing(tmp_path, rows):
    padded = [[f" {row[0]}", row[1], row[2], row[3], f"{row[4]} " if row[4] else "", row[5]] for row in rows[::2]]
    store = store_of(tmp_path, [*rows[1::2], *padded])
    assert store.query('SELECT typeof(KS2_READSCORE) AS kind FROM "pupils" LIMIT 1')["kind"][0] == "VARCHAR"
    require_as_by_hand(school_years(store, ["KS2_READSCORE"]), rows)


def test_schools_as_numbers_and_as_texts_are_one(tmp_path, rows):
    texts = [[*row[:2], f"{row[2]} ", *row[3:]] for row in rows[300:]]
    made = school_years(store_of(tmp_path, rows[:300], texts), ["KS2_READSCORE"])
    require_as_by_hand(made, rows)


def test_rows_without_a_school_are_counted_and_in_no_school_year(tmp_path, rows):
    lost = [["Q1", "2018/2019", "", "", "100", "1"], ["Q2", "2018/2019", "", "", "x", "1"]]
    made = school_years(store_of(tmp_path, [*rows, *lost]), ["KS2_READSCORE"])
    require_as_by_hand(made, rows)
    assert made.cases[-1].n == 2


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (["", "2018/2019", "100001", "3402001", "1", "1"], "1 row of 2019 without a pupil"),
        (["P1", "2018/2019", "1", "3402001", "1", "1"], "'1' in the column URN is none"),
        (["P1", "2018/2019", "100001", "3402001", "absent", "1"], "'absent' in the column 'KS2_READSCORE' is not a"),
        (["P1", "2018/2019", "100001", "3402001", "50%", "1"], "have a percent sign and others none"),
    ],
)
def test_what_is_none_is_refused(tmp_path, rows, row, said):
    store = store_of(tmp_path, [*rows[:20], row])
    with pytest.raises(DataError) as refused:
        school_years(store, ["KS2_READSCORE"])
    assert said in str(refused.value)


def test_what_is_asked_for_and_not_there_is_told(tmp_path, rows):
    store = store_of(tmp_path, rows[:9])
    with pytest.raises(DataError, match=r"KS2_READSCOR.*Did you mean 'KS2_READSCORE'"):
        school_years(store, ["KS2_READSCOR"])
    with pytest.raises(DataError, match="others that are asked for"):
        school_years(store, ["KS2_READSCORE", "KS2_GPSSCORE"])
    with pytest.raises(DataError, match="as a list"):
        school_years(store, "KS2_READSCORE")
    bare = [[row[0], row[1], row[4]] for row in rows[:9]]
    (tmp_path / "bare").mkdir()
    bare_store = store_of(tmp_path / "bare", bare, header="PupilMatchingRefAnonymous,ACADYR,READSCORE")
    with pytest.raises(DataError, match="no column URN"):
        school_years(bare_store, ["READSCORE"])


def test_a_question_past_its_memory_is_told_with_what_to_do(tmp_path, rows):
    store = store_of(tmp_path, rows)
    with pytest.raises(DataError, match=r"within 20MB\. Allow more"):
        store.query(
            'SELECT median(a.i * b.i) FROM range(3000) a(i), range(3000) b(i), (SELECT 1 FROM "pupils" LIMIT 1)', "20MB"
        )
    assert not list(store.folder.glob(".spill*"))
