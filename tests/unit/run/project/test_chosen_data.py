"""A run remembers its data: a report of real schools is never replaced by one of made-up schools unasked."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from evalkit.core.errors import DataError, InputError, MissingData, ProjectError, UnknownParticipants
from evalkit.run import cli
from evalkit.run.project.chosen_data import remembered, telling_of_missing_data
from evalkit.run.project.project_file import load_project, project_data
from evalkit.run.project.workspace import synthetic_place
from tests.worked_here import KNOWSLEY, add, make_space, published, words


@pytest.fixture
def space(tmp_path, monkeypatch):
    return make_space(tmp_path / "space", monkeypatch)


@pytest.fixture(autouse=True)
def folder_of_its_own(tmp_path):
    (tmp_path / "space").mkdir()


def report(space, slug: str) -> str:
    return (space / "outputs" / slug / "report.html").read_text()


def test_a_run_without_data_reads_those_of_the_last_report(space, capsys):
    add(space, "leeds")
    data = published(space)
    assert cli.main(["run", "--all", "--data", str(data)]) == 0
    capsys.readouterr()
    assert cli.main(["run", "--all"]) == 0
    said = capsys.readouterr()
    assert words(said.out) == {"leeds": "unchanged"}  # the key is the same where the data are
    assert f"leeds: reading the published files in {data}" in said.err
    assert "synthetic England" not in said.err
    assert cli.main(["run", "leeds", "--force"]) == 0
    assert report(space, "leeds") == f"leeds of {data}"


def test_what_is_released_names_no_folder_of_this_machine(space):
    add(space, "leeds")
    cli.main(["run", "leeds", "--data", str(published(space))])
    assert str(space) not in (space / "outputs" / "leeds" / "manifest.json").read_text()
    assert remembered(space / "outputs", "leeds") == Path(f"{space}-published")


@pytest.mark.parametrize("lost", ["the folder", "the record"])
def test_run_all_makes_no_synthetic_report_in_place_of_real_ones_or_among_them(space, capsys, lost):
    add(space, "leeds")
    data = published(space)
    assert cli.main(["run", "--all", "--data", str(data)]) == 0
    add(space, "york")
    shutil.rmtree(data if lost == "the folder" else space / "outputs" / "_runs")
    capsys.readouterr()
    assert cli.main(["run", "--all"]) == 2
    said = capsys.readouterr()
    assert words(said.out) == {"leeds": "failed: bad input", "york": "failed: bad input"}
    assert "Nothing says where the data of york are, and the report of leeds beside it is of real schools" in said.err
    where = f"made from data in {data}, and there is no such folder now" if lost == "the folder" else "from real data"
    assert where in said.err
    assert "--synthetic to use made-up schools in their place" in said.err
    assert report(space, "leeds") == f"leeds of {data}"
    record = json.loads((space / "outputs" / "_runs" / "leeds.failed.json").read_text())
    assert (record["kind"], record["exit_code"], record["stage"]) == ("bad input", 2, "looking for its data")

    assert cli.main(["run", "york", "--synthetic"]) == 0
    other = published(space, "moved")  # what the message says to do works, either way
    assert cli.main(["run", "leeds", "--data", str(other)]) == 0
    assert report(space, "leeds") == f"leeds of {other}"
    assert not (space / "outputs" / "_runs" / "leeds.failed.json").exists()


def test_synthetic_replaces_and_forgets(space, capsys):
    add(space, "leeds")
    cli.main(["run", "leeds", "--data", str(published(space))])
    assert cli.main(["run", "leeds", "--synthetic"]) == 0
    assert report(space, "leeds") == "leeds of None"
    assert remembered(space / "outputs", "leeds") is None
    assert cli.main(["run", "leeds"]) == 0
    assert report(space, "leeds") == "leeds of None"
    assert cli.main(["run", "leeds", "--synthetic", "--data", "."]) == 2
    assert "Give one of them" in capsys.readouterr().err


def test_a_project_file_names_its_data_and_the_command_line_wins(space, capsys):
    data, other = published(space), published(space, "other")
    file = add(space, "leeds", extra=f"data:\n  folder: ../../../../{data.name}\n")
    assert cli.main(["run", "leeds"]) == 0
    assert report(space, "leeds") == f"leeds of {data}"
    assert cli.main(["run", "leeds", "--data", str(other)]) == 0
    assert report(space, "leeds") == f"leeds of {other}"
    assert cli.main(["run", "leeds"]) == 0
    assert report(space, "leeds") == f"leeds of {data}"
    shutil.rmtree(data)
    assert cli.main(["run", "leeds"]) == 2
    said = capsys.readouterr().err
    assert f"`data.folder` is '../../../../{data.name}'" in said
    assert "there is no such folder now" in said
    assert load_project(file).data.folder == f"../../../../{data.name}"


def test_where_the_data_are_is_no_choice_that_is_released(space):
    bare, named = add(space, "leeds"), add(space, "leeds", "copy", "data: {folder: ../../../published}\n")
    assert project_data(load_project(named)) == project_data(load_project(bare))


@pytest.mark.parametrize("name", ["", "/published", "~/published", "C:\\published"])
def test_the_folder_in_a_project_file_is_relative_to_it(space, name):
    file = add(space, "leeds", extra=f"data: {{folder: '{name}'}}\n")
    with pytest.raises(ProjectError, match=r"data\.folder \(line \d+\)"):
        load_project(file)


@pytest.mark.parametrize("command", ["check", "power"])
def test_other_commands_read_the_same_data_and_refuse_alike(space, monkeypatch, capsys, command):
    seen = []
    for name in ("project.check.check_project", "tables.power.power_of_project"):
        monkeypatch.setattr(f"evalkit.run.{name}", lambda file, data, *_: seen.append(data))
    monkeypatch.setattr("evalkit.run.project.check.checked_text", str)
    monkeypatch.setattr("evalkit.run.tables.power.tell", lambda *_: None)
    add(space, "leeds")
    data = published(space)
    cli.main(["run", "leeds", "--data", str(data)])
    assert cli.main([command, "leeds"]) == 0
    assert f"Reading the published files in {data}" in capsys.readouterr().err
    assert cli.main([command, "leeds", "--synthetic"]) == 0
    assert seen == [data, None]
    shutil.rmtree(data)
    assert cli.main([command, "leeds"]) == 2
    assert "there is no such folder now" in capsys.readouterr().err


def test_notebooks_to_be_run_by_hand_read_the_same_data(space, monkeypatch, capsys):
    monkeypatch.setattr("evalkit.run.lab.lab._served", lambda *_: 0)
    add(space, "leeds")
    data = published(space)
    cli.main(["run", "leeds", "--data", str(data)])
    notebook = space / "lab" / "leeds" / "1_design.ipynb"
    assert cli.main(["lab", "leeds", "--no-browser"]) == 0
    assert f"../../../{data.name}" in notebook.read_text()
    assert cli.main(["lab", "leeds", "--no-browser", "--synthetic"]) == 0
    assert data.name not in notebook.read_text()
    assert "No --data was given" not in capsys.readouterr().err


def test_a_listed_project_without_data_is_told_that_data_are_missing(space):
    def read(folder: Path) -> None:
        with telling_of_missing_data(SimpleNamespace(folder=folder)):
            raise UnknownParticipants("participants.csv: 1 participant no file knows: URN 104717.\nCorrect the rows.")

    with pytest.raises(InputError, match=r"^--data is missing: the project lists its schools.*--data DIR") as told:
        read(synthetic_place())
    assert "URN 104717" in str(told.value)
    assert "Correct the rows" not in str(told.value)
    with pytest.raises(UnknownParticipants, match=r"^participants\.csv: 1 participant"):
        read(published(space))


def test_files_that_cannot_be_read_are_told_where_something_is_missing(space):
    sources = SimpleNamespace(folder=space, unreadable=("2019.csv: the file is empty. Download it again.",))
    with pytest.raises(MissingData) as told, telling_of_missing_data(sources):
        raise MissingData("no KS2 table gives the results of 2019.")
    assert str(told.value) == (
        "no KS2 table gives the results of 2019.\nThe folder also holds, and perhaps this is it: "
        "2019.csv: the file is empty. Download it again."
    )


def test_files_that_cannot_be_read_are_not_told_where_a_table_is_wrong(space):
    sources = SimpleNamespace(folder=space, unreadable=("2019.csv: the file is empty. Download it again.",))
    with pytest.raises(DataError) as told, telling_of_missing_data(sources):
        raise DataError("own.csv: there is no column 'phase' to choose rows by.")
    assert str(told.value) == "own.csv: there is no column 'phase' to choose rows by."


def test_the_example_can_be_read():
    assert load_project(KNOWSLEY).data.folder is None
