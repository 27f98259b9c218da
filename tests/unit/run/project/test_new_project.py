"""A new project holds nothing of another one, and is refused until every value is its own."""

import re

import pytest

from evalkit.core.errors import InputError, ProjectError
from evalkit.run.kinds.registry import KINDS
from evalkit.run.project.complaints import shown_value
from evalkit.run.project.new_project import _fill, new_project
from evalkit.run.project.project_file import load_project
from tests.filled_template import filled_in


@pytest.fixture
def made(tmp_path):
    _fill(tmp_path / "mine", "mine")
    return tmp_path / "mine" / "project.yml"


def test_every_placeholder_is_told_at_once_with_its_key_and_line(made):
    with pytest.raises(ProjectError) as refused:
        load_project(made)
    lines = made.read_text(encoding="utf-8").splitlines()
    wanted = [number for number, line in enumerate(lines, start=1) if "«" in line.partition("#")[0]]
    told = [int(number) for number in re.findall(r"\(line (\d+)\): '«", str(refused.value))]
    assert told == wanted
    assert len(wanted) == 20
    assert "participants.areas[1] (line" in str(refused.value)


@pytest.mark.parametrize("left", ["«who paid»", "«who paid", "who paid»", "The «who paid» Fund"])
def test_one_placeholder_left_is_refused(made, left):
    text = filled_in(made.read_text(encoding="utf-8")).replace('funder: "text"', f'funder: "{left}"')
    made.write_text(text, encoding="utf-8")
    with pytest.raises(ProjectError, match=r"programme.funder \(line 14\): .* is still to be filled in"):
        load_project(made)


def test_what_else_is_wrong_is_told_with_the_placeholders(made):
    text = made.read_text(encoding="utf-8").replace("ratio: 5", "ratoi: 5")
    made.write_text(text, encoding="utf-8")
    with pytest.raises(ProjectError, match=r"21 things need correcting(.|\n)*Did you mean 'ratio'"):
        load_project(made)


def test_filled_in_it_is_a_project(made):
    made.write_text(filled_in(made.read_text(encoding="utf-8")), encoding="utf-8")
    assert load_project(made).participants.areas == (341,)


@pytest.mark.parametrize("kind", KINDS)
def test_there_is_a_file_to_fill_in_for_each_kind(tmp_path, kind):
    _fill(tmp_path / "mine", "mine", kind)
    path = tmp_path / "mine" / "project.yml"
    path.write_text(filled_in(path.read_text(encoding="utf-8")), encoding="utf-8")
    path.with_name("participants.csv").write_text("URN,start\n106438,2018\n", encoding="utf-8")
    path.with_name("grades.csv").write_text("URN,year,grade\n106438,2017,2\n", encoding="utf-8")
    path.with_name("pupils.csv").write_text("URN,pupil,year,score\n", encoding="utf-8")
    path.with_name("answers.csv").write_text("URN,person,wave,q1,q2,q3\n106438,1,2024,5,1,4\n", encoding="utf-8")
    project = load_project(path)
    assert [(one.name, one.kind, one.primary) for one in project.analyses] == [("main", kind, True)]


@pytest.mark.parametrize("kind", KINDS)
def test_the_template_holds_nothing_of_another_project(tmp_path, kind):
    _fill(tmp_path / "mine", "mine", kind)
    text = (
        (tmp_path / "mine" / "project.yml")
        .read_text(encoding="utf-8")
        .replace("summer of the first school year, as 2018", "")
    )
    for word in ("340", "890", "Knowsley", "READPROG", "MATPROG", "2016", "2018", "2019"):
        assert word not in text


def test_a_name_that_windows_keeps_is_refused_with_that_reason():
    with pytest.raises(InputError, match=r"'con' cannot name .* no name that Windows keeps to itself"):
        new_project("con")


def test_a_long_value_is_cut_within_its_quotation_marks():
    assert shown_value("«" + "x" * 80 + "»") == "'«" + "x" * 55 + "…'"
    assert shown_value("x" * 58) == "'" + "x" * 58 + "'"
