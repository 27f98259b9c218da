"""How projects stand: told from the files alone, with the reason, and nothing run or written."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from evalkit.data.locks import only_one
from evalkit.run.many.run_command import batch_of_all
from evalkit.run.outputs.content_key import content_key
from evalkit.run.outputs.folder import lock_of
from evalkit.run.outputs.hashes import Hashes
from evalkit.run.outputs.manifest import versions
from evalkit.run.processes.failure import Failure, write_record
from evalkit.run.project import workspace
from tests.conftest import ROOT
from tests.whole_command import typed

KNOWSLEY = ROOT / "data" / "projects" / "knowsley-ssif"


@pytest.fixture
def space(tmp_path, monkeypatch):
    """A workspace with one project and a data folder of two files, in which nothing was run."""
    shutil.copytree(KNOWSLEY, tmp_path / "data" / "projects" / "knowsley-ssif")
    monkeypatch.chdir(tmp_path)
    place = workspace.synthetic_place()
    place.mkdir(parents=True)
    for name in ("one.csv", "two.csv"):
        (place / name).write_text(name)
    sources = SimpleNamespace(files=lambda: tuple(sorted(place.glob("*.csv"))))
    monkeypatch.setattr("evalkit.data.published.sources.find_sources", lambda folder: sources)
    return tmp_path


def make_report(space: Path) -> Path:
    """Write a report as a run of what is there would, with the key and hashes of its inputs."""
    folder, hashes = space / "outputs" / "knowsley-ssif", Hashes()
    place, project = workspace.synthetic_place(), space / "data" / "projects" / "knowsley-ssif" / "project.yml"
    folder.mkdir(parents=True)
    (folder / "report.html").write_text("a report")
    inputs = [{"path": f"data/{path.name}", "sha256": hashes.of(path)} for path in sorted(place.glob("*.csv"))]
    inputs.append({"path": "project/project.yml", "sha256": hashes.of(project)})
    content = {
        "kind": "evalkit outputs",
        "key": content_key(project, place, hashes),
        "inputs": inputs,
        "versions": versions(),
        "outputs": {"report.html": hashes.of(folder / "report.html")},
    }
    (folder / "manifest.json").write_text(json.dumps(content))
    return folder


def state(space: Path) -> tuple[str, str]:
    ran = typed("status", "--json")
    [one] = ran.record["projects"]
    assert ran.record["counts"][one["state"]] == 1
    return one["state"], one["why"]


def test_a_project_without_a_report_was_not_run(space):
    assert state(space) == ("not run", "")
    ran = typed("status")
    assert "knowsley-ssif  not run" in ran.out
    assert "1 project: 1 not run." in ran.out
    assert "evalkit run --all" in ran.out


def test_a_report_of_what_is_there_is_current(space):
    make_report(space)
    assert state(space) == ("current", "")
    assert typed("run", "--all", "--dry-run").out == "knowsley-ssif: would be left as it is: its report is current\n"
    assert "--force was given" in typed("run", "--all", "--dry-run", "--force").out


def test_what_makes_a_report_stale_is_named(space):
    folder = make_report(space)
    place, project = workspace.synthetic_place(), space / "data" / "projects" / "knowsley-ssif" / "project.yml"
    (folder / "report.html").write_text("another")
    assert state(space) == ("stale", "changed or gone since the run: report.html")
    (place / "one.csv").write_text("other")
    assert state(space) == ("stale", "changed: published file one.csv")
    (place / "one.csv").rename(place / "three.csv")
    project.write_text(project.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    why = "changed: project file project.yml; gone: published file one.csv; new: published file three.csv"
    assert state(space) == ("stale", why)
    assert typed("run", "knowsley-ssif", "--dry-run").out == f"knowsley-ssif: would be run: {why}\n"


def test_another_version_of_a_package_is_named(space):
    folder = make_report(space)
    content = json.loads((folder / "manifest.json").read_text())
    content["versions"]["numpy"], content["key"] = "1.0", "another"
    (folder / "manifest.json").write_text(json.dumps(content))
    assert state(space) == ("stale", "another version of numpy")
    content["versions"], content["key"] = versions(), "another"
    (folder / "manifest.json").write_text(json.dumps(content))
    assert state(space) == ("stale", "the kit, its notebooks or its packages are others")


def test_a_failure_and_a_run_under_way_are_told(space):
    make_report(space)
    failure = Failure(slug="knowsley-ssif", kind="disk", message="The disk is full. Make room.", exit_code=3, stage="x")
    write_record(space / "outputs", failure, "evalkit run knowsley-ssif")
    assert state(space) == ("failed", "disk (x): The disk is full.")
    with only_one(lock_of(space / "outputs", "knowsley-ssif"), ""):
        assert state(space)[0] == "busy"


def test_two_projects_with_one_slug_are_told_apart(space):
    shutil.copytree(space / "data" / "projects" / "knowsley-ssif", space / "data" / "projects" / "copied")
    found = {one["slug"]: one["state"] for one in typed("status", "--json").record["projects"]}
    assert found == {"copied": "refused", "knowsley-ssif": "not run"}


def test_reports_of_no_project_are_named(space):
    make_report(space).rename(space / "outputs" / "old-one")
    assert typed("status", "--json").record["orphans"] == ["old-one"]
    assert "old-one" in typed("status").out


def test_nothing_is_written(space):
    before = sorted(space.rglob("*"))
    for words in (["status"], ["status", "--json"], ["run", "--all", "--dry-run"]):
        assert typed(*words).code == 0
    assert sorted(space.rglob("*")) == before
    assert batch_of_all().out == space / "outputs"
