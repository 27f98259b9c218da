"""What `check` prints: which area, which schools, and what of the texts cannot be shown."""

import shutil
from pathlib import Path

import pytest

from evalkit.core.errors import DataError, DesignError, ProjectError
from evalkit.data.published.school_lists import read_spine
from evalkit.data.published.sources import find_sources
from evalkit.data.synthetic import write_synthetic_england
from evalkit.run.project import check, runner
from evalkit.run.project.check import check_project, checked_json, checked_text

KNOWSLEY = Path(__file__).parents[4] / "data" / "projects" / "knowsley-ssif"


@pytest.fixture(scope="module")
def england(tmp_path_factory):
    folder = tmp_path_factory.mktemp("england")
    write_synthetic_england(folder, seed=4, scale=0.06)
    return folder


@pytest.fixture
def project(tmp_path):
    shutil.copytree(KNOWSLEY, tmp_path / "mine")
    return tmp_path / "mine" / "project.yml"


def changed(project, *pairs):
    text = project.read_text(encoding="utf-8")
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new, 1)
    project.write_text(text, encoding="utf-8")


def test_the_area_is_named_beside_its_code(project, england):
    changed(project, ("funder: ", "theme: sport ⚽ 足球\n  funder: "), ("  theme: literacy\n", ""))
    text = checked_text(check_project(project, england))
    assert "schools of Knowsley (synthetic) (local authority 340), all counted as treated" in text
    assert "treated: Knowsley (synthetic) (340)" in text
    assert "  programme.theme: ⚽, 足 and 球" in text


def test_each_listed_school_is_named_with_its_area(project, england):
    spine = read_spine(find_sources(england).spine)
    schools = spine[(spine["area"] == 340) & spine["is_primary"]].iloc[:3]
    rows = [f"{urn};{name};Huyton" for urn, name in schools["name"].items()]
    (project.parent / "participants.csv").write_text("\n".join(["School URN;School;Town", *rows]), encoding="cp1252")
    changed(
        project,
        ("areas: [340] # Knowsley", "file: participants.csv"),
        ("minimum_treated: 10", "minimum_treated: 2"),
    )
    checked = check_project(project, england)
    text = checked_text(checked)
    for at, (urn, name) in enumerate(schools["name"].items(), start=2):
        assert f"  row {at}: {urn} {name}, Knowsley (synthetic) (by URN)" in text
    assert "columns of the file that are not used: 'Town'" in text
    assert "  project/participants.csv: 3 rows" in text
    assert '"unused_columns_of_participants": [\n    "Town"' in checked_json(checked)


def test_an_outcome_that_too_few_schools_have_is_said_not_to_be_estimated(project, england):
    changed(project, ("minimum_treated: 10", "minimum_treated: 40"))
    text = checked_text(check_project(project, england))
    assert "    READPROG will not be estimated: `pool.minimum_treated` asks for 40 schools" in text


def test_a_place_with_the_name_of_another_area_is_refused(project, england):
    changed(project, ("place: Knowsley", "place: synthetic borough 202"))
    with pytest.raises(DesignError, match=r"place` is Synthetic Borough 202, which is local authority 202, and .* 340"):
        check_project(project, england)


def test_a_tab_is_called_a_tab(project, england):
    changed(project, ("  theme: literacy", "\ttheme: literacy"))
    with pytest.raises(ProjectError, match="a tab stands where YAML takes blanks only"):
        check_project(project, england)


def test_everything_that_is_wrong_is_told_at_once(project, england):
    (project.parent / "participants.csv").write_text("URN,start\n999999,soon\n", encoding="utf-8")
    changed(
        project,
        ("areas: [340] # Knowsley", "file: participants.csv"),
        ("    primary: true\n", "    primary: true\n  - {name: second, kind: areas, primary: true, bye: 1}\n"),
        ("ratio: 5", "ratio: 99"),
    )
    with pytest.raises(ProjectError, match="4 things need correcting") as refused:
        check_project(project, england)
    said = str(refused.value)
    assert "analyses[2].bye (line" in said
    assert "exactly one analysis has `primary: true`" in said
    assert "found 99" in said
    assert "participants.csv: row 2: the start 'soon' is no date" in said


def test_a_faulty_file_is_told_before_made_up_schools_are_made(project, monkeypatch, tmp_path):
    def make():
        pytest.fail("made for nothing")

    monkeypatch.setattr(check, "synthetic_place", lambda: tmp_path / "not there yet")
    monkeypatch.setattr(runner, "synthetic_folder", make)
    changed(project, ("ratio: 5", "ratio: 99"))
    with pytest.raises(ProjectError, match="found 99"):
        check_project(project, None)


OWN = """\
data:
  tables:
    scores: {file: scores.csv, unit: school, period: year}
outcomes:
  - {table: scores, column: score, label: Reading age, unit: months, role: secondary}
"""


def test_tables_and_participants_that_no_table_knows_are_told_at_once(project, england):
    (project.parent / "scores.csv").write_text("school,year,score\nS1,2016,1\nS1,2016,2\n", encoding="utf-8")
    (project.parent / "more.csv").write_text("school,year,score\nS1,soon,1\n", encoding="utf-8")
    tables = OWN.replace("    scores:", "    more: {file: more.csv, unit: school, period: year}\n    scores:")
    more = "  - {table: more, column: score, label: Words, role: secondary}\n"
    changed(project, ("outcomes:\n", tables + more))
    with pytest.raises(DataError, match="2 things need correcting") as refused:
        check_project(project, england)
    assert "scores.csv: line 3: 'S1' has a second row in 2016" in str(refused.value)
    assert "more.csv: line 2" in str(refused.value)


def test_a_unit_that_no_table_knows_is_told(project, england):
    rows = [f"S{i},{year},{i + year}" for i in range(4) for year in (2016, 2017, 2018, 2019)]
    (project.parent / "scores.csv").write_text("\n".join(["school,year,score", *rows]) + "\n", encoding="utf-8")
    (project.parent / "participants.csv").write_text("school,start\nS2,2018\nS9,2018\n", encoding="utf-8")
    changed(project, ("outcomes:\n", OWN), ("areas: [340] # Knowsley", "file: participants.csv"))
    with pytest.raises(DataError, match=r"row 3 \(S9\): no table knows the unit 'S9'"):
        check_project(project, england)


LONG_PROJECT = """\
schema_version: 2
slug: absence
title: Absence of children in need
question: Did absence fall where the programme ran?
programme:
  {name: A programme, place: some areas, funder: a charity, aim: attendance, start: 2022-09-01, end: 2024-07-31}
data:
  kind: synthetic
  tables:
    absence:
      file: absence_la.csv
      unit: old_la_code
      period: time_period
      name: la_name
      where: {geographic_level: Local authority, social_care_group: CINO}
participants: {file: participants.csv}
outcomes:
  - {table: absence, column: pt_overall, label: Absence, unit: percent, direction: lower, role: primary}
analyses:
  - {name: main, kind: staggered, primary: true}
"""


def test_a_project_after_2019_reads_a_file_of_explore_education_statistics(tmp_path):
    folder = tmp_path / "absence"
    folder.mkdir()
    (folder / "project.yml").write_text(LONG_PROJECT, encoding="utf-8")
    (folder / "participants.csv").write_text("id,start\n301,2022-09-01\n302,2023-09-01\n", encoding="utf-8")
    lines = ["time_identifier,time_period,geographic_level,old_la_code,la_name,social_care_group,pt_overall"]
    for year in range(2018, 2025):
        period = f"{year}{(year + 1) % 100}"
        lines.append(f"Academic year,{period},National, , ,CINO,{year % 7}")
        for area in range(301, 313):
            symbol = "x" if year == 2019 else "c" if (area, year) == (305, 2022) else f"{(area * year) % 50 / 10}"
            lines.append(f"Academic year,{period},Local authority,{area},Area {area},CINO,{symbol}")
            lines.append(f"Academic year,{period},Local authority,{area},Area {area},CLA,{year % 5}")
    (folder / "absence_la.csv").write_text("\r\n".join(lines) + "\r\n", encoding="utf-8-sig")
    said = checked_text(check_project(folder / "project.yml", None))
    assert "absence: can be run" in said
    assert "participants with rows in the table 'absence': 2" in said
    assert "first treated in the summer of 2023: 1" in said
    one_row_too_many = LONG_PROJECT.replace(", social_care_group: CINO", "")
    (folder / "project.yml").write_text(one_row_too_many, encoding="utf-8")
    with pytest.raises(DataError, match=r"one value of each of these: social_care_group \('CINO' and 'CLA'\)"):
        check_project(folder / "project.yml", None)
