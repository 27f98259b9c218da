"""A kind of analysis is added by one object and one line in the list of kinds; nothing else is touched."""

import json
import re
from pathlib import Path

import pytest

from evalkit.core.errors import ProjectError
from evalkit.data.synthetic import write_synthetic_england
from evalkit.run.console import Progress
from evalkit.run.kinds import registry
from evalkit.run.project.project_file import load_project
from evalkit.run.project.runner import Request, run_project
from tests.conftest import ROOT

KNOWSLEY = ROOT / "data" / "projects" / "knowsley-ssif"

ANALYSES = "analyses:\n  - name: main\n    kind: areas\n    primary: true\n"
TOY = ANALYSES.replace("primary: true", "primary: {0}") + (
    "  - name: toys\n    kind: toy\n    primary: {1}\n    outcomes: [READPROG]\n    doubled: true\n"
)


@pytest.fixture(scope="module")
def small_england(tmp_path_factory):
    folder = tmp_path_factory.mktemp("england") / "published"
    folder.mkdir()
    write_synthetic_england(folder, seed=3, scale=0.1)
    return folder


@pytest.fixture(autouse=True)
def toy(monkeypatch):
    monkeypatch.setitem(registry.KINDS, "toy", "tests.toy_kind:TOY")


def project_with(folder: Path, analyses: str) -> Path:
    """Return the Knowsley project with other analyses, in a folder of its own."""
    folder = folder / "knowsley-ssif"
    folder.mkdir()
    (folder / "claims.yml").write_bytes((KNOWSLEY / "claims.yml").read_bytes())
    text = (KNOWSLEY / "project.yml").read_text(encoding="utf-8")
    assert ANALYSES in text
    text = text.replace("  - measure: WRITPROG\n    role: secondary\n", "")  # two outcomes will do
    (folder / "project.yml").write_text(text.replace(ANALYSES, analyses), encoding="utf-8")
    return folder / "project.yml"


def ran(tmp_path: Path, england: Path, analyses: str) -> Path:
    return run_project(Request(project_with(tmp_path, analyses), england, tmp_path / "out"), Progress())


def test_a_project_runs_a_kind_that_the_kit_does_not_know_beside_its_own(tmp_path, small_england):
    out = ran(tmp_path, small_england, TOY.format("true", "false"))
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert [(one["name"], one["kind"], one["primary"]) for one in results["analyses"]] == [
        ("main", "areas", True),
        ("toys", "toy", False),
    ]
    toy = results["analyses"][1]
    (effect,) = toy["effects"]
    assert (effect["analysis"], effect["main"], effect["outcome"]) == ("toys", True, "READPROG")
    assert toy["weights"] == {"treated": 1}
    assert (out / "notebooks" / "2_toy.ipynb").is_file()
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "What does the toy say?" in page
    assert "The toy&#x27;s own average effect." in page or "The toy's own average effect." in page
    design = json.loads((out / "design.json").read_text(encoding="utf-8"))
    assert list(design["analyses"]) == ["main", "toys"]


def test_a_kind_without_a_module_of_report_leads_a_whole_report(tmp_path, small_england):
    out = ran(tmp_path, small_england, TOY.format("false", "true"))
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert results["effects"][0]["design"] == "toy"
    for name in ("report.html", "report.docx", "report.pdf", "summary.pdf"):
        assert (out / name).stat().st_size > 1000
    # its annex on the design is drawn from what its plan locks: the schools counted, none of them named
    page = (out / "report.html").read_text(encoding="utf-8")
    design = json.loads((out / "design.json").read_text(encoding="utf-8"))["analyses"]["toys"]
    assert "What is locked of “toys”" in page
    locked = page.split("What is locked of “toys”")[-1].split("</table>")[0]
    assert f"{design['n_others']:,}" in locked
    assert f">{len(design['treated'])}<" in re.sub(r"\s", "", locked)
    assert not any(school in locked for school in design["treated"])


def test_options_of_another_kind_are_told_as_theirs(tmp_path):
    with pytest.raises(ProjectError, match=r"kind `areas` has no such key.* It belongs to the kind toy"):
        load_project(project_with(tmp_path, ANALYSES + "    doubled: true\n"))


def test_what_a_kind_says_against_an_analysis_is_a_complaint_of_the_file(tmp_path):
    with pytest.raises(ProjectError, match="a toy takes one outcome"):
        load_project(project_with(tmp_path, TOY.format("true", "false").replace("    outcomes: [READPROG]\n", "")))
