"""A run ends with the answer of its report, what to type next, and a record of what became of each project."""

import json
from pathlib import Path

import pytest

from evalkit.run.many.ending import answer_of, closing_lines, run_json, write_run_record
from evalkit.run.many.task import RunResult
from evalkit.run.processes.failure import Failure


def report(folder: Path, text: str, kind: str = "real") -> Path:
    """Make as much of a report as the end of a run reads."""
    shown = {"data": {"text/html": ["<style></style>", '<div class="evalkit evalkit-headline">'], "text/plain": [text]}}
    style = {"data": {"text/html": "<style>.evalkit-headline p {}</style>", "text/plain": "A banner. Not this."}}
    cells = [{"cell_type": "markdown"}, {"outputs": [{"text": "x"}, style]}, {"outputs": [shown]}]
    (folder / "notebooks").mkdir(parents=True)
    (folder / "notebooks" / "0_summary.ipynb").write_text(json.dumps({"cells": cells}), encoding="utf-8")
    (folder / "manifest.json").write_text(json.dumps({"data_kind": kind}), encoding="utf-8")
    return folder / "report.html"


def done(slug: str, path: Path) -> RunResult:
    return RunResult(slug=slug, status="done", seconds=1.0, report=path)


def test_the_answer_is_the_first_sentence_of_the_headline(tmp_path):
    text = "Schools of St. Helens gained 0.4 points (95% interval −0.2 to 1.0). The rest is not said."
    path = report(tmp_path / "a", text)
    assert answer_of(path.parent) == "Schools of St. Helens gained 0.4 points (95% interval −0.2 to 1.0)."
    assert list(closing_lines([done("a", path)], {"a": "evalkit run a --data 'my files' --out o"})) == [
        "Schools of St. Helens gained 0.4 points (95% interval −0.2 to 1.0).",
        "Open the report in a browser; `evalkit lab a --data 'my files'` opens its notebooks.",
    ]


def test_made_up_schools_are_called_so(tmp_path):
    path = report(tmp_path / "a", "They gained 0.4 points.", "synthetic")
    assert next(closing_lines([done("a", path)], {})) == "They gained 0.4 points. (These are made-up schools.)"


@pytest.mark.parametrize("content", ["", "[]", "{", '{"cells": [3]}', '{"cells": []}'])
def test_a_report_without_a_headline_has_no_answer(tmp_path, content):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "0_summary.ipynb").write_text(content)
    assert answer_of(tmp_path) == ""
    assert answer_of(tmp_path / "nowhere") == ""


def test_of_several_projects_the_next_step_is_said(tmp_path):
    made = [done(slug, tmp_path / slug / "report.html") for slug in "ab"]
    failed = RunResult.without_report(Failure(slug="c", kind="error", message="x", exit_code=1, stage="reading"))
    [said] = closing_lines(made, {})
    assert "evalkit portfolio" in said
    [said] = closing_lines([*made, failed], {})
    assert "evalkit status" in said
    assert list(closing_lines([failed], {})) == [said]


# The record.

FAILED = RunResult.without_report(
    Failure(slug="b", kind="disk", message="Full.", exit_code=3, stage="reading"), seconds=2
)
DONE = RunResult(slug="a", status="done", seconds=1.23456, report=Path("/somewhere/a/report.html"), peak_mb=99.96)


def test_every_project_is_told_with_what_became_of_it():
    content = json.loads(run_json("20260101T000000Z-ab12", [DONE, FAILED], 3.5))
    assert content["counts"] == {"done": 1, "failed": 1}
    first, second = content["projects"]
    assert (first["slug"], first["report"], first["seconds"], first["peak_mb"]) == ("a", "a/report.html", 1.235, 100.0)
    assert (second["kind"], second["stage"], second["exit_code"], second["report"]) == ("disk", "reading", 3, None)
    assert "somewhere" not in json.dumps(content)  # no folder of this machine


def test_it_stands_among_the_records_of_runs_and_a_full_disk_stops_nothing(tmp_path):
    write_run_record(tmp_path, "r-1", [DONE], 1.0)
    assert json.loads((tmp_path / "_runs" / "r-1.run.json").read_text())["run"] == "r-1"
    (tmp_path / "file").touch()
    write_run_record(tmp_path / "file", "r-1", [DONE], 1.0)
