"""No kind's plan holds an outcome from after the programme began, published or of a table of the project's own."""

from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest

from evalkit.core.errors import DataError
from evalkit.data.published.project_data import read_baseline, read_records
from evalkit.data.published.sources import find_sources
from evalkit.run.kinds.registry import KINDS, design_project
from evalkit.run.project.project_file import load_project

AREA, BEFORE, AFTER = 340, (2016, 2017), (2018, 2019)
FILE = """\
schema_version: 2
slug: own
title: A table of its own
question: What changed?
programme: {{name: P, place: Knowsley, funder: F, aim: to do, start: 2018-02-01, end: 2019-07-31}}
data:
  tables:
    scores: {{file: scores.csv, unit: school, period: year{rows}}}
participants:
  {participants}
exposure: {{pre: [2016, 2017], partial: [2018], post: [2019]}}
pool: {{minimum_treated: 3, minimum_area_schools: 3}}
{top}
outcomes:
  - {{table: scores, column: {column}, label: Reading age, unit: months, role: primary}}
  - {{measure: READPROG, role: secondary}}
analyses:
  - {{name: main, kind: {kind}, primary: true{options}}}
"""


@pytest.fixture(scope="module")
def schools(project, small_england):
    known = read_records(project, small_england, find_sources(small_england)).records["KS2"]
    usable = known.schools["minor_group"].isin(["Academy", "Maintained School"])
    usable &= known.values["READPROG"].notna().all(axis=1)
    return known.schools[usable]


def scores(schools, after=None, n_pupils=1):
    """A table of every school and year; `after` gives other cells for the years from the programme on."""
    rng = np.random.default_rng(3)
    cells = product(schools.index, (*BEFORE, *AFTER), range(n_pupils))
    rows = pd.DataFrame(cells, columns=["school", "year", "pupil"])
    rows["pupil"] += np.arange(len(rows)) // n_pupils * n_pupils
    rows["score"] = np.round(100 + rng.normal(size=len(rows)), 2).astype(str)
    rows["base"] = np.round(rng.normal(size=len(rows)), 2).astype(str)
    rows["grade"] = rng.integers(1, 5, size=len(rows)).astype(str)
    if after is not None:
        is_later = rows["year"].isin(AFTER)
        for column in ("score", "base", "grade"):
            rows.loc[is_later, column] = after(rows.loc[is_later, column].tolist())
    return rows


def permuted(cells):
    return np.random.default_rng(4).permutation(cells).tolist()


def poisoned(cells):
    return ["not to be read"] * len(cells)


LISTED = "file: participants.csv"
WHO = dict.fromkeys(("series", "synthetic"), f"areas: [{AREA}]")
"""Who takes part in a project of a kind that takes no listed schools."""


HAS: dict[str, dict[str, str]] = {
    "contribution": {
        "options": ", nodes: [{id: a, type: activity, label: A}, {id: b, type: outcome, label: B}]"
        ", links: [{between: [a, b]}]",
    },
    "pupils": {
        "rows": ", person: pupil",
        "options": ", outcomes: [scores.score]",
        "top": "disclosure: {threshold: 10}",
    },
    "survey": {
        "rows": ", person: pupil",
        "options": ', answers: scores, waves: {"2017": A, "2019": B}, points: {"1": "No", "2": "Yes"}'
        ", scales: [{name: s, label: S, items: [{column: base, text: B}]}]",
        "top": "disclosure: {threshold: 10}",
    },
    "transitions": {
        "column": "grade",
        "options": ', outcomes: [scores.grade], categories: {"1": Best, "2": Good, "3": Fair, "4": Poor}',
    },
}
"""What a project needs to say more for a kind that takes people, categories or a theory of change."""


def project_in(folder, schools, kind, after=None, participants=LISTED):
    folder.mkdir()
    scores(schools, after, 12 if kind == "pupils" else 1).to_csv(folder / "scores.csv", index=False)
    listed = schools.index[(schools["area"] == AREA).fillna(False)][:5]
    starts = "".join(f"{school},{2018 + i % 2},{i + 1}\n" for i, school in enumerate(listed))
    (folder / "participants.csv").write_text(f"URN,start,dose\n{starts}", encoding="utf-8")
    said = {"rows": "", "column": "score", "options": "", "top": "", **HAS.get(kind, {})}
    (folder / "project.yml").write_text(FILE.format(kind=kind, participants=participants, **said), encoding="utf-8")
    return load_project(folder / "project.yml")


def design_bytes(folder, england, project):
    return design_project(project, read_baseline(project, folder, find_sources(england))).to_json().encode()


@pytest.mark.parametrize("kind", KINDS)
def test_follow_up_cells_of_an_own_table_change_no_plan(tmp_path, small_england, schools, kind):
    found = {}
    for name, after in (("as it is", None), ("permuted", permuted), ("poisoned", poisoned)):
        project = project_in(tmp_path / name, schools, kind, after, WHO.get(kind, LISTED))
        found[name] = design_bytes(tmp_path / name, small_england, project)
    assert len(found["as it is"]) > 100
    assert found["permuted"] == found["as it is"]
    assert found["poisoned"] == found["as it is"]
    with pytest.raises(DataError, match=r"scores.csv: line \d+: 'not to be read' in the column '(score|grade)'"):
        read_records(project, tmp_path / "poisoned", find_sources(small_england))


def test_a_baseline_holds_no_year_from_the_programme_on(tmp_path, small_england, schools):
    project = project_in(tmp_path / "own", schools, "areas")
    intake = read_baseline(project, tmp_path / "own", find_sources(small_england))
    assert {stage: records.years for stage, records in intake.records.items()} == {"scores": BEFORE, "KS2": BEFORE}
    whole = read_records(project, tmp_path / "own", find_sources(small_england))
    assert whole.records["scores"].years == (*BEFORE, *AFTER)
    assert whole.records["scores"].schools.index.isin(whole.records["KS2"].schools.index).all()


@pytest.mark.parametrize(
    ("first", "partial", "expected"), [("2017-09-01", False, BEFORE), ("2017", False, (2016,)), ("2017", True, (2016,))]
)
def test_without_exposure_what_is_before_is_before_the_first_start(
    tmp_path, small_england, schools, first, partial, expected
):
    project = project_in(tmp_path / "own", schools, "areas")
    listed = schools.index[(schools["area"] == AREA).fillna(False)][:2]
    text = f"URN,start\n{listed[0]},{first}\n{listed[1]},2019\n"
    (tmp_path / "own" / "participants.csv").write_text(text, encoding="utf-8")
    # as a kind that takes every year, not those of `exposure`
    analyses = tuple(replace(one, uses_exposure=False) for one in project.analyses)
    participants = replace(project.participants, first_year="partial" if partial else "full")
    project = replace(project, analyses=analyses, participants=participants)
    intake = read_baseline(project, tmp_path / "own", find_sources(small_england))
    assert {records.years for records in intake.records.values()} == {expected}
    assert read_records(project, tmp_path / "own", find_sources(small_england)).years == (*BEFORE, *AFTER)
    cohorts = intake.treated.facts["cohort"].tolist()
    assert sorted(cohorts) == [2018 + partial if first != "2017" else 2017 + partial, 2019 + partial]


def test_an_example_draws_the_same_list_whatever_has_been_read_and_in_any_order(tmp_path, small_england, schools):
    drawn = f"draw: {{n: 4, of: {AREA}}}"
    project = project_in(tmp_path / "own", schools, "areas", participants=drawn)
    before = read_baseline(project, tmp_path / "own", find_sources(small_england)).treated
    after = read_records(project, tmp_path / "own", find_sources(small_england)).treated
    assert before.is_drawn
    assert before.schools == after.schools
    assert len(before.schools["scores"]) == 4
    assert set(schools.loc[list(before.schools["scores"]), "area"]) == {AREA}
    rows = pd.read_csv(tmp_path / "own" / "scores.csv").iloc[::-1]
    rows.to_csv(tmp_path / "own" / "scores.csv", index=False)
    turned = read_baseline(project, tmp_path / "own", find_sources(small_england)).treated
    assert turned.schools == before.schools
    other = read_baseline(replace(project, seed=2), tmp_path / "own", find_sources(small_england)).treated
    assert other.schools != before.schools
    assert "is made up: 4 schools drawn at random of 340" in project.participants.made_up
