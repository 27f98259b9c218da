"""What a worker of a cluster does with projects: it reads files once, and does again nothing that was done."""

import os
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from evalkit.data.locks import only_one
from evalkit.run.many import cluster_fleet as cluster_worker
from evalkit.run.many.cluster import facts
from evalkit.run.many.cluster_fleet import Call, leave_here, run_here, stop_here
from evalkit.run.many.task import RunResult, Task
from evalkit.run.notebooks.session import READ_ONCE
from evalkit.run.outputs.content_key import report_stamp
from evalkit.run.outputs.folder import lock_of
from tests.worked_here import made, make_space

distributed = pytest.importorskip("distributed", reason="needs the extra evalkit[cluster]")


@pytest.fixture
def space(tmp_path, monkeypatch):
    """A workspace, and a worker of this process that notes which projects it ran and from where they read."""
    monkeypatch.delenv(READ_ONCE, raising=False)
    monkeypatch.setenv("EVALKIT_PLAIN_PROCESSES", "1")
    worker = SimpleNamespace(address="tcp://here:1", log_event=lambda *_: None)
    monkeypatch.setattr(distributed, "get_worker", lambda: worker)
    monkeypatch.setattr(cluster_worker, "_has_server", threading.Event())
    return make_space(tmp_path, monkeypatch, made, "leeds", "york")


@pytest.fixture
def ran(monkeypatch) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []

    def run(task, report, stop):
        found.append((task.slug, os.environ.get(READ_ONCE, "")))
        return made(task)

    monkeypatch.setattr(cluster_worker, "run_isolated", run)
    return found


def task_of(space: Path, slug: str) -> Task:
    file = space / "data" / "projects" / slug / "project.yml"
    task = Task(slug=slug, project_file=file, data=None, out=space / "outputs")
    return replace(task, before=report_stamp(task.report))


def call(space: Path, name: str) -> Call:
    return Call(name, space, facts())


def test_the_projects_of_a_worker_share_what_they_read_until_the_last_call_ends(space, ran):
    for slug, name in (("leeds", "one"), ("york", "two")):
        assert run_here(task_of(space, slug), call(space, name)).status == "done"
    folders = {folder for _, folder in ran}
    assert len(folders) == 1
    folder = Path(folders.pop())
    assert folder.stat().st_mode & 0o077 == 0
    leave_here("one")
    assert folder.is_dir()
    leave_here("two")
    assert not folder.exists()
    assert READ_ONCE not in os.environ


def test_a_project_that_a_lost_worker_had_done_is_not_done_again(space, ran):
    """The worker had put the report in place and died before it could say so; Dask sends the task to another."""
    task = task_of(space, "york")
    made(task)
    found = run_here(task, call(space, "one"))
    assert (found.status, found.report) == ("done", task.report)
    assert ran == []
    run_here(
        task_of(space, "york"), call(space, "one")
    )  # what was there before the call is judged by the command alone
    assert [slug for slug, _ in ran] == ["york"]
    leave_here("one")


def test_outputs_that_another_holds_are_waited_for_and_left_once_stopped(space, ran, monkeypatch):
    monkeypatch.setattr(cluster_worker, "LET_GO_WITHIN", 0.2)
    (space / "outputs").mkdir()
    with only_one(lock_of(space / "outputs", "york"), ""):
        run_here(task_of(space, "york"), call(space, "one"))  # the run itself then says that it is busy
    assert [slug for slug, _ in ran] == ["york"]
    stop_here("one")
    stopped: RunResult = run_here(task_of(space, "leeds"), call(space, "one"))
    assert (stopped.status, stopped.exit_code) == ("not begun", 130)
    leave_here("one")
