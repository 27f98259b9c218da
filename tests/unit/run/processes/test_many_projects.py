"""Many projects, several users: what another run holds, what has another's slug, what has no project any more."""

import json
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from evalkit.data.locks import Busy, await_free, is_held, only_one
from evalkit.run import cli
from evalkit.run.many.task import RunResult, Task
from evalkit.run.outputs.content_key import made_meanwhile, report_stamp
from evalkit.run.outputs.folder import lock_of
from evalkit.run.processes.failure import failure_of
from tests.worked_here import add, made, make_space, run_by, words


@pytest.fixture
def space(tmp_path, monkeypatch):
    return make_space(tmp_path, monkeypatch, made, "leeds", "york")


def log(space: Path) -> list[dict]:
    return [json.loads(line) for line in (space / "outputs" / "_runs" / "log.jsonl").read_text().splitlines()]


def ended(space: Path) -> dict[str, tuple[str, str]]:
    """Return the status and kind that the log has last of each project."""
    lines = [line for line in log(space) if line["event"] == "project ended"]
    return {line["project"]: (line["status"], line.get("kind", "")) for line in lines}


def busy(task: Task) -> RunResult:
    failure, _ = failure_of(Busy(f"Another run of {task.slug} is writing."), task.slug, "reading the data")
    return RunResult.without_report(failure, seconds=1.0)


class Other:
    """Another run, which holds York's outputs from a thread until `it` is called, and then lets go of them."""

    def __init__(self, space: Path, finish) -> None:
        self._lock, self._finish = lock_of(space / "outputs", "york"), finish
        self._holds, self._go = threading.Event(), threading.Event()
        (space / "outputs").mkdir(exist_ok=True)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._holds.wait(10)

    def _run(self) -> None:
        with only_one(self._lock, ""):
            self._holds.set()
            assert self._go.wait(10)
            self._finish()

    def __call__(self, task, report, stop) -> RunResult:
        """Run a project here; York is another run's as long as that holds it, and is tried while it does."""
        if task.slug != "york" or not is_held(self._lock):
            return made(task)
        threading.Timer(0.4, self._go.set).start()
        return busy(task)

    def join(self) -> None:
        self._go.set()
        self._thread.join()


def task_of(space: Path, slug: str) -> Task:
    return Task(
        slug=slug,
        project_file=space / "data" / "projects" / slug / "project.yml",
        data=None,
        out=space / "outputs",
    )


def test_a_project_that_another_run_holds_counts_when_that_has_made_the_same_report(space, monkeypatch, capsys):
    other = Other(space, lambda: made(task_of(space, "york")))
    run_by(monkeypatch, other)
    assert cli.main(["run", "--all"]) == 0
    other.join()
    said = capsys.readouterr()
    assert words(said.out) == {"leeds": "done", "york": "unchanged"}
    assert "2 projects" in said.out
    assert "failed" not in said.out + said.err
    assert ended(space) == {"leeds": ("done", ""), "york": ("unchanged", "")}
    assert not list((space / "outputs" / "_runs").glob("*.failed.json"))
    assert {"project": "york", "stage": "waiting for another run of it"}.items() <= next(
        line for line in log(space) if line["event"] == "stage started"
    ).items()


def test_what_the_other_run_did_not_make_is_made_here(space, monkeypatch, capsys):
    other = Other(space, lambda: None)
    run_by(monkeypatch, other)
    assert cli.main(["run", "--all"]) == 0
    other.join()
    assert words(capsys.readouterr().out) == {"leeds": "done", "york": "done"}


def test_a_project_that_stays_another_runs_is_busy_and_no_failure(space, monkeypatch, capsys):
    run_by(monkeypatch, lambda task, report, stop: busy(task) if task.slug == "york" else made(task))
    assert cli.main(["run", "--all"]) == 4
    said = capsys.readouterr()
    assert words(said.out) == {"leeds": "done", "york": "busy"}
    assert "1 done and 1 busy" in said.out
    assert "evalkit: york: Another run of york is writing." in said.err
    assert ended(space)["york"] == ("busy", "busy")
    assert not list((space / "outputs" / "_runs").glob("*.failed.json"))
    assert cli.main(["run", "york"]) == 4


def test_a_lock_is_waited_for_and_not_once_stopped(tmp_path):
    path, stop = tmp_path / "lock", threading.Event()
    assert await_free(path, 0)
    with only_one(path, ""):
        assert is_held(path)
        assert not await_free(path, 0.1)
        stop.set()
        assert not await_free(path, 60, stop)
        with pytest.raises(Busy, match="Wait"), only_one(path, "Wait"):
            pass
    assert await_free(path, 0)


def test_the_key_is_judged_again_when_a_project_has_its_turn(space, monkeypatch, capsys):
    """Another run makes York's report while this one is at Leeds."""
    begun = []

    def run_one(task, report, stop):
        begun.append(task.slug)
        made(task_of(space, "york"))
        return made(task)

    run_by(monkeypatch, run_one)
    for options in ([], ["--force"]):
        begun.clear()
        assert cli.main(["run", "--all", *options]) == 0
        assert words(capsys.readouterr().out) == {"leeds": "done", "york": "unchanged"}
        assert begun == ["leeds"]
        shutil.rmtree(space / "outputs" / "leeds")


def test_only_a_report_that_came_since_is_judged(space):
    task = task_of(space, "york")
    assert made_meanwhile(task) is None
    made(task)
    assert made_meanwhile(task).status == "unchanged"
    now = replace(task, before=report_stamp(task.report))
    assert made_meanwhile(now) is None  # it was there before, so that --force makes it again
    assert made_meanwhile(Task.from_json(now.to_json())) is None
    (space / "outputs" / "york" / "report.html").write_text("changed by hand")
    assert made_meanwhile(task) is None


def test_a_copied_folder_is_named_and_the_rest_runs(space, capsys):
    projects = space / "data" / "projects"
    shutil.copytree(projects / "leeds", projects / "leeds-copy")
    for names in (["--all"], ["york", "leeds-copy", "leeds"]):
        assert cli.main(["run", *names]) == 1
        said = capsys.readouterr()
        status = {"--all": "done"}.get(names[0], "unchanged")
        assert words(said.out) == {"leeds": status, "leeds-copy": "failed: bad input", "york": status}
        assert f"{projects / 'leeds-copy' / 'project.yml'} has the slug 'leeds', as {projects / 'leeds'}" in said.err
    assert cli.main(["run", "leeds-copy"]) == 2  # alone it would take the place of the first one's report, too
    assert not list((space / "outputs" / "_runs").glob("*.failed.json"))
    copy = projects / "leeds-copy" / "project.yml"
    copy.write_text(copy.read_text().replace("slug: leeds", "slug: leeds-copy"))
    assert cli.main(["run", "--all"]) == 0  # what the message says to do works


def test_two_files_of_one_slug_in_folders_of_that_name_are_both_refused(space, capsys):
    shutil.copytree(space / "data" / "projects" / "leeds", space / "elsewhere" / "leeds")
    assert cli.main(["run", "leeds", "elsewhere/leeds", "york"]) == 1
    table = words(capsys.readouterr().out)
    assert table == {"leeds": "failed: bad input", "elsewhere/leeds": "failed: bad input", "york": "done"}
    assert cli.main(["run", "leeds", "data/projects/leeds"]) == 0  # one project, named twice


def test_run_all_names_reports_without_a_project_and_removes_none(space, capsys):
    assert cli.main(["run", "--all"]) == 0
    assert "of no project" not in capsys.readouterr().out
    file = space / "data" / "projects" / "york" / "project.yml"
    file.write_text(file.read_text().replace("slug: york", "slug: new-york"))
    (space / "outputs" / "notes").mkdir()  # not made by evalkit
    assert cli.main(["run", "--all", "--shard", "1/2"]) == 0
    said = capsys.readouterr().out
    assert f"In {space / 'outputs'} there is a report of no project here: york." in said
    assert (space / "outputs" / "york" / "report.html").exists()
    assert cli.main(["run", "leeds", "york"]) == 0
    assert "of no project" not in capsys.readouterr().out


def test_what_was_not_begun_is_logged_as_that(space, monkeypatch, capsys):
    def run_one(task, report, stop):
        stop.set()
        return made(task)

    run_by(monkeypatch, run_one)
    assert cli.main(["run", "--all"]) == 130
    assert words(capsys.readouterr().out) == {"leeds": "done", "york": "not begun"}
    assert ended(space) == {"leeds": ("done", ""), "york": ("not begun", "not begun")}


def test_a_project_in_a_folder_of_another_name_runs(space):
    add(space, "bath", "a-folder")
    assert cli.main(["run", "--all"]) == 0
    assert (space / "outputs" / "bath" / "report.html").exists()
