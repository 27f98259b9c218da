"""What no project needs is listed and, when that is wished, removed; the report of a project never is."""

import io
import json
import os
import shutil
import time
from pathlib import Path

import pytest

from evalkit.data.locks import only_one
from evalkit.run.many import clean
from evalkit.run.outputs.content_key import keep_source
from evalkit.run.outputs.folder import lock_of
from evalkit.run.processes.failure import Failure, write_record
from tests.conftest import ROOT
from tests.whole_command import typed

KNOWSLEY = ROOT / "data" / "projects" / "knowsley-ssif"


@pytest.fixture
def space(tmp_path, monkeypatch):
    """A workspace with one project and its report, and nothing in the temporary place."""
    shutil.copytree(KNOWSLEY, tmp_path / "data" / "projects" / "knowsley-ssif")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(clean, "left_behind", list)
    report(tmp_path, "knowsley-ssif")
    return tmp_path


def report(space: Path, slug: str, project: Path | None = None) -> Path:
    folder = space / "outputs" / slug
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps({"kind": "evalkit outputs"}))
    keep_source(space / "outputs", slug, project or space / "data" / "projects" / slug / "project.yml", True)
    return folder


def record(space: Path, slug: str, days: float = 0.0) -> Path:
    write_record(space / "outputs", Failure(slug=slug, kind="error", message="x", exit_code=1), "")
    return aged(space / "outputs" / "_runs" / f"{slug}.failed.json", days)


def aged(path: Path, days: float) -> Path:
    os.utime(path, (time.time() - days * 86_400,) * 2)
    return path


def listed(*words: str) -> list[str]:
    ran = typed("clean", *words)
    assert ran.code == 0, ran.err
    return [Path(line.partition(": ")[0]).name for line in ran.out.splitlines() if ": " in line]


def test_where_there_is_nothing_to_remove_that_is_said(space):
    assert typed("clean", "--yes").out == "There is nothing to remove.\n"


def test_nothing_is_removed_unless_somebody_says_so(space):
    folder = report(space, "old-one")
    assert "old-one" in listed()
    ran = typed("clean")
    assert "Nothing was removed. `evalkit clean --yes`" in ran.err
    assert folder.is_dir()


@pytest.mark.parametrize(("answer", "is_there"), [("y\n", False), ("yes\n", False), ("\n", True), ("n\n", True)])
def test_on_a_terminal_it_asks(space, monkeypatch, answer, is_there):
    folder, asked = report(space, "old-one"), io.StringIO(answer)
    asked.isatty = lambda: True
    monkeypatch.setattr("sys.stdin", asked)
    assert "Remove" in typed("clean").err
    assert folder.is_dir() == is_there


def test_the_report_of_no_project_goes_with_its_records_and_that_of_a_project_stays(space):
    folder = report(space, "old-one")
    assert listed("--yes") == ["old-one", "old-one.project.json"]
    assert not folder.exists()
    assert (space / "outputs" / "knowsley-ssif" / "manifest.json").is_file()
    assert (space / "outputs" / "_runs" / "knowsley-ssif.project.json").is_file()


def test_the_report_of_a_project_elsewhere_stays(space, tmp_path_factory):
    """Its last run read a project file outside the workspace, which is still there."""
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "project.yml"
    elsewhere.touch()
    report(space, "other", elsewhere)
    assert listed("--yes") == []


def test_in_another_folder_a_report_of_which_nothing_is_known_stays(space):
    """The workspace says nothing of reports that it did not make."""
    report(space, "old-one")
    shutil.copytree(space / "outputs" / "old-one", space / "theirs" / "old-one")
    assert listed("--yes", "--out", "theirs") == []


def test_a_folder_that_is_not_ours_and_one_whose_project_is_run_stay(space):
    (space / "outputs" / "thesis").mkdir()
    folder = report(space, "old-one")
    with only_one(lock_of(space / "outputs", "old-one"), ""):
        ran = typed("clean", "--yes")
    assert folder.is_dir()
    assert (space / "outputs" / "thesis").is_dir()
    assert ran.out.splitlines()[-1].endswith("removed.")


def test_what_a_killed_run_left_goes_and_a_report_it_had_set_aside_comes_back(space):
    outputs = space / "outputs"
    (outputs / ".knowsley-ssif.77.staging").mkdir()
    (outputs / "knowsley-ssif").rename(outputs / ".knowsley-ssif.78.previous")
    assert sorted(listed("--yes")) == [".knowsley-ssif.77.staging", ".knowsley-ssif.78.previous"]
    assert (outputs / "knowsley-ssif" / "manifest.json").is_file()
    assert [path.name for path in outputs.iterdir() if path.name.startswith(".")] == []


def test_records_are_kept_for_as_many_days_as_asked(space):
    record(space, "knowsley-ssif", 40)
    run = aged(space / "outputs" / "_runs" / "knowsley-ssif.project.json", 40).with_name(
        "20260101T000000Z-ab12.run.json"
    )
    run.touch()
    aged(run, 40)
    assert listed() == []
    assert listed("--days", "30", "--yes") == ["20260101T000000Z-ab12.run.json", "knowsley-ssif.failed.json"]
    assert sorted(path.name for path in run.parent.iterdir()) == ["knowsley-ssif.project.json"]


def test_a_record_of_a_project_that_is_gone_goes_at_once(space):
    record(space, "gone")
    assert listed() == ["gone.failed.json"]


def test_a_long_log_is_put_aside_whole(space, monkeypatch):
    monkeypatch.setattr(clean, "MOST_LOG_BYTES", 10)
    log = space / "outputs" / "_runs" / "log.jsonl"
    log.write_text("a line that is long\n")
    log.with_name("log.1.jsonl").write_text("before\n")
    assert listed("--yes") == ["log.jsonl"]
    assert log.with_name("log.1.jsonl").read_text() == "a line that is long\n"
    assert not log.exists()


def test_folders_in_the_temporary_place_of_killed_processes_go(space, monkeypatch, tmp_path_factory):
    left = tmp_path_factory.mktemp("e-")
    monkeypatch.setattr(clean, "left_behind", lambda: [left])
    assert listed("--yes") == [left.name]
    assert not left.exists()
