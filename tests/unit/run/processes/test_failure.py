"""The record of a failure, and the place in a notebook that it names."""

import errno
import json
from pathlib import Path

import nbformat
import pytest

from evalkit.core.errors import EvalkitError
from evalkit.run.notebooks.execute import NotebookFailure, execute
from evalkit.run.processes.failure import Failure, NotebookPlace, kept_log, remove_record, shown_call, write_record

FAILURE = Failure(
    slug="demo",
    kind="error",
    message="This kit met an error that it did not foresee (KeyError).",
    exit_code=1,
    stage="notebook 2_impact",
    heading="What changed?",
    call="evaluation.effects_table()",
)


def test_a_record_holds_all_there_is_to_say(tmp_path):
    assert write_record(tmp_path, FAILURE, "evalkit run demo")
    assert json.loads((tmp_path / "_runs" / "demo.failed.json").read_text(encoding="utf-8")) == {
        "schema_version": 1,
        "slug": "demo",
        "kind": "error",
        "message": "This kit met an error that it did not foresee (KeyError).",
        "exit_code": 1,
        "stage": "notebook 2_impact",
        "heading": "What changed?",
        "call": "evaluation.effects_table()",
        "run_again": "evalkit run demo",
    }
    remove_record(tmp_path, "demo")
    remove_record(tmp_path, "demo")
    assert list((tmp_path / "_runs").iterdir()) == []


def test_a_full_disk_costs_the_record_and_no_more(tmp_path, monkeypatch):
    def full(path, *arguments, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    write_record(tmp_path, FAILURE, "first")
    monkeypatch.setattr(Path, "replace", full)
    assert not write_record(tmp_path, FAILURE, "second")
    monkeypatch.undo()
    [only] = (tmp_path / "_runs").iterdir()
    assert json.loads(only.read_text(encoding="utf-8"))["run_again"] == "first"
    (tmp_path / "file").touch()
    assert not write_record(tmp_path / "file", FAILURE, "")


def test_where_is_one_phrase():
    assert FAILURE.where == "notebook 2_impact, 'What changed?', evaluation.effects_table()"
    assert Failure(slug="a", kind="error", message="", exit_code=1).where == ""


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("design.participants()", "design.participants()"),
        ("# a comment\nfrom evalkit import x\n\ndesign.flow(\n    arm=1,\n)", "design.flow( arm=1, )"),
        ("x" * 200, "x" * 159 + "…"),
        ("import os", ""),
    ],
)
def test_a_call_is_shown_on_one_line(source, expected):
    assert shown_call(source) == expected


def cell(kind: str, source: str, *tags: str) -> dict:
    return {"cell_type": kind, "source": source, "metadata": {"tags": list(tags)}}


def test_the_place_is_the_last_heading_and_the_call_after_it():
    told = []
    place = NotebookPlace(lambda heading, call: told.append((heading, call)))
    cells = [
        cell("markdown", "# Title\n\ntext\n\n## First? ##\n"),
        cell("code", "data = ''", "parameters"),
        cell("code", "a()"),
        cell("markdown", "no heading here"),
        cell("code", "b()"),
        cell("markdown", "### Second"),
        cell("code", "c()"),
    ]
    for number, item in enumerate(cells):
        place(item, number)
    assert told == [("First?", "a()"), ("First?", "b()"), ("Second", "c()")]
    problem = place.marked(EvalkitError("x"))
    assert (problem.heading, problem.call) == ("Second", "c()")


def test_a_notebook_that_stops_says_where_it_was(tmp_path):
    made = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell("project_file = ''\ndata = ''\nout = ''", metadata={"tags": ["parameters"]}),
            nbformat.v4.new_markdown_cell("# All\n\n## Goes well"),
            nbformat.v4.new_code_cell("1 + 1"),
            nbformat.v4.new_markdown_cell("## Does not"),
            nbformat.v4.new_code_cell("{'pupil 17': 1}['pupil 18']"),
        ]
    )
    nbformat.write(made, tmp_path / "1_demo.ipynb")
    told = []
    with pytest.raises(NotebookFailure) as caught:
        execute(
            tmp_path / "1_demo.ipynb", {"project_file": "", "data": "", "out": ""}, lambda *place: told.append(place)
        )
    assert told == [("Goes well", "1 + 1"), ("Does not", "{'pupil 17': 1}['pupil 18']")]
    assert (caught.value.heading, caught.value.call) == told[-1]
    assert str(caught.value).endswith("(KeyError).")
    assert "pupil 18" in caught.value.log


def test_details_are_kept_where_only_their_owner_reads_them(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert kept_log("") == ""
    said = kept_log("Traceback")
    [path] = tmp_path.iterdir()
    assert str(path) in said
    assert path.stat().st_mode & 0o077 == 0
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    assert "could not be kept" in kept_log("Traceback")
