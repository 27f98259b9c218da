"""What `check` prints: which area, which schools, and what of the texts cannot be shown."""

import shutil
from pathlib import Path

import pytest

from evalkit.core.errors import DesignError, ProjectError
from evalkit.data.published.school_lists import read_spine
from evalkit.data.published.sources import find_sources
from evalkit.data.synthetic import write_synthetic_england
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
        ("  rule: local_authority\n  local_authority: 340\n", "  rule: file\n  file: participants.csv\n"),
        ("minimum_treated: 10", "minimum_treated: 2"),
    )
    checked = check_project(project, england)
    text = checked_text(checked)
    for at, (urn, name) in enumerate(schools["name"].items(), start=2):
        assert f"  row {at}: {urn} {name}, Knowsley (synthetic) (by URN)" in text
    assert "columns of the file that are not used: 'Town'" in text
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
