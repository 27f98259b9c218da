"""Kinds on published data of real schools, their numbers found again with plain pandas.

Who took part is drawn and how many days each had is made up, and both are said so: no list of participants is public.
What agrees is arithmetic on the same files, so that nothing but rounding of sums may differ: 1e-9.
"""

import shutil

import numpy as np
import pandas as pd
import pytest

from evalkit.core.draws import stream
from evalkit.run.notebooks.session import open_evaluation
from tests.conftest import ROOT
from tests.england_by_hand import changes, lists

AREA, N_LISTED = 340, 26
GRADES = {"Outstanding": 1, "Good": 2, "Requires Improvement": 3, "Satisfactory": 3, "Inadequate": 4}
YEARS = (2016, 2017, 2019)

HEAD = """\
schema_version: 2
slug: real
title: A drawn list on published data
question: What came of schools that were drawn by lot, to which nothing was done?
programme: {name: None, place: Knowsley, funder: nobody, aim: to try the kit, start: 2017-09-01, end: 2019-07-31}
participants: {file: participants.csv}
missing: {bounds: none, imputation: null, tipping: false, suppressed: none}
"""
TRANSITIONS = """\
data: {tables: {ofsted: {file: grades.csv, unit: school, period: year, area: la}}}
exposure: {pre: [2016, 2017], post: [2019]}
outcomes: [{table: ofsted, column: grade, label: Overall grade, unit: category, direction: lower, role: primary}]
analyses:
  - name: main
    kind: transitions
    primary: true
    categories: {"1": Outstanding, "2": Good, "3": Requires improvement, "4": Inadequate}
"""
DOSE = """\
data: {tables: {tests: {file: scores.csv, unit: school, period: year, area: la}}}
exposure: {pre: [2016, 2017], post: [2019]}
outcomes: [{table: tests, column: reading, label: Reading progress, unit: points, role: primary}]
analyses: [{name: main, kind: dose, primary: true, per: made-up day}]
"""


def drawn(schools):
    """Return schools drawn by lot, in order."""
    return sorted(stream(1, "schools drawn for a test").choice(sorted(schools), N_LISTED, replace=False).tolist())


def evaluated(folder, text, data):
    """Evaluate a project of own tables; of the published files it needs the lists of neighbours alone."""
    (folder / "published").mkdir()
    for name in ("sn_april_2021.xlsx", "sn_may_2025.xlsx"):
        shutil.copy(data / "lait" / name, folder / "published" / name)
    (folder / "project.yml").write_text(HEAD + text, encoding="utf-8")
    return open_evaluation(str(folder / "project.yml"), str(folder / "published")).primary


@pytest.fixture(scope="module")
def grades(shared_data):
    """The latest grade of every open primary at the end of each August, by a school id that no register knows."""
    spine = pd.read_csv(shared_data / "gias" / "england_spine_2017-2018.csv", dtype=str)
    spine = spine[spine["MINORGROUP"].isin(["Maintained School", "Academy"]) & (spine["ISPRIMARY"] == "1")]
    history = pd.read_csv(shared_data / "ofsted" / "ofsted_ratings_history_to_2020.csv", dtype={"URN": str})
    history = history[history["URN"].isin(spine["URN"])].sort_values("Inspection Date", kind="stable")
    history["grade"] = history["Rating"].map(GRADES)
    latest = {
        year: history[history["Inspection Date"] <= year * 10_000 + 831].groupby("URN")["grade"].last()
        for year in YEARS
    }
    wide = pd.DataFrame(latest).dropna().astype(int)
    wide["la"] = spine.set_index("URN")["LA"].reindex(wide.index).astype(int)
    return wide.set_axis("s" + wide.index)


def test_the_table_of_the_how_to_is_the_same(grades, shared_data, tmp_path, monkeypatch):
    name = "ofsted_ratings_history_to_2020.csv"
    shutil.copy(shared_data / "ofsted" / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs" / "how-to" / "transitions.md").read_text(encoding="utf-8")
    exec(text.split("```python\n")[1].split("```")[0], {})
    made = pd.read_csv("grades.csv").pivot(index="URN", columns="year", values="grade")
    made = made.set_axis("s" + made.index.astype(str)).reindex(grades.index)
    assert made[list(YEARS)].eq(grades[list(YEARS)]).all(axis=None)


@pytest.fixture(scope="module")
def transitions(grades, shared_data, tmp_path_factory):
    """The evaluation of 26 drawn primaries of Knowsley, and who they are."""
    folder = tmp_path_factory.mktemp("ofsted")
    listed = drawn(grades.index[grades["la"] == AREA])
    long = grades.melt(id_vars="la", var_name="year", value_name="grade", ignore_index=False)
    long.rename_axis("school").to_csv(folder / "grades.csv")
    pd.DataFrame({"school": listed}).to_csv(folder / "participants.csv", index=False)
    return evaluated(folder, TRANSITIONS, shared_data), listed


def test_ofsted_s_grades_before_and_after_are_those_of_the_table(transitions, grades, shared_data):
    results, listed = transitions
    near = [code for code in lists(shared_data, "sn_april_2021.xlsx")[AREA] if code != AREA]
    arms = {"listed": grades.loc[listed], "compared": grades[grades["la"].isin(near)]}
    one = results.details.primary
    for name, own in arms.items():
        counts = pd.crosstab(own[2017], own[2019]).reindex(index=range(1, 5), columns=range(1, 5), fill_value=0)
        np.testing.assert_array_equal(one.arms[name].matrix.counts, counts.to_numpy())
        up, down = counts.to_numpy(dtype=float), counts.to_numpy(dtype=float).T
        pairs = [(i, j) for i in range(4) for j in range(i) if up[i, j] + down[i, j]]
        statistic = sum((up[i, j] - down[i, j]) ** 2 / (up[i, j] + down[i, j]) for i, j in pairs)
        assert one.arms[name].symmetry.statistic == pytest.approx(statistic, rel=1e-9)
        assert one.arms[name].symmetry.df == len(pairs)


def test_the_share_that_improved_is_set_against_that_of_neighbours(transitions, grades, shared_data):
    results, listed = transitions
    near = [code for code in lists(shared_data, "sn_april_2021.xlsx")[AREA] if code != AREA]
    compared = grades.index[grades["la"].isin(near)]
    improved = 100.0 * (grades[2019] < grades[2017])
    main = results.main("ofsted.grade")
    assert main.estimate == pytest.approx(improved[listed].mean() - improved[compared].mean(), rel=1e-9)
    # an indicator less the share that improved among all schools outside that stood in the same grade
    outside = grades["la"] != AREA
    rate = improved[outside].groupby(grades.loc[outside, 2017]).mean()
    given = improved - grades[2017].map(rate)
    beside = next(one for one in results.effects if one.design == "improved_given_before")
    assert beside.estimate == pytest.approx(given[listed].mean() - given[compared].mean(), rel=1e-9)
    # nothing was done to schools drawn by lot
    assert main.interval.lower < 0 < main.interval.upper


@pytest.mark.slow
def test_the_line_on_made_up_days_is_that_of_least_squares(shared_data, tmp_path):
    panel = pd.read_csv(
        shared_data / "panel" / "ks2_school_panel_2016_2019_england.csv.gz", dtype=str, keep_default_na=False
    )
    found = changes(panel, "READPROG")
    scores = panel.assign(reading=pd.to_numeric(panel["READPROG"], errors="coerce"))
    wide = scores.pivot(index="SCHOOL_ID", columns="YEAR", values="reading").loc[found.index, ["2016", "2017", "2019"]]
    wide, found = wide.set_axis("s" + wide.index), found.set_axis("s" + found.index)
    listed = drawn(found.index[found["area"] == AREA])
    days = stream(1, "days made up for a test").integers(0, 13, N_LISTED)
    long = wide.assign(la=found["area"]).melt(id_vars="la", var_name="year", value_name="reading", ignore_index=False)
    long.rename_axis("school").to_csv(tmp_path / "scores.csv")
    pd.DataFrame({"school": listed, "dose": days}).to_csv(tmp_path / "participants.csv", index=False)
    results = evaluated(tmp_path, DOSE, shared_data)
    before = wide.loc[listed, ["2016", "2017"]].mean(axis=1)
    columns = np.column_stack([np.ones(N_LISTED), before, days])
    slope = np.linalg.lstsq(columns, found.loc[listed, "change"].to_numpy(), rcond=None)[0][-1]
    main = results.main("tests.reading")
    assert main.estimate == pytest.approx(slope, rel=1e-9)
    assert main.interval.lower < 0 < main.interval.upper
    near = [code for code in lists(shared_data, "sn_april_2021.xlsx")[AREA] if code != AREA]
    compared = found.loc[found["area"].isin(near), "change"]
    whole = results.details.primary.whole
    assert whole.estimate == pytest.approx(found.loc[listed, "change"].mean() - compared.mean(), rel=1e-9)
