"""A kind that describes can be all of a project: a plan, a report in three formats and results, and never an effect."""

import json
import re
from dataclasses import replace

import pytest

from evalkit.core.errors import EvalkitError, ProjectError
from evalkit.report.words.answers import NOT_AN_EFFECT, bounded_answer
from evalkit.run.cli import main
from evalkit.run.console import Progress
from evalkit.run.kinds import registry
from evalkit.run.notebooks.session import no_files_folder, open_evaluation
from evalkit.run.project.project_file import load_project
from evalkit.run.project.runner import Request, run_project
from tests import describing_kind

PROJECT = """\
schema_version: 2
slug: meetings
title: Meetings of a partnership
question: Were the meetings held?
programme:
  name: The partnership
  place: Elsewhere
  funder: Nobody
  aim: to meet
  start: 2018-09-01
  end: 2020-08-31
analyses:
  - name: main
    kind: count
    primary: true
"""
YEARS = "2017 2018 2019 2020\n"


@pytest.fixture(autouse=True)
def count(monkeypatch):
    monkeypatch.setitem(registry.KINDS, "count", "tests.describing_kind:COUNT")


@pytest.fixture
def project_file(tmp_path):
    folder = tmp_path / "data" / "projects" / "meetings"
    folder.mkdir(parents=True)
    (folder / "meetings.csv").write_text(YEARS, encoding="utf-8")
    (folder / "project.yml").write_text(PROJECT, encoding="utf-8")
    return folder / "project.yml"


def test_a_project_that_only_describes_runs_whole(project_file, tmp_path):
    out = run_project(Request(project_file, no_files_folder(), tmp_path / "out"), Progress())
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    (only,) = results["analyses"]
    assert (only["effects"], only["describes"], only["target"]) == ([], True, "met")
    assert "describes and gives no effect" in only["missing"]["unavailable"]
    for name in ("report.html", "report.docx", "report.pdf", "summary.pdf", "design.json"):
        assert (out / name).stat().st_size > 100
    page = (out / "report.html").read_text(encoding="utf-8")
    text = " ".join(re.sub(r"<[^>]*>", " ", page).split())
    assert "The target was met. " + NOT_AN_EFFECT in text
    for absent in ("The answer of each analysis", "Forest plot", "p, two-sided", "How large was the difference"):
        assert absent not in text
    # the plan saw one summer before September 2018 fewer than the results: 2019 and 2020 stand in no plan
    assert json.loads((out / "design.json").read_text(encoding="utf-8"))["analyses"]["main"]["n_before"] == 2


def test_its_plan_names_what_has_no_meaning(project_file, tmp_path, capsys):
    assert main(["plan", str(project_file), "--data", str(no_files_folder()), "--out", str(tmp_path / "plan")]) == 0
    page = (tmp_path / "plan" / "plan.html").read_text(encoding="utf-8")
    assert "no least detectable effect" in page
    assert "What if results are missing?" not in page


def test_a_headline_that_speaks_of_an_effect_is_refused(project_file, monkeypatch):
    results = open_evaluation(str(project_file), str(no_files_folder())).primary
    assert bounded_answer(results).sentences[-1] == NOT_AN_EFFECT
    claiming = replace(results, extra={"target": "met, which led to more"})
    with pytest.raises(EvalkitError, match="says “led to”"):
        bounded_answer(claiming)


def test_a_kind_that_describes_gives_no_effects(project_file, monkeypatch):
    estimate = describing_kind.COUNT.estimate
    claiming = replace(describing_kind.COUNT, estimate=lambda request: replace(estimate(request), effects=(1,)))
    monkeypatch.setattr(describing_kind, "COUNT", claiming)
    with pytest.raises(EvalkitError, match="says that it describes and gives effects"):
        open_evaluation(str(project_file), str(no_files_folder()))


def test_what_belongs_to_effects_is_refused_in_its_file(project_file):
    project_file.write_text(PROJECT + "    outcomes: [READPROG]\n", encoding="utf-8")
    with pytest.raises(ProjectError, match="describes and gives no effect: it has no `outcomes`"):
        load_project(project_file)
